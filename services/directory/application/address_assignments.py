"""AssignAddresses and UnassignAddresses."""

from __future__ import annotations

from collections.abc import Sequence

from libs.auth import Principal, roles
from libs.clock import Clock
from libs.errors import Violations
from services.directory.application.ports import AddressBooks, Parties, Request, Requests, Transactions, Tx
from services.directory.domain.addresses import Assignment

Assigned = Sequence[tuple[str, Assignment]]
"""Pairs of company and assignment."""


class AddressAssignments:
    """Says who may use which address."""

    def __init__(
        self, transactions: Transactions, requests: Requests, books: AddressBooks, parties: Parties, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._requests = requests
        self._books = books
        self._parties = parties
        self._clock = clock

    async def assign(self, caller: Principal, found: Violations, items: Assigned, request: Request) -> None:
        """Adds or replaces all or none. `found` is what is wrong so far."""
        caller.require(roles.ADDRESS_ADMIN)
        seen: set[tuple[str, str, str]] = set()
        for i, (party, item) in enumerate(items):
            key = (party, item.address_id, item.user_id)
            found.require(f"assignments[{i}]", key not in seen, "DUPLICATE_ITEM", "stands twice")
            seen.add(key)

        async def work(tx: Tx) -> None:
            if await self._requests.claim(tx, request, {}, self._clock.now()) is not None:
                return
            await self._check(tx, found, items)
            found.raise_if_any()
            await self._books.assign(tx, items)

        await self._transactions.retrying(work)

    async def unassign(self, caller: Principal, found: Violations, items: Assigned, request: Request) -> None:
        """Removes those that exist."""
        caller.require(roles.ADDRESS_ADMIN)
        found.raise_if_any()

        async def work(tx: Tx) -> None:
            if await self._requests.claim(tx, request, {}, self._clock.now()) is None:
                await self._books.unassign(tx, items)

        await self._transactions.retrying(work)

    async def _check(self, tx: Tx, found: Violations, items: Assigned) -> None:
        addresses = await self._books.taken(tx, {(party, item.address_id) for party, item in items})
        people = await self._parties.members(tx, {(party, item.user_id) for party, item in items if item.user_id})
        for i, (party, item) in enumerate(items):
            found.require(
                f"assignments[{i}].address_id",
                (party, item.address_id) in addresses or not item.address_id,
                "ADDRESS_NOT_FOUND",
                "there is no such address in the book",
            )
            found.require(
                f"assignments[{i}].user_id",
                not item.user_id or (party, item.user_id) in people,
                "USER_NOT_FOUND",
                "there is no such user in the company",
            )
