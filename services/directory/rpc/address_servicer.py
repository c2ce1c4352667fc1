"""AddressService."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from libs import idempotency, protoconv
from libs.auth import PartyKind, Principal, roles
from libs.clock import Clock
from libs.db import Database, Tx, is_unique_violation
from libs.errors import Violations, exists, missing
from libs.ids import IdSource
from libs.rpc import current
from services.directory.adapters.db.tables import (
    ADDRESS_ASSIGNMENTS,
    ADDRESSES,
    BUYERS,
    REQUESTS,
    USERS,
    party_message,
    party_text,
)
from services.directory.domain.access import require_party
from waybill.directory.v1 import address_service_pb2 as pb
from waybill.directory.v1 import address_service_pb2_grpc as pb_grpc
from waybill.type.v1.address_pb2 import Address

BATCH = 1_000


def _book(found: Violations, where: str, caller: Principal, party: Any) -> str:
    """Whose book: the caller's own unless given."""
    stored = party_text(party) if party.id else f"{caller.party_kind.value}:{caller.party_id}"
    found.require(f"{where}.party.kind", bool(stored), "FIELD_REQUIRED", "is required")
    if stored:
        require_party(caller, *stored.split(":", 1))
    return stored


class AddressServicer(pb_grpc.AddressServiceServicer):
    """Address books."""

    def __init__(self, database: Database, clock: Clock, ids: IdSource) -> None:
        self._db = database
        self._clock = clock
        self._ids = ids

    async def CreateAddresses(
        self, request: pb.CreateAddressesRequest, context: Any
    ) -> pb.CreateAddressesResponse:
        caller = current().principal
        own = not caller.has(roles.ADDRESS_ADMIN)
        if own:
            if not (caller.has(roles.ME_ADDRESS_ADMIN) and caller.party_kind is PartyKind.BUYER):
                caller.require(roles.ADDRESS_ADMIN)
            await self._unrestricted(caller)
        found = Violations()
        found.require("entries", 0 < len(request.entries) <= BATCH, "TOO_MANY_ITEMS", f"1 to {BATCH:,}")
        now = self._clock.now()
        rows: list[dict[str, Any]] = []
        for i, entry in enumerate(request.entries[:BATCH]):
            address = protoconv.address_in(found, f"entries[{i}].address", entry.address)
            address["id"] = address.get("id") or self._ids.public("adr")
            rows.append({
                "party": _book(found, f"entries[{i}]", caller, entry.party), "id": address["id"],
                "user_id": caller.user_id if own else entry.user_id, "address": address, "create_time": now,
            })  # fmt: skip
        found.raise_if_any()
        key = idempotency.key_of(caller, current().method, request)

        async def work(tx: Tx) -> list[dict[str, Any]]:
            outcome = {"ids": [[row["party"], row["id"]] for row in rows]}
            recorded = await idempotency.claim(tx, REQUESTS, key, outcome, now)
            if recorded is not None:
                return await self._read(tx, recorded["ids"])
            await tx.execute(tx.insert(ADDRESSES), rows)
            mine = [_assignment(row) for row in rows if row["user_id"]]
            if mine:
                await tx.execute(tx.insert(ADDRESS_ASSIGNMENTS), mine)
            return rows

        try:
            stored = await self._db.retrying(work)
        except IntegrityError as error:
            if is_unique_violation(error):
                raise exists("address", rows[0]["id"]) from None
            raise
        return pb.CreateAddressesResponse(entries=[_entry(row) for row in stored])

    async def _unrestricted(self, caller: Principal) -> None:
        """Users of a restricted buyer have no own addresses."""
        async with self._db.reading() as tx:
            restricted = (
                await tx.execute(sa.select(BUYERS.c.restrict_addresses).where(BUYERS.c.id == caller.party_id))
            ).scalar()
        if restricted:
            caller.require(roles.ADDRESS_ADMIN)

    async def _read(self, tx: Tx, keys: list[list[str]]) -> list[dict[str, Any]]:
        ids = [id for _, id in keys]
        rows = (await tx.execute(sa.select(ADDRESSES).where(ADDRESSES.c.id.in_(ids)))).mappings().all()
        by_key = {(row["party"], row["id"]): dict(row) for row in rows}
        return [by_key[(party, id)] for party, id in keys if (party, id) in by_key]

    async def BatchGetAddresses(
        self, request: pb.BatchGetAddressesRequest, context: Any
    ) -> pb.BatchGetAddressesResponse:
        found = Violations()
        book = _book(found, "request", current().principal, request.party)
        found.require("address_ids", len(request.address_ids) <= BATCH, "TOO_MANY_ITEMS", f"at most {BATCH:,}")
        found.raise_if_any()
        a = ADDRESSES.c
        statement = sa.select(ADDRESSES).where(a.party == book).order_by(a.id).limit(BATCH)
        if request.address_ids:
            statement = statement.where(a.id.in_(list(request.address_ids)))
        async with self._db.reading() as tx:
            rows = (await tx.execute(statement)).mappings().all()
        got = {row["id"] for row in rows}
        return pb.BatchGetAddressesResponse(
            entries=[_entry(dict(row)) for row in rows],
            missing_address_ids=[id for id in dict.fromkeys(request.address_ids) if id not in got],
        )

    async def DeleteAddress(self, request: pb.DeleteAddressRequest, context: Any) -> pb.DeleteAddressResponse:
        caller = current().principal
        caller.require(roles.ADDRESS_ADMIN)
        found = Violations()
        book = _book(found, "request", caller, request.party)
        found.raise_if_any()
        key = idempotency.key_of(caller, current().method, request)
        a = ADDRESSES.c

        async def work(tx: Tx) -> None:
            if await idempotency.claim(tx, REQUESTS, key, {}, self._clock.now()) is not None:
                return
            gone = await tx.execute(sa.delete(ADDRESSES).where(a.party == book, a.id == request.address_id))
            if gone.rowcount == 0:
                raise missing("address", request.address_id)

        await self._db.retrying(work)
        return pb.DeleteAddressResponse()

    async def AssignAddresses(
        self, request: pb.AssignAddressesRequest, context: Any
    ) -> pb.AssignAddressesResponse:
        caller = current().principal
        caller.require(roles.ADDRESS_ADMIN)
        found = Violations()
        found.require("assignments", 0 < len(request.assignments) <= BATCH, "TOO_MANY_ITEMS", f"1 to {BATCH:,}")
        rows: list[dict[str, Any]] = []
        for i, item in enumerate(request.assignments[:BATCH]):
            found.check_id(f"assignments[{i}].address_id", item.address_id)
            rows.append({
                "party": _book(found, f"assignments[{i}]", caller, item.party), "address_id": item.address_id,
                "user_id": item.user_id, "shipping": item.shipping, "billing": item.billing,
            })  # fmt: skip
        found.raise_if_any()
        key = idempotency.key_of(caller, current().method, request)

        async def work(tx: Tx) -> None:
            if await idempotency.claim(tx, REQUESTS, key, {}, self._clock.now()) is not None:
                return
            await self._check(tx, found, rows)
            found.raise_if_any()
            insert = tx.insert(ADDRESS_ASSIGNMENTS)
            kept = {"shipping": insert.excluded.shipping, "billing": insert.excluded.billing}
            await tx.execute(
                insert.on_conflict_do_update(index_elements=["party", "address_id", "user_id"], set_=kept), rows
            )

        await self._db.retrying(work)
        return pb.AssignAddressesResponse()

    async def _check(self, tx: Tx, found: Violations, rows: list[dict[str, Any]]) -> None:
        ids = sorted({row["address_id"] for row in rows})
        users = sorted({row["user_id"] for row in rows} - {""})
        a, u = ADDRESSES.c, USERS.c
        known = {(r.party, r.id) for r in await tx.execute(sa.select(a.party, a.id).where(a.id.in_(ids)))}
        people = {(r.party, r.id) for r in await tx.execute(sa.select(u.party, u.id).where(u.id.in_(users)))}
        for i, row in enumerate(rows):
            found.require(
                f"assignments[{i}].address_id", (row["party"], row["address_id"]) in known, "ADDRESS_NOT_FOUND",
                "there is no such address in the book",
            )  # fmt: skip
            found.require(
                f"assignments[{i}].user_id", not row["user_id"] or (row["party"], row["user_id"]) in people,
                "USER_NOT_FOUND", "there is no such user in the company",
            )  # fmt: skip


def _assignment(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "party": row["party"], "address_id": row["id"], "user_id": row["user_id"], "shipping": False,
        "billing": False,
    }  # fmt: skip


def _entry(row: dict[str, Any]) -> pb.AddressEntry:
    return pb.AddressEntry(
        party=party_message(row["party"]), address=Address(**row["address"]), user_id=row["user_id"]
    )
