"""GetOrder, ListOrders, CountOrders, ListLineItems, ListLineItemsAcrossOrders, SumLineItems, GetOrderTree, ListOrderHistory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from libs.auth import PartyKind, Principal
from libs.clock import Clock
from libs.errors import Kind, WaybillError, missing
from libs.query.request import Page, PageRequest
from libs.relay.awaited import SharedLooks
from services.order.application.access import readable
from services.order.application.ports import OrderWork, Units
from services.order.application.records import LineSum, OrderLine, SupplierOrderView
from services.order.domain.model import Event, Line, Order
from services.order.domain.reading.visibility import Direction, event_shown, scope
from services.order.domain.status import OrderStatus
from waybill.order.v1 import reasons

Allocations = Mapping[str, Sequence[tuple[SupplierOrderView, int, int, int]]]
"""Supplier orders by line, for the seller: (supplier order, quantity, shipped, canceled)."""


@dataclass(frozen=True, slots=True)
class Found:
    """An order of either kind; of a buyer order, if asked for, its lines."""

    order: Order | SupplierOrderView
    lines: tuple[Line, ...] = ()
    allocations: Allocations = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tree:
    """A buyer order with everything below it."""

    order: Order
    lines: tuple[Line, ...]
    allocations: Allocations
    supplier_orders: tuple[SupplierOrderView, ...]
    shipments: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is of an id, whoever may see it."""

    bought: bool = False
    """Whether a buyer order has it."""
    version: int = -1
    """At which its supplier order has been reported; below 0 where none has."""


Versions = SharedLooks[Standing]
"""What reads wait for: one look serves all that wait."""


