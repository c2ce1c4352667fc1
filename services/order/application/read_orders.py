"""GetOrder, ListOrders, ListLineItems, GetOrderTree, ListOrderHistory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from libs.auth import PartyKind, Principal
from libs.errors import missing
from services.order.application.access import readable
from services.order.application.ports import OrderStore, ReportStore, SupplierOrderView, Transactions
from services.order.domain.model import Event, Line, Order
from services.order.domain.visibility import Direction, scope

POLL = 0.05


@dataclass(frozen=True, slots=True)
class Query:
    """What a list is asked for."""

    filter: str
    order_by: str
    page_size: int
    page_token: str
    bound: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tree:
    """A buyer order with everything below it."""

    order: Order
    lines: tuple[Line, ...]
    supplier_orders: tuple[SupplierOrderView, ...]
    shipments: tuple[bytes, ...]


class ReadOrders:
    """Reads what the caller may see."""

    def __init__(self, database: Transactions, orders: OrderStore, reports: ReportStore) -> None:
        self._db = database
        self._orders = orders
        self._reports = reports

    async def get(
        self, caller: Principal, order_id: str, direction: Direction, with_lines: bool, min_version: int, wait: float
    ) -> tuple[Order | SupplierOrderView, tuple[Line, ...]]:
        """One order of the direction; `min_version` waits at most `wait` seconds for a report."""
        until = time.monotonic() + wait
        while True:
            async with self._db.reading() as tx:
                found = await self._find(tx, caller, order_id, direction)
                lines: tuple[Line, ...] = ()
                if with_lines and isinstance(found, Order):
                    lines = await self._orders.lines(tx, found.key)
            known = found.source_version if isinstance(found, SupplierOrderView) else min_version
            if known >= min_version or time.monotonic() >= until:
                return found, lines
            await asyncio.sleep(POLL)

    async def _find(
        self, tx: object, caller: Principal, order_id: str, direction: Direction
    ) -> Order | SupplierOrderView:
        seen = scope(caller, direction)
        order = await self._orders.find(tx, order_id, seen) if seen.buyer_orders else None
        if order is not None:
            return order
        supplier = await self._orders.find_supplier_order(tx, order_id, seen) if seen.supplier_orders else None
        if supplier is None:
            raise missing("order", order_id)
        return supplier

    async def page(
        self, caller: Principal, direction: Direction, query: Query
    ) -> tuple[list[Order | SupplierOrderView], str]:
        """A page."""
        async with self._db.reading() as tx:
            return await self._orders.list_orders(tx, scope(caller, direction), direction, query)

    async def history(
        self, caller: Principal, order_id: str, direction: Direction, page_size: int, page_token: str
    ) -> tuple[str, list[Event], str]:
        """A page of what happened to an order: its id, the events, the next token."""
        async with self._db.reading() as tx:
            found = await self._find(tx, caller, order_id, direction)
            events, token = await self._orders.history(tx, found.key, page_size, page_token)
        return found.id, events, token

    async def tree(self, caller: Principal, order_id: str) -> Tree:
        """Buyers see lines and shipments; the seller also supplier orders."""
        async with self._db.reading() as tx:
            order = await readable(self._orders, tx, caller, order_id)
            lines = await self._orders.lines(tx, order.key)
            suppliers = await self._reports.supplier_orders(tx, [order.key])
            shipments = await self._reports.shipments(tx, [order.key])
        seller = caller.party_kind is PartyKind.SELLER
        return Tree(
            order, lines, tuple(s for s in suppliers if not s.moved) if seller else (),
            tuple(document for *_, document in shipments),
        )

    async def allocations(
        self, caller: Principal, order: Order
    ) -> dict[str, list[tuple[SupplierOrderView, int, int, int]]]:
        """Supplier orders by line, for the seller: (supplier order, quantity, shipped, canceled)."""
        if caller.party_kind is not PartyKind.SELLER or not order.is_submitted:
            return {}
        found: dict[str, list[tuple[SupplierOrderView, int, int, int]]] = {}
        async with self._db.reading() as tx:
            for view in await self._reports.supplier_orders(tx, [order.key]):
                for c in self._reports.counts(view):
                    if c.quantity:
                        found.setdefault(c.line_item_id, []).append((view, c.quantity, c.shipped, c.canceled))
        return found
