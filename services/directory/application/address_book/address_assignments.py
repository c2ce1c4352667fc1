"""AssignAddresses and UnassignAddresses."""

from __future__ import annotations

from collections.abc import Sequence

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations, denied
from libs.idempotency.key import RequestKey
from services import roles
from services.directory.application.address_book.addresses import only_own
from services.directory.application.ports import DirectoryWork, Units
from services.directory.domain.address_book.addresses import Assignment
from waybill.directory.v1 import reasons

Assigned = Sequence[tuple[str, Assignment]]
"""Pairs of company and assignment."""


class AddressAssignments:
    """Says who may use which address."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def assign(self, caller: Principal, found: Violations, items: Assigned, request: RequestKey | None) -> None:
        """Adds or replaces all or none. `found` is what is wrong so far."""
        own = only_own(caller, {party for party, _ in items})
        seen: set[tuple[str, str, str, str]] = set()
        for i, (party, item) in enumerate(items):
            key = (party, item.address_id, item.user_id, item.group_id)
            one = not (item.user_id and item.group_id)
            found.require(
                f"assignments[{i}].user_group_id", one, reasons.FIELD_INVALID, "stands beside a user; either is assigned"
            )
            found.require(f"assignments[{i}]", key not in seen, reasons.DUPLICATE_ITEM, "stands twice")
            seen.add(key)

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, self._clock.now()) is not None:
                return
            await self._open_to(work, caller, own)
            # A transaction that is done again begins with what was wrong before it.
            wrong = Violations()
            wrong.also(found)
            await self._check(work, wrong, items)
            if own:
                await self._check_kept(work, caller, wrong, items)
            wrong.raise_if_any()
            if own and any(item.user_id != caller.user_id for _, item in items):
                raise denied(roles.ADDRESS_ADMIN)
            await work.books.assign(items, self._clock.now())

        await self._units.retrying(do)

    async def unassign(self, caller: Principal, found: Violations, items: Assigned, request: RequestKey | None) -> None:
        """Removes those that exist; who is no administrator, its own."""
        own = only_own(caller, {party for party, _ in items})
        if own:
            items = [(party, item) for party, item in items if item.user_id == caller.user_id]
        found.raise_if_any()

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, self._clock.now()) is None:
                await self._open_to(work, caller, own)
                await work.books.unassign(items, self._clock.now())

        await self._units.retrying(do)

    async def _open_to(self, work: DirectoryWork, caller: Principal, own: bool) -> None:
        """Of a restricted buyer only administrators say who uses which address."""
        if own and await work.books.restricted(caller):
            caller.require(roles.ADDRESS_ADMIN)

    async def _check_kept(self, work: DirectoryWork, caller: Principal, found: Violations, items: Assigned) -> None:
        """Addresses that other users keep for themselves are nobody else's."""
        theirs = await work.books.kept_by_others({(party, item.address_id) for party, item in items}, caller.user_id)
        for i, (party, item) in enumerate(items):
            mine = (party, item.address_id) not in theirs
            text = "there is no such address in the book"
            found.require(f"assignments[{i}].address_id", mine, reasons.ADDRESS_NOT_FOUND, text)

    async def _check(self, work: DirectoryWork, found: Violations, items: Assigned) -> None:
        addresses = await work.books.taken({(party, item.address_id) for party, item in items})
        people = await work.parties.members({(party, item.user_id) for party, item in items if item.user_id})
        groups = await work.groups.known({item.group_id for _, item in items if item.group_id})
        for i, (party, item) in enumerate(items):
            found.require(
                f"assignments[{i}].address_id",
                (party, item.address_id) in addresses or not item.address_id,
                reasons.ADDRESS_NOT_FOUND,
                "there is no such address in the book",
            )
            found.require(
                f"assignments[{i}].user_id",
                not item.user_id or (party, item.user_id) in people,
                reasons.USER_NOT_FOUND,
                "there is no such user in the company",
            )
            found.require(
                f"assignments[{i}].user_group_id",
                not item.group_id or groups.get(item.group_id) == party,
                reasons.USER_GROUP_NOT_FOUND,
                "there is no such group in the company",
            )
