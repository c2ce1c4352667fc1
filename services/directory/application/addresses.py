"""CreateAddresses, UpdateAddress, DeleteAddress: an address book and who may write in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from libs.auth import PartyKind, Principal, roles
from libs.clock import Clock
from libs.errors import Violations, exists, missing, stale
from libs.protoconv import merge_xp, xp_size_ok
from services.directory.application.ports import AddressBooks, Parties, Request, Requests, Transactions, Tx
from services.directory.domain.addresses import Assignment, Entry


@dataclass(frozen=True, slots=True)
class Change:
    """An update of one entry. What is None stays."""

    party: str
    id: str
    etag: str
    address: Mapping[str, Any] | None
    xp: Mapping[str, Any] | None


def only_own(caller: Principal) -> bool:
    """Whether the caller writes own addresses only. Raises ROLE_MISSING when it may write none."""
    if caller.has(roles.ADDRESS_ADMIN):
        return False
    if caller.party_kind is not PartyKind.BUYER or not caller.has(roles.ME_ADDRESS_ADMIN):
        caller.require(roles.ADDRESS_ADMIN)
    return True


class Addresses:
    """Writes address books."""

    def __init__(
        self, transactions: Transactions, requests: Requests, books: AddressBooks, parties: Parties, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._requests = requests
        self._books = books
        self._parties = parties
        self._clock = clock

    async def create(self, caller: Principal, found: Violations, entries: Sequence[Entry], request: Request) -> list[Entry]:
        """Adds all or none. `found` is what is wrong so far."""
        own = only_own(caller)
        if own:
            entries = [replace(entry, user_id=caller.user_id) for entry in entries]
        now = self._clock.now()
        entries = [replace(entry, create_time=now, update_time=now) for entry in entries]
        keys = [(entry.party, entry.id) for entry in entries]
        for i, key in enumerate(keys):
            found.require(f"entries[{i}].address.id", key not in keys[:i], "DUPLICATE_ITEM", f"{key[1]!r} stands twice")

        async def work(tx: Tx) -> list[Entry]:
            # What is refused records nothing; the database is not asked to keep what it cannot.
            recorded = await self._requests.claim(tx, request, {"keys": [] if found else keys}, now)
            if recorded is not None:
                return await self._books.read(tx, [(party, id) for party, id in recorded["keys"]])
            await self._open_to(tx, caller, own)
            await self._check(tx, found, entries)
            found.raise_if_any()
            taken = await self._books.taken(tx, keys)
            if taken:
                raise exists("address", min(taken)[1])
            await self._books.add(tx, entries)
            mine = [(e.party, Assignment(e.id, e.user_id, False, False)) for e in entries if e.user_id]
            await self._books.assign(tx, mine)
            return list(entries)

        return await self._transactions.retrying(work)

    async def update(self, caller: Principal, change: Change, request: Request) -> Entry:
        """Replaces the address, merges xp."""
        own = only_own(caller)
        now = self._clock.now()

        async def work(tx: Tx) -> Entry:
            recorded = await self._requests.claim(tx, request, {}, now)
            entry = await self._entry(tx, caller, own, change.party, change.id)
            if recorded is not None:
                return entry
            if change.etag and change.etag != str(entry.version):
                raise stale("address", entry.id, str(entry.version))
            changed = replace(entry, version=entry.version + 1, update_time=now)
            if change.address is not None:
                changed = replace(changed, address=change.address)
            if change.xp is not None:
                found = Violations()
                changed = replace(changed, xp=merge_xp(entry.xp, change.xp))
                xp_size_ok(found, "entry.xp", changed.xp)
                found.raise_if_any()
            await self._books.replace(tx, changed)
            return changed

        return await self._transactions.retrying(work)

    async def delete(self, caller: Principal, party: str, id: str, request: Request) -> None:
        """Removes an entry and its assignments."""
        own = only_own(caller)

        async def work(tx: Tx) -> None:
            if await self._requests.claim(tx, request, {}, self._clock.now()) is not None:
                return
            await self._entry(tx, caller, own, party, id)
            await self._books.remove(tx, party, id)

        await self._transactions.retrying(work)

    async def _entry(self, tx: Tx, caller: Principal, own: bool, party: str, id: str) -> Entry:
        await self._open_to(tx, caller, own)
        entry = await self._books.get(tx, party, id)
        if entry is None or (own and entry.user_id != caller.user_id):
            raise missing("address", id)
        return entry

    async def _open_to(self, tx: Tx, caller: Principal, own: bool) -> None:
        """Users of a restricted buyer have no own addresses."""
        if own and await self._books.restricted(tx, caller):
            caller.require(roles.ADDRESS_ADMIN)

    async def _check(self, tx: Tx, found: Violations, entries: Collection[Entry]) -> None:
        companies = await self._parties.existing(tx, {entry.party for entry in entries if entry.party})
        people = await self._parties.members(tx, {(e.party, e.user_id) for e in entries if e.user_id})
        for i, entry in enumerate(entries):
            known = entry.party in companies or not entry.party
            found.require(f"entries[{i}].party", known, "PARTY_NOT_FOUND", "the company does not exist")
            member = not entry.user_id or (entry.party, entry.user_id) in people
            found.require(f"entries[{i}].user_id", member, "USER_NOT_FOUND", "there is no such user in the company")
