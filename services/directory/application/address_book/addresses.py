"""CreateAddresses, UpdateAddress, DeleteAddress: an address book and who may write in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from libs.auth import PartyKind, Principal
from libs.clock import Clock
from libs.errors import Violations, exists, missing, stale, was_deleted
from libs.idempotency.key import RequestKey
from libs.json_value import JsonObject
from libs.protoconv import merge_xp, xp_size_ok
from services import roles
from services.directory.application.ports import DirectoryWork, Units
from services.directory.domain.access import written_books
from services.directory.domain.address_book.addresses import Assignment, Entry, Fields
from waybill.directory.v1 import reasons


@dataclass(frozen=True, slots=True)
class Change:
    """An update of one entry. What is None stays."""

    party: str
    id: str
    etag: str
    address: Fields | None
    xp: JsonObject | None


def only_own(caller: Principal, parties: Collection[str]) -> bool:
    """Whether the caller writes own addresses only. Raises ROLE_MISSING when it may write none, and NOT_FOUND for books of
    companies (`BUYER:acme`) that its role is not for."""
    if caller.has(roles.ADDRESS_ADMIN):
        return False
    if kinds := written_books(caller):
        for kind, _, id in (party.partition(":") for party in parties if party):
            if kind not in kinds:
                raise missing(kind.lower(), id)
        return False
    if caller.party_kind is not PartyKind.BUYER or not caller.has(roles.ME_ADDRESS_ADMIN):
        caller.require(roles.ADDRESS_ADMIN)
    return True


class Addresses:
    """Writes address books."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def create(
        self, caller: Principal, found: Violations, entries: Sequence[Entry], request: RequestKey | None
    ) -> list[Entry]:
        """Adds all or none. `found` is what is wrong so far."""
        own = only_own(caller, {entry.party for entry in entries})
        if own:
            entries = [replace(entry, user_id=caller.user_id) for entry in entries]
        now = self._clock.now()
        entries = [replace(entry, create_time=now, update_time=now) for entry in entries]
        keys = [(entry.party, entry.id) for entry in entries]
        for i, key in enumerate(keys):
            found.require(f"entries[{i}].address.id", key not in keys[:i], reasons.DUPLICATE_ITEM, f"{key[1]!r} stands twice")

        async def do(work: DirectoryWork) -> list[Entry]:
            # What is refused records nothing; the database is not asked to keep what it cannot.
            recorded = await work.requests.claim(request, {"keys": [] if found else keys}, now)
            if recorded is not None:
                return await work.books.read([(party, id) for party, id in recorded["keys"]])
            await self._open_to(work, caller, own)
            await self._check(work, found, entries)
            found.raise_if_any()
            taken = await work.books.taken(keys)
            if taken:
                raise exists("address", min(taken)[1])
            if gone := await work.books.gone(keys):
                raise was_deleted("address", min(gone)[1])
            await work.books.add(entries)
            mine = [(e.party, Assignment(e.id, e.user_id, False, False)) for e in entries if e.user_id]
            await work.books.assign(mine, now)
            return list(entries)

        return await self._units.retrying(do)

    async def update(self, caller: Principal, change: Change, request: RequestKey | None) -> Entry:
        """Replaces the address, merges xp."""
        own = only_own(caller, {change.party})
        now = self._clock.now()

        async def do(work: DirectoryWork) -> Entry:
            recorded = await work.requests.claim(request, {}, now)
            entry = await self._entry(work, caller, own, change.party, change.id)
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
            await work.books.replace(changed)
            return changed

        return await self._units.retrying(do)

    async def delete(self, caller: Principal, party: str, id: str, etag: str, request: RequestKey | None) -> None:
        """Removes an entry and its assignments. A stale etag is ABORTED."""
        own = only_own(caller, {party})

        async def do(work: DirectoryWork) -> None:
            now = self._clock.now()
            if await work.requests.claim(request, {}, now) is not None:
                return
            entry = await self._entry(work, caller, own, party, id)
            if etag and etag != str(entry.version):
                raise stale("address", id, str(entry.version))
            await work.books.remove(party, id, now)

        await self._units.retrying(do)

    async def _entry(self, work: DirectoryWork, caller: Principal, own: bool, party: str, id: str) -> Entry:
        await self._open_to(work, caller, own)
        entry = await work.books.get(party, id)
        if entry is None or (own and entry.user_id != caller.user_id):
            raise missing("address", id)
        return entry

    async def _open_to(self, work: DirectoryWork, caller: Principal, own: bool) -> None:
        """Users of a restricted buyer have no own addresses."""
        if own and await work.books.restricted(caller):
            caller.require(roles.ADDRESS_ADMIN)

    async def _check(self, work: DirectoryWork, found: Violations, entries: Collection[Entry]) -> None:
        companies = await work.parties.existing({entry.party for entry in entries if entry.party})
        people = await work.parties.members({(e.party, e.user_id) for e in entries if e.user_id})
        for i, entry in enumerate(entries):
            known = entry.party in companies or not entry.party
            found.require(f"entries[{i}].party", known, reasons.PARTY_NOT_FOUND, "the company does not exist")
            member = not entry.user_id or (entry.party, entry.user_id) in people
            found.require(f"entries[{i}].user_id", member, reasons.USER_NOT_FOUND, "there is no such user in the company")