class ReadOrders:
    """Reads what the caller may see."""

    def __init__(self, units: Units, clock: Clock, versions: Versions) -> None:
        self._units = units
        self._clock = clock
        self._versions = versions

    async def get(
        self, caller: Principal, order_id: str, direction: Direction, with_lines: bool, min_version: int, wait: float
    ) -> Found:
        """One order of the direction, with what belongs to it as of the same moment.

        With `min_version` a supplier order is waited for, `wait` seconds at most, until it is reported at that version.
        Raises `VERSION_NOT_REPORTED` when it is not, `RESOURCE_NOT_FOUND`.
        """
        until = self._clock.now() + timedelta(seconds=wait)
        found = await self._look(caller, order_id, direction, with_lines)
        if found is None and min_version <= 0:
            raise missing("order", order_id)
        if found is not None and _reported(found, min_version):
            return found
        with self._versions.awaiting(order_id, lambda standing: standing.bought or standing.version >= min_version) as awaited:
            while (left := (until - self._clock.now()).total_seconds()) > 0:
                if not await awaited.within(left):
                    break
                found = await self._look(caller, order_id, direction, with_lines)
                if found is not None and _reported(found, min_version):
                    return found
        raise _not_reported(order_id, min_version)

    async def _look(self, caller: Principal, order_id: str, direction: Direction, with_lines: bool) -> Found | None:
        async with self._units.reading(snapshot=with_lines) as work:
            order = await self._seek(work, caller, order_id, direction)
            if order is None or not with_lines or not isinstance(order, Order):
                return None if order is None else Found(order)
            lines = await work.orders.lines(order.key)
            children: Sequence[SupplierOrderView] = ()
            if _shows_allocations(caller, order):
                children = await work.reports.supplier_orders([order.key])
            return Found(order, lines, _allocations(work, children))

    async def _find(self, work: OrderWork, caller: Principal, order_id: str, direction: Direction) -> Order | SupplierOrderView:
        found = await self._seek(work, caller, order_id, direction)
        if found is None:
            raise missing("order", order_id)
        return found

    async def _seek(
        self, work: OrderWork, caller: Principal, order_id: str, direction: Direction
    ) -> Order | SupplierOrderView | None:
        seen = scope(caller, direction)
        order = await work.orders.find(order_id, seen) if seen.buyer_orders else None
        if order is not None:
            return order
        return await work.orders.find_supplier_order(order_id, seen) if seen.supplier_orders else None

    async def page(
        self, caller: Principal, direction: Direction, query: PageRequest, bound: Mapping[str, str]
    ) -> Page[Order | SupplierOrderView]:
        """A page."""
        async with self._units.reading(snapshot=query.include_total) as work:
            return await work.orders.list_orders(scope(caller, direction), direction, query, bound)

    async def line_page(
        self, caller: Principal, order_id: str, direction: Direction, query: PageRequest
    ) -> tuple[Order | SupplierOrderView, Page[Line], Allocations]:
        """An order with a page of its lines. Those of a supplier order are in its report, and the page is empty."""
        async with self._units.reading(snapshot=True) as work:
            order = await self._find(work, caller, order_id, direction)
            if not isinstance(order, Order):
                return order, Page((), ""), {}
            page = await work.line_lists.of_order(order.key, query)
            children: Sequence[SupplierOrderView] = ()
            if _shows_allocations(caller, order):
                children = await work.reports.supplier_orders([order.key])
            return order, page, _allocations(work, children)

    async def lines_across(
        self, caller: Principal, direction: Direction, query: PageRequest, bound: Mapping[str, str]
    ) -> Page[OrderLine]:
        """A page of the lines of all orders that the caller sees."""
        async with self._units.reading(snapshot=query.include_total) as work:
            return await work.line_lists.across(scope(caller, direction), direction, query, bound)

    async def line_sums(
        self, caller: Principal, direction: Direction, query: PageRequest, bound: Mapping[str, str]
    ) -> Page[LineSum]:
        """A page of what those lines come to."""
        async with self._units.reading() as work:
            return await work.line_lists.sums(scope(caller, direction), direction, query, bound)

    async def counts(self, caller: Principal, direction: Direction, filter: str) -> dict[OrderStatus, int]:
        """How many orders the caller sees, for every status."""
        async with self._units.reading() as work:
            found = await work.orders.count_orders(scope(caller, direction), filter)
        return {status: found.get(status.value, 0) for status in OrderStatus}

    async def history(
        self, caller: Principal, order_id: str, direction: Direction, query: PageRequest
    ) -> tuple[str, Page[Event]]:
        """An order's id, and a page of what happened to it."""
        async with self._units.reading(snapshot=query.include_total) as work:
            found = await self._find(work, caller, order_id, direction)
            page = await work.orders.history(found.key, query)
        return found.id, replace(page, items=[event_shown(event, caller) for event in page.items])

    async def tree(self, caller: Principal, order_id: str) -> Tree:
        """Buyers see lines and shipments; the seller also supplier orders. All as of one moment."""
        async with self._units.reading(snapshot=True) as work:
            order = await readable(work.orders, caller, order_id)
            lines = await work.orders.lines(order.key)
            suppliers = await work.reports.supplier_orders([order.key])
            shipments = await work.reports.shipments([order.key])
            seller = caller.party_kind is PartyKind.SELLER
            return Tree(
                order,
                lines,
                _allocations(work, suppliers if _shows_allocations(caller, order) else ()),
                tuple(s for s in suppliers if not s.moved) if seller else (),
                tuple(document for *_, document in shipments),
            )


def _reported(found: Found, version: int) -> bool:
    """Whether it is what the caller waits for; a buyer order is never waited for."""
    return isinstance(found.order, Order) or found.order.source_version >= version


def _allocations(work: OrderWork, children: Sequence[SupplierOrderView]) -> Allocations:
    found: dict[str, list[tuple[SupplierOrderView, int, int, int]]] = {}
    for view in children:
        for c in work.reports.counts(view):
            if c.quantity:
                found.setdefault(c.line_item_id, []).append((view, c.quantity, c.shipped, c.canceled))
    return found


def _shows_allocations(caller: Principal, order: Order) -> bool:
    return caller.party_kind is PartyKind.SELLER and order.is_submitted


def _not_reported(order_id: str, version: int) -> WaybillError:
    return WaybillError(
        Kind.STALE,
        reasons.VERSION_NOT_REPORTED,
        f"order {order_id} is not known at version {version} yet",
        metadata={"order": order_id, "version": str(version)},
        retry_after=timedelta(seconds=1),
    )
