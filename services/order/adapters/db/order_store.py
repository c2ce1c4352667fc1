"""Buyer orders, lines, worksheets and history in the database."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

import sqlalchemy as sa

from libs.audit.trail import Act, note
from libs.db import Tx, inserting, is_unique_violation
from libs.errors import stale
from libs.idempotency import outcomes, tombstones
from libs.idempotency.key import RequestKey
from libs.ids import valid_id, valid_numbered_id
from libs.query import Field, Listing
from libs.query.request import Page, PageRequest
from libs.relay import feed
from services.order.adapters.db.checkout.worksheet_rows import worksheet_json, worksheet_of
from services.order.adapters.db.line_rows import line_of, line_row
from services.order.adapters.db.reading.visibility import condition
from services.order.adapters.db.rows import ORDER_COLUMNS, event_of, event_row, order_of, order_row, supplier_view
from services.order.adapters.db.tables import (
    CAPTURES,
    CARTS,
    DELETED,
    DELETED_ORDERS,
    EVENTS,
    INITIAL_SUB_STATUSES,
    LINE_ITEMS,
    ORDERS,
    REQUESTS,
    SUB_STATUSES,
    SUBMISSIONS,
    WORKSHEETS,
)
from services.order.application.ports import OrderIdOfDeleted, OrderIdTaken
from services.order.application.records import Gone, Outcome, SupplierOrderView
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.model import Event, Line, Order
from services.order.domain.reading.visibility import Direction, Scope
from services.order.domain.status import OrderStatus
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrderStatus

SUPPLIER_STATUSES = [name.removeprefix("SUPPLIER_ORDER_STATUS_") for name in SupplierOrderStatus.keys()[1:]]
O = ORDERS.c  # noqa: E741 - the columns, as everywhere in adapters
_AMOUNTS = ("subtotal", "discount", "shipping_cost", "tax", "gratuity", "fee_total")
_FIELDS = {
    "id": Field(O.id),
    "status": Field(O.status, "enum", {s.value: s.value for s in OrderStatus}),
    "sub_status": Field(O.sub_status),
    "sub_status_time": Field(O.sub_status_time, "time"),
    "supplier_status": Field(O.supplier_status, "enum", {name: name for name in SUPPLIER_STATUSES}),
    "is_submitted": Field(O.is_submitted, "bool"),
    "guest": Field(O.guest, "bool"),
    "currency": Field(O.currency),
    "buyer_id": Field(O.buyer_id),
    "supplier_id": Field(O.supplier_id),
    "user_id": Field(O.user_id),
    "client_id": Field(O.client_id),
    "parent_order_id": Field(O.parent_id),
    "held": Field(O.held, "bool"),
    "line_item_count": Field(O.line_item_count, "int"),
    **{name: Field(O[name], "micros") for name in (*_AMOUNTS, "total", "canceled_total")},
    "cost": Field(O.cost, "micros"),
    "comments": Field(O.comments),
    **{
        name: Field(O[name], "time")
        for name in ("create_time", "update_time", "submit_time", "forward_time", "complete_time", "cancel_time")
    },
}
LISTING = Listing(_FIELDS, O.key, xp=O.xp)
_SOLD = {name: Field(sa.case((O.cost.is_(None), O[name])), "micros") for name in (*_AMOUNTS, "total", "canceled_total")}
_OF_SUPPLIERS = Listing({n: f for n, f in {**_FIELDS, **_SOLD}.items() if n not in ("user_id", "client_id")}, O.key, xp=O.xp)
"""What a supplier is not shown it does not find by a filter or an order either: of what has a cost it sees no other amount."""
FIXED = ("key", "kind", "id", "create_time", "created_by", "currency")
"""What never changes of a buyer order."""
_GET = sa.select(ORDERS, INITIAL_SUB_STATUSES).where(O.key == sa.bindparam("key"), O.kind == "BUYER")
_LOCK = _GET.with_for_update()
_LINES = sa.select(LINE_ITEMS).where(LINE_ITEMS.c.order_key == sa.bindparam("key")).order_by(LINE_ITEMS.c.position)
ORDER_UPDATE = (
    sa.update(ORDERS)
    .where(O.key == sa.bindparam("b_key"))
    .values({name: sa.bindparam(f"b_{name}", type_=O[name].type) for name in ORDER_COLUMNS if name not in FIXED})
)
_SAVE = ORDER_UPDATE.where(O.version == sa.bindparam("known_version", type_=sa.BigInteger))
HISTORY = Listing({"sequence": Field(EVENTS.c.sequence, "int")}, EVENTS.c.id, default_order="sequence")


@cache
def _keeping_worksheets(dialect: str) -> Any:
    insert = inserting(dialect, WORKSHEETS)
    return insert.on_conflict_do_update(index_elements=["order_key"], set_={"body": insert.excluded.body})


class SqlOrderStore:
    """An aggregate loads in two statements; the worksheet is a third."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def find(self, order_id: str, scope: Scope, *, lock: bool = False) -> Order | None:
        """A buyer order that the scope lets see."""
        if not valid_id(order_id):
            return None
        statement = sa.select(ORDERS, INITIAL_SUB_STATUSES).where(O.kind == "BUYER", O.id == order_id, condition(scope))
        return await self._one(statement, lock)

    async def by_key(self, key: uuid.UUID, *, lock: bool = False) -> Order | None:
        """A buyer order by its internal key."""
        row = (await self._tx.execute(_LOCK if lock else _GET, {"key": key})).mappings().first()
        return None if row is None else order_of(row)

    async def running(self, keys: Sequence[uuid.UUID], *, captured: bool = False) -> set[uuid.UUID]:
        """Which of these buyer orders have not ended, or are still to be captured."""
        goes_on: sa.ColumnElement[bool] = O.status.not_in(("COMPLETED", "CANCELED"))
        if captured:
            goes_on |= sa.exists().where(CAPTURES.c.order_key == O.key, CAPTURES.c.next_action_time.is_not(None))
        its = (O.kind == "BUYER", O.key.in_(list(keys)), goes_on)
        return set((await self._tx.execute(sa.select(O.key).where(*its))).scalars())

    async def _one(self, statement: sa.Select[Any], lock: bool) -> Order | None:
        row = (await self._tx.execute(statement.with_for_update() if lock else statement)).mappings().first()
        return None if row is None else order_of(row)

    async def find_supplier_order(self, order_id: str, scope: Scope) -> SupplierOrderView | None:
        """A supplier order that the scope lets see."""
        if not valid_numbered_id(order_id):
            return None
        statement = sa.select(ORDERS).where(O.kind == "SUPPLIER", O.id == order_id, condition(scope))
        row = (await self._tx.execute(statement)).mappings().first()
        return None if row is None else supplier_view(row)

    async def lines(self, key: uuid.UUID) -> tuple[Line, ...]:
        """Lines in the order in which they were added."""
        return tuple(line_of(row) for row in (await self._tx.execute(_LINES, {"key": key})).mappings())

    async def worksheet(self, key: uuid.UUID) -> Worksheet:
        """What has been worked out; empty when nothing has."""
        statement = sa.select(WORKSHEETS.c.body).where(WORKSHEETS.c.order_key == key)
        stored = (await self._tx.execute(statement)).scalar()
        return Worksheet() if stored is None else worksheet_of(stored)

    async def insert(self, order: Order, lines: Sequence[Line], worksheet: Worksheet, happened: Sequence[Event]) -> None:
        """A new order with all that belongs to it. The unique index of public ids says which are taken."""
        try:
            await self._tx.execute(self._tx.insert(ORDERS), order_row(order))
        except Exception as error:
            if is_unique_violation(error, "kind"):
                raise OrderIdTaken(order.id) from error
            raise
        await self.insert_lines(order.key, lines)
        if worksheet != Worksheet():
            await self.save_worksheet(order.key, worksheet)
        await self._add_to_feed(order, happened)

    async def save(self, before: Order, after: Order, happened: Sequence[Event]) -> None:
        """The order as it has become; fails when somebody else wrote it meanwhile."""
        await keep_entered(self._tx, [after])
        row = order_row(after)
        for name in FIXED:
            del row[name]
        saved = await self._tx.execute(_SAVE, {"b_key": before.key, "known_version": before.version, **bound(row)})
        if saved.rowcount != 1:
            raise RuntimeError("an order was written without its lock")
        await self._add_to_feed(after, happened)

    async def require_not_deleted(self, order_id: str) -> None:
        """Raises `OrderIdOfDeleted` for the id of an order that was deleted not long ago."""
        if (await self._tx.execute(tombstones.gone(DELETED, ORDERS.name, [order_id]))).first() is not None:
            raise OrderIdOfDeleted(order_id)

    async def delete(self, gone: Sequence[Gone]) -> None:
        """Orders that never opened: nothing but these tables has anything of them."""
        if not gone:
            return
        keys = [one.order.key for one in gone]
        note(self._tx, EVENTS.metadata, [Act("order", one.order.id, one.event.time) for one in gone])
        await feed.append(self._tx, EVENTS, [event_row(one.event) for one in gone])
        for table in (CARTS, LINE_ITEMS, WORKSHEETS, SUBMISSIONS):
            await self._tx.execute(sa.delete(table).where(table.c.order_key.in_(keys)))
        await self._tx.execute(sa.delete(ORDERS).where(O.key.in_(keys)))
        rows = [
            {
                "key": one.order.key,
                "id": one.order.id,
                "buyer_id": one.order.buyer_id,
                "user_id": one.order.user.id,
                "created_by": one.order.created_by,
                "version": one.order.version,
                "delete_time": one.order.update_time,
                "body": dict(one.body),
            }
            for one in gone
        ]
        await self._tx.execute(self._tx.insert(DELETED_ORDERS), rows)
        await tombstones.bury(self._tx, DELETED, ORDERS.name, sorted(one.order.id for one in gone), gone[0].order.update_time)

    async def _add_to_feed(self, order: Order, happened: Sequence[Event]) -> None:
        if happened:
            note(self._tx, EVENTS.metadata, [Act("order", order.id, event.time) for event in happened])
            await feed.append(self._tx, EVENTS, [event_row(event) for event in happened])

    async def insert_lines(self, key: uuid.UUID, lines: Sequence[Line]) -> None:
        """New lines, in one statement."""
        if lines:
            await self._tx.execute(self._tx.insert(LINE_ITEMS), [line_row(key, line) for line in lines])

    async def update_lines(self, key: uuid.UUID, lines: Sequence[Line]) -> None:
        """Changed lines, in one statement."""
        if lines:
            await self._tx.execute(LINE_UPDATE, [bound(line_row(key, line)) for line in lines])

    async def delete_lines(self, key: uuid.UUID, line_ids: Sequence[str]) -> None:
        """Removed lines, in one statement."""
        c = LINE_ITEMS.c
        await self._tx.execute(sa.delete(LINE_ITEMS).where(c.order_key == key, c.id.in_(list(line_ids))))

    async def save_worksheet(self, key: uuid.UUID, worksheet: Worksheet) -> None:
        """The worksheet as it has become."""
        await self._tx.execute(_keeping_worksheets(self._tx.dialect), {"order_key": key, "body": worksheet_json(worksheet)})

    async def list_orders(
        self, scope: Scope, direction: Direction, query: PageRequest, bound: Mapping[str, str]
    ) -> Page[Order | SupplierOrderView]:
        """A page of what the scope lets see."""
        plan = _listing(scope).plan(self._tx.dialect, query, {**bound, "direction": direction.value})
        page = await plan.read(self._tx, sa.select(ORDERS).where(condition(scope)))
        return page.map(lambda row: order_of(row._mapping) if row.kind == "BUYER" else supplier_view(row._mapping))

    async def count_orders(self, scope: Scope, filter: str) -> dict[str, int]:
        """How many the scope lets see, by status."""
        plan = _listing(scope).plan(self._tx.dialect, PageRequest(filter=filter))
        return await plan.count_by(self._tx, sa.select(ORDERS).where(condition(scope)), O.status)

    async def history(self, key: uuid.UUID, query: PageRequest) -> Page[Event]:
        """A page of what happened, oldest first."""
        plan = HISTORY.plan(self._tx.dialect, query, {"order": str(key)})
        page = await plan.read(self._tx, sa.select(EVENTS).where(EVENTS.c.aggregate_key == key))
        return page.map(lambda row: event_of(row._mapping))


