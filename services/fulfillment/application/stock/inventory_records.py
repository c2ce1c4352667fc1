"""Create, get, list, update and delete inventory records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import FieldViolation, Kind, Violations, WaybillError, in_use, missing, precondition, stale, was_deleted
from libs.idempotency.key import RequestKey
from libs.ids import IdSource
from libs.json_value import JsonObject
from libs.query.request import Page, PageRequest
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import AddressPeer, FulfillmentWork, ProductPeer
from services.fulfillment.domain.sourcing.backorder import covers, lowered
from services.fulfillment.domain.sourcing.model import Address
from services.fulfillment.domain.stock.inventory import InventoryRecord
from services.fulfillment.domain.stock.ledger import Cause, Movement, MovementKind, summed_by_record
from services.fulfillment.domain.stock.thresholds import is_low
from services.fulfillment.domain.visibility import may_act_for, stock
from waybill.fulfillment.v1 import reasons

RESOURCE = "inventory record"


@dataclass(frozen=True, slots=True)
class RecordDraft:
    """A record as a caller wants it; `field` is where it stands in the request. An empty id is generated."""

    field: str
    id: str
    product_id: str
    supplier_id: str
    location_id: str
    address: Address | None
    can_exceed: bool
    priority: int
    active: bool
    pickup: bool
    xp: JsonObject
    opening: int
    variant_id: str = ""
    notify_below: int | None = None
    buyer_ids: tuple[str, ...] = ()
    user_group_ids: tuple[str, ...] = ()
    backorder_limit: int | None = None
    expected_time: datetime | None = None


RecordEdit = Callable[[InventoryRecord], InventoryRecord]
"""Puts the caller's values into a record; raises when its xp becomes too large."""
Body = Callable[[InventoryRecord], JsonObject]
"""A record as the feed of changes keeps it."""


class InventoryRecords:
    """The use cases."""

    def __init__(
        self, units: UnitsOfWork[FulfillmentWork], addresses: AddressPeer, products: ProductPeer, clock: Clock, ids: IdSource
    ) -> None:
        self._units = units
        self._addresses = addresses
        self._products = products
        self._clock = clock
        self._ids = ids

    async def create(self, caller: Principal, drafts: Sequence[RecordDraft], request: RequestKey | None) -> list[InventoryRecord]:
        """Creates all or none, each with its opening receipt. Raises with all violations."""
        own = "" if caller.is_seller else caller.party_id
        drafts = [
            replace(
                d,
                supplier_id="" if caller.is_seller and d.supplier_id == caller.party_id else d.supplier_id or own,
                id=d.id or self._ids.public("inv"),
            )
            for d in drafts
        ]
        drafts = await self._located(caller, drafts)
        ids = [d.id for d in drafts]

        async def decide(work: FulfillmentWork) -> list[InventoryRecord]:
            now = self._clock.now()
            replayed = await work.requests.claim(request, now, ids)
            if replayed is None:
                await self._insert(work, drafts, now, caller)
            wanted = ids if replayed is None else replayed
            found = await work.stock.records(wanted)
            return in_order(found, wanted)

        return await self._units.retrying(decide)

    async def _located(self, caller: Principal, drafts: Sequence[RecordDraft]) -> list[RecordDraft]:
        """The drafts with the snapshot of their location, from the directory where the caller gave none. Raises for records
        and products of others, too."""
        found = await self._unfulfilled(caller, drafts)
        for d in drafts:
            _expect(found, f"{d.field}.expected_time", d.expected_time, self._clock.now())
        for d in drafts:
            if not may_act_for(caller, d.supplier_id):
                found.add(f"{d.field}.supplier_id", reasons.FIELD_INVALID, "a supplier has records of its own only")
        # The books of others are none of the caller's business: there nothing is looked for.
        unplaced = [d for d in drafts if d.address is None and may_act_for(caller, d.supplier_id)]
        refs = {(d.supplier_id, d.location_id) for d in unplaced}
        known = await self._addresses.find(refs, caller.party_id) if refs else {}
        for d in unplaced:
            if (d.supplier_id, d.location_id) not in known:
                found.add(
                    f"{d.field}.location_id",
                    reasons.LOCATION_NOT_FOUND,
                    f"there is no address {d.location_id!r} in the book of {d.supplier_id or 'the seller'}",
                )
        found.raise_if_any()
        return [replace(d, address=known[(d.supplier_id, d.location_id)]) if d.address is None else d for d in drafts]

    async def _unfulfilled(self, caller: Principal, drafts: Sequence[RecordDraft]) -> Violations:
        """What a supplier may not fulfill: its units would show among those that others have."""
        found = Violations()
        if not caller.is_seller:
            known = await self._products.fulfilled(caller.party_id, {d.product_id for d in drafts})
            for d in drafts:
                text = f"the supplier may fulfill no product {d.product_id!r}"
                found.require(f"{d.field}.product_id", d.product_id in known, reasons.PRODUCT_NOT_FULFILLED, text)
        return found

    async def _insert(self, work: FulfillmentWork, drafts: Sequence[RecordDraft], now: datetime, caller: Principal) -> None:
        taken = await work.stock.records([d.id for d in drafts])
        _refuse_taken(drafts, set(taken))
        _refuse_deleted(drafts, await work.stock.deleted([d.id for d in drafts]))
        records = [_record(d, self._ids, now) for d in drafts]
        await work.stock.insert(records)
        movements = [
            Movement(r.key, MovementKind.RECEIVE, on_hand=d.opening, cause=Cause(user_id=caller.user_id), note="opening")
            for r, d in zip(records, drafts, strict=True)
            if d.opening
        ]
        await work.stock.book(movements, summed_by_record(movements), now)

    async def get(self, caller: Principal, id: str) -> InventoryRecord:
        """One that the caller may see."""
        async with self._units.reading() as work:
            return await self._visible(work, caller, id)

    async def _visible(self, work: FulfillmentWork, caller: Principal, id: str, lock: bool = False) -> InventoryRecord:
        seen = stock(caller)
        found = (await work.stock.records([id], lock)).get(id)
        if found is None or not seen.of_supplier(found.supplier_id):
            raise missing(RESOURCE, id)
        return found

    async def page(self, caller: Principal, page: PageRequest) -> Page[InventoryRecord]:
        """Those that the caller may see."""
        async with self._units.reading(snapshot=page.include_total) as work:
            return await work.lists.records(stock(caller), page)

    async def update(
        self, caller: Principal, id: str, etag: str, edit: RecordEdit, request: RequestKey | None
    ) -> InventoryRecord:
        """Changes what may be edited. Raises STOCK_SHORTAGE, ETAG_MISMATCH, VALUE_OUT_OF_RANGE for a time that has passed."""

        async def decide(work: FulfillmentWork) -> InventoryRecord:
            now = self._clock.now()
            replayed = await work.requests.claim(request, now)
            known = await self._visible(work, caller, id, lock=True)
            if replayed is not None:
                return known
            if etag and etag != str(known.version):
                raise stale(RESOURCE, id, str(known.version))
            after = replace(edit(known), version=known.version + 1, update_time=now)
            if after.address is not None and after.address is not known.address:
                after = replace(after, address={**after.address, "id": known.location_id})
            if after.expected_time != known.expected_time:
                found = Violations()
                _expect(found, "inventory_record.expected_time", after.expected_time, now)
                found.raise_if_any()
            _keeps_promises(known, after)
            # A threshold that is set crosses nothing: it begins with what is available.
            after = replace(after, low_stock=is_low(known.available, after.notify_below))
            await work.stock.update(after, moved=after.address != known.address)
            return after

        return await self._units.retrying(decide)

    async def delete(self, caller: Principal, id: str, etag: str, body: Body, request: RequestKey | None) -> None:
        """Deletes one with its ledger; what lies there is written off. Raises RESOURCE_IN_USE, ETAG_MISMATCH."""

        async def decide(work: FulfillmentWork) -> None:
            now = self._clock.now()
            if await work.requests.claim(request, now) is not None:
                return
            # Locked: who reserves units of it from now on waits, and finds it gone; who has reserved some already is seen.
            known = await self._visible(work, caller, id, lock=True)
            if etag and etag != str(known.version):
                raise stale(RESOURCE, id, str(known.version))
            if used := await work.stock.uses(known.key):
                raise in_use(RESOURCE, id, used)
            await work.stock.delete(known, body(known), now)

        await self._units.retrying(decide)


