"""AdjustStock, CheckAvailability, ListStockMovements and ListStockAlerts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from libs.auth import PartyKind, Principal
from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from libs.query.request import Page, PageRequest
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.customers import Customers, Groups
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.stock.inventory_records import in_order
from services.fulfillment.domain.sourcing.candidates import may_use
from services.fulfillment.domain.sourcing.model import Customer, Sku, Stock
from services.fulfillment.domain.stock.availability import Asked, Availability, for_buyers, whole
from services.fulfillment.domain.stock.inventory import Adjustment, InventoryRecord, LedgerEntry
from services.fulfillment.domain.stock.ledger import Cause, Movement, summed_by_record
from services.fulfillment.domain.stock.thresholds import StockAlert
from services.fulfillment.domain.visibility import NOTHING, STOCK_READERS, may_act_for, stock
from waybill.fulfillment.v1 import reasons


class Shop(Protocol):
    """The catalog, which knows who is shown what."""

    async def shown(self, product_ids: Collection[str], buyer_id: str, user_id: str) -> Collection[str]:
        """Those of the products that the buyer's user is shown; raises when the catalog does not answer."""
        ...


class StockBook:
    """The use cases."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], shop: Shop, customers: Customers, clock: Clock) -> None:
        self._units = units
        self._customers = customers
        self._shop = shop
        self._clock = clock

    async def adjust(
        self, caller: Principal, adjustments: Sequence[Adjustment], request: RequestKey | None
    ) -> list[InventoryRecord]:
        """Books all or none. A count below what is promised opens a shortage; one below zero is refused."""
        ids = [a.record_id for a in adjustments]

        async def decide(work: FulfillmentWork) -> list[InventoryRecord]:
            now = self._clock.now()
            # Whose request moved which records stays known, so that movements can be held against it.
            replayed = await work.requests.claim(request, now, list(dict.fromkeys(ids)))
            known = await work.stock.records(ids, lock=True)
            mine = {id: r for id, r in known.items() if may_act_for(caller, r.supplier_id)}
            if replayed is None:
                movements = _movements(adjustments, mine, caller)
                await work.stock.book(movements, summed_by_record(movements), now)
                mine = await work.stock.records(ids)
            return in_order(mine, ids)

        return await self._units.retrying(decide)

    async def availability(
        self, caller: Principal, asked: Sequence[Asked], customer: Customer | None
    ) -> dict[Asked, Availability]:
        """Whoever reads all stock sees all records, a supplier that reads stock its own; everybody else sees sums, a
        supplier of its own. To a user of a buyer, a product that no catalog shows has no stock, like one that does not exist.
        With a customer it is what that one may be sold, in sums.
        """
        products: Collection[str] = {each.product_id for each in asked}
        if caller.party_kind is PartyKind.BUYER and caller.service is None:
            products = await self._shop.shown(products, caller.party_id, caller.user_id)
        shown = [each for each in asked if each.product_id in products]
        async with self._units.reading() as work:
            stocks = await _stock_of(work, shown)
        own = stock(caller) if customer is None and caller.has(*STOCK_READERS) else NOTHING
        if customer is not None:
            stocks = await self._for(customer, stocks)
        found: dict[Asked, list[Stock]] = {each: [] for each in asked}
        for each, s in stocks:
            if own.of_supplier(s.supplier_id) or (own.nothing and _in_sums(caller, s.supplier_id)):
                found[each].append(s)
        return {each: (for_buyers if own.nothing else whole)(mine) for each, mine in found.items()}

    async def _for(self, customer: Customer, stocks: list[tuple[Asked, Stock]]) -> list[tuple[Asked, Stock]]:
        """What of it the customer may be sold."""

        async def decide(groups: Groups) -> list[tuple[Asked, Stock]]:
            known = replace(customer, groups=groups)
            return [(each, s) for each, s in stocks if may_use(known, s)]

        return await self._customers.deciding(customer.groups, decide)

    async def movements(self, caller: Principal, page: PageRequest) -> Page[LedgerEntry]:
        """The ledger of records that the caller may see."""
        async with self._units.reading(snapshot=page.include_total) as work:
            return await work.lists.movements(stock(caller), page)

    async def alerts(self, caller: Principal, page: PageRequest) -> Page[StockAlert]:
        """Thresholds that were crossed, of records that the caller may see."""
        async with self._units.reading(snapshot=page.include_total) as work:
            return await work.lists.alerts(stock(caller), page)


async def _stock_of(work: FulfillmentWork, asked: Iterable[Asked]) -> list[tuple[Asked, Stock]]:
    """With what each is asked for by: at most one statement for the products and one for the variants."""
    products = {each.product_id for each in asked if each.variant_id is None}
    skus = {Sku(each.product_id, each.variant_id) for each in asked if each.variant_id is not None}
    whole = await work.stock.of_products(products) if products else []
    alone = await work.stock.of_skus(skus) if skus else []
    return [*((Asked(s.product_id), s) for s in whole), *((Asked(*s.sku), s) for s in alone)]


def _in_sums(caller: Principal, supplier_id: str) -> bool:
    """Whether somebody without a role over stock sees a supplier's in sums: what rivals have is no supplier's to know."""
    return caller.party_kind is not PartyKind.SUPPLIER or supplier_id == caller.party_id


def _movements(adjustments: Sequence[Adjustment], known: dict[str, InventoryRecord], caller: Principal) -> list[Movement]:
    found = Violations()
    movements = []
    for n, a in enumerate(adjustments):
        record = known.get(a.record_id)
        if record is None:
            found.add(
                f"adjustments[{n}].inventory_record_id",
                reasons.INVENTORY_RECORD_NOT_FOUND,
                f"there is no inventory record {a.record_id!r}",
            )
            continue
        change = a.change_from(record.on_hand)
        if change < 0 and record.on_hand + change < 0:
            found.add(
                f"adjustments[{n}].change",
                reasons.VALUE_OUT_OF_RANGE,
                f"there are {record.on_hand} units: fewer than none cannot be",
            )
        movements.append(Movement(record.key, a.kind, on_hand=change, cause=Cause(user_id=caller.user_id), note=a.note))
    found.raise_if_any()
    return movements