async def keep_entered(tx: Tx, orders: Sequence[Order]) -> None:
    """Sub-statuses that these orders enter with their status are not deleted before the transaction ends. Raises ETAG_MISMATCH
    for one that is gone since the order was read."""
    entered = {o.sub_status: o.id for o in orders if o.sub_status and o.sub_status_time == o.update_time}
    if not entered:
        return
    c = SUB_STATUSES.c
    found = set((await tx.execute(sa.select(c.id).where(c.id.in_(sorted(entered))).with_for_update(read=True))).scalars())
    for id, order in entered.items():
        if id not in found:
            raise stale("order", order, "")


def _listing(scope: Scope) -> Listing:
    suppliers = scope.supplier_orders
    return LISTING if suppliers is None or suppliers.supplier_id is None else _OF_SUPPLIERS


def bound(row: dict[str, Any]) -> dict[str, Any]:
    """A row as parameters of an update that names its columns too."""
    return {f"b_{name}": value for name, value in row.items()}


LINE_UPDATE = (
    sa.update(LINE_ITEMS)
    .where(LINE_ITEMS.c.order_key == sa.bindparam("b_order_key"), LINE_ITEMS.c.id == sa.bindparam("b_id"))
    .values({c.name: sa.bindparam(f"b_{c.name}", type_=c.type) for c in LINE_ITEMS.c if c.name not in ("order_key", "id")})
)


class SqlRequestStore:
    """Outcomes of idempotent requests."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def find(self, request: RequestKey | None) -> Outcome | None:
        """The outcome of an earlier call."""
        return _outcome(await outcomes.find(self._tx, REQUESTS, request))

    async def claim(self, request: RequestKey | None, outcome: Outcome, now: datetime) -> Outcome | None:
        """None for the first call, the recorded outcome for every other."""
        return _outcome(await outcomes.claim(self._tx, REQUESTS, request, outcome, now))


def _outcome(recorded: dict[str, Any] | None) -> Outcome | None:
    return None if recorded is None else cast(Outcome, recorded)