def in_order(found: Mapping[str, InventoryRecord], ids: Sequence[str]) -> list[InventoryRecord]:
    """The records of a request. A repeat of one whose record was deleted finds it missing."""
    for id in ids:
        if id not in found:
            raise missing(RESOURCE, id)
    return [found[id] for id in ids]


def _expect(found: Violations, field: str, time: datetime | None, now: datetime) -> None:
    future = time is None or time > now
    found.require(field, future, reasons.VALUE_OUT_OF_RANGE, "must be in the future")


def _keeps_promises(known: InventoryRecord, after: InventoryRecord) -> None:
    """Less excess than before must still allow what is sold; units that have left and were never there are received first."""
    if not lowered(known.excess, after.excess) or (covers(after.excess, known.available) and known.on_hand >= 0):
        return
    raise precondition(
        reasons.STOCK_SHORTAGE,
        f"Inventory record {known.id} is {-known.available} units short: receive them first.",
        inventory_record=known.id,
    )


def _refuse_taken(drafts: Sequence[RecordDraft], taken: set[str]) -> None:
    if not taken:
        return
    again = [d for d in drafts if d.id in taken]
    fields = [
        FieldViolation(f"{d.field}.id", reasons.RESOURCE_EXISTS, f"inventory record {d.id!r} exists already") for d in again
    ]
    raise WaybillError(
        Kind.EXISTS,
        reasons.RESOURCE_EXISTS,
        fields[0].description,
        metadata={"resource": RESOURCE, "id": again[0].id},
        fields=fields,
    )


def _refuse_deleted(drafts: Sequence[RecordDraft], gone: set[str]) -> None:
    again = [d for d in drafts if d.id in gone]
    if not again:
        return
    error = was_deleted(RESOURCE, again[0].id)
    error.fields = tuple(
        FieldViolation(f"{d.field}.id", reasons.ID_OF_DELETED, f"there was an inventory record {d.id!r}") for d in again
    )
    raise error


def _record(d: RecordDraft, ids: IdSource, now: datetime) -> InventoryRecord:
    return InventoryRecord(
        key=ids.key(),
        id=d.id,
        product_id=d.product_id,
        supplier_id=d.supplier_id,
        location_id=d.location_id,
        create_time=now,
        update_time=now,
        address=d.address,
        can_exceed=d.can_exceed,
        priority=d.priority,
        active=d.active,
        pickup=d.pickup,
        xp=d.xp,
        variant_id=d.variant_id,
        notify_below=d.notify_below,
        low_stock=is_low(d.opening, d.notify_below),
        buyer_ids=d.buyer_ids,
        user_group_ids=d.user_group_ids,
        backorder_limit=d.backorder_limit,
        expected_time=d.expected_time,
    )
