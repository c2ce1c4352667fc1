"""Corruptions of fulfillment, and of what is compared with it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from services.fulfillment.adapters.db.tables import (
    allocations,
    inventory_records,
    reservations,
    shipment_items,
    shipments,
    stock_alerts,
    stock_movements,
    supplier_order_lines,
    supplier_orders,
)
from tests.e2e.corruptions.books import CART, COUNTED, DONE, GONE, HELD, LOW, MOVED, NO, OPEN, Books, breaks
from tests.e2e.corruptions.order import attempt
from tests.e2e.corruptions.setup import NOW, reservation
from tests.support.tampering import like

R, M, A, V = inventory_records.c, stock_movements.c, allocations.c, reservations.c
O, L, S, I = supplier_orders.c, supplier_order_lines.c, shipments.c, shipment_items.c  # noqa: E741 - columns
RECORD = "tongs-northforge"


def record(**values: Any) -> Any:
    """Changes a record."""
    return lambda _: [sa.update(inventory_records).where(R.id == RECORD).values(**values)]


def booked(kind: str, **changes: int) -> Any:
    """Changes a record's counters as its ledger says."""

    async def make(books: Books) -> list[Any]:
        row = await books.row("fulfillment", inventory_records, R.id == RECORD)
        movement = await books.row("fulfillment", stock_movements, M.record_key == row["key"])
        none = {"on_hand": 0, "reserved": 0, "allocated": 0, "order_key": "", "attempt": 0}
        return [
            sa.insert(stock_movements).values(**like(movement, key=uuid.uuid4(), kind=kind, **{**none, **changes})),
            sa.update(inventory_records).where(R.id == RECORD).values(**{n: row[n] + c for n, c in changes.items()}),
        ]

    return make


def by_another(_: Books) -> list[Any]:
    """What a person counted, as if somebody else had."""
    its = sa.select(R.key).where(R.id == COUNTED).scalar_subquery()
    return [sa.update(stock_movements).where(M.record_key == its, M.kind == "ADJUST").values(user_id="other")]


async def oversold(books: Books) -> list[Any]:
    row = await books.row("fulfillment", inventory_records, R.id == RECORD)
    statements: list[Any] = await booked("SHIP", on_hand=row["reserved"] + row["allocated"] - 1 - row["on_hand"])(books)
    return statements


def header(id: str, **values: Any) -> Any:
    """Changes a supplier order."""
    return lambda _: [sa.update(supplier_orders).where(O.id == id).values(**values)]


def line(id: str, **values: Any) -> Any:
    """Changes the lines of a supplier order."""
    its = sa.select(O.key).where(O.id == id).scalar_subquery()
    return lambda _: [sa.update(supplier_order_lines).where(L.supplier_order_key == its).values(**values)]


def allocation(**values: Any) -> Any:
    """Changes the allocations of an order that is half shipped."""
    its = sa.select(O.key).where(O.id == f"{OPEN}-1").scalar_subquery()
    return lambda _: [sa.update(allocations).where(A.supplier_order_key == its).values(**values)]


def another_reservation(id: str, number: int) -> Any:
    async def make(books: Books) -> list[Any]:
        row = await books.row("fulfillment", reservations, V.state == "CONFIRMED")
        return [sa.insert(reservations).values(**like(row, order_key=str(books.keys[id]), attempt=number))]

    return make


async def without_lines(books: Books) -> list[Any]:
    row = await books.row("fulfillment", supplier_orders, O.id == f"{OPEN}-1")
    bare = like(row, key=uuid.uuid4(), id=f"{OPEN}-9", number=9, moved=True, status="CANCELED", cost=None)
    return [sa.insert(supplier_orders).values(**bare)]


async def another_line(books: Books) -> list[Any]:
    order = await books.row("fulfillment", supplier_orders, O.id == f"{OPEN}-1")
    row = await books.row("fulfillment", supplier_order_lines, L.supplier_order_key == order["key"])
    nothing = {"unit_cost": None, "packed": 0, "shipped": 0, "subtotal": 0, "discount": 0, "tax": 0}
    more = like(row, line_item_id="l77", quantity=1, canceled=1, **nothing)
    return [sa.insert(supplier_order_lines).values(**more)]


async def item_of_no_line(books: Books) -> list[Any]:
    row = await books.row("fulfillment", shipment_items)
    return [sa.insert(shipment_items).values(**like(row, position=99, line_item_id="l99"))]


def allocated_elsewhere(books: Books) -> list[Any]:
    its = (M.order_key == str(books.keys[OPEN]), M.kind == "ALLOCATE")
    return [sa.update(stock_movements).where(*its).values(attempt=M.attempt + 50)]


def released(books: Books) -> list[Any]:
    return [sa.update(reservations).where(V.order_key == str(books.keys[OPEN])).values(state="RELEASED")]


def parcel(**values: Any) -> Any:
    """Changes the shipment of OPEN that has left."""
    left = sa.and_(I.order_key == O.order_key, O.id == f"{OPEN}-1", I.shipment_key == S.key, S.ship_time.is_not(None))
    its = sa.select(S.id).where(left).scalar_subquery()
    return lambda _: [sa.update(shipments).where(S.id.in_(its)).values(**values)]


async def renumbered(books: Books) -> list[Any]:
    """The supplier order that was rejected is gone with its lines: the one that took its units stands alone."""
    row = await books.row("fulfillment", supplier_orders, O.id == f"{MOVED}-1")
    return [
        sa.delete(supplier_orders).where(O.key == row["key"]),
        sa.delete(supplier_order_lines).where(L.supplier_order_key == row["key"]),
    ]


def taxed_elsewhere(_: Books) -> list[Any]:
    """The same tax of one order, owed by another of its supplier orders."""
    return [
        sa.update(supplier_orders).where(O.id == id).values(tax=O.tax + by, total=O.total + by)
        for id, by in ((f"{DONE}-1", 10_000), (f"{DONE}-2", -10_000))
    ]


CORRUPTIONS = [
    breaks("fulfillment", "supplier_order_charges_its_own_parts", "", taxed_elsewhere, "reports_are_word_for_word"),
    breaks("fulfillment", "supplier_order_is_numbered", MOVED, renumbered, "read_model_is_current"),
    breaks("fulfillment", "supplier_order_is_timed", f"{DONE}-1", header(f"{DONE}-1", complete_time=None)),
    breaks("fulfillment", "supplier_order_is_timed", f"{OPEN}-1", header(f"{OPEN}-1", complete_time=O.create_time)),
    breaks("fulfillment", "supplier_order_is_timed", f"{HELD}-1", header(f"{HELD}-1", accept_by=NOW - timedelta(days=9))),
    breaks("fulfillment", "supplier_order_is_timed", f"{HELD}-1", header(f"{HELD}-1", accept_time=NOW - timedelta(days=9))),
    breaks("fulfillment", "shipment_is_timed", "", parcel(ship_time=NOW - timedelta(days=9_000))),
    breaks("fulfillment", "shipment_is_timed", "", parcel(void_time=S.ship_time)),
    breaks("fulfillment", "shipment_is_timed", "packed", lambda _: [sa.update(shipments).values(delivery_time=S.create_time)]),
    breaks(
        "fulfillment", "amounts_have_the_minor_unit", "packed", lambda _: [sa.update(shipments).values(cost=-1, currency="USD")]
    ),
    breaks(
        "fulfillment",
        "amounts_have_the_minor_unit",
        f"{OPEN}-1",
        header(f"{OPEN}-1", tax=O.tax + 5_000, shipping_cost=O.shipping_cost - 5_000),
        "supplier_orders_add_up_to_the_total",
    ),
    breaks("fulfillment", "stock_counter_equals_ledger", RECORD, record(on_hand=R.on_hand + 1)),
    breaks(
        "fulfillment",
        "shipment_cost_has_a_currency",
        "packed",
        lambda _: [sa.update(shipments).where(S.id == "packed").values(cost=1_000_000, currency="EUR")],
    ),
    breaks("fulfillment", "stock_lies_where_it_was_put", RECORD, record(address={"city": "Elsewhere"})),
    breaks("fulfillment", "movement_is_by_who_asked", COUNTED, by_another),
    breaks(
        "fulfillment",
        "low_stock_is_below_its_threshold",
        LOW,
        lambda _: [sa.update(inventory_records).where(R.id == LOW).values(low_stock=True)],
    ),
    breaks("fulfillment", "each_crossing_has_its_alert", LOW, lambda _: [sa.delete(stock_alerts)]),
    breaks("fulfillment", "alert_says_what_was_crossed", LOW, lambda _: [sa.update(stock_alerts).values(kind="BELOW")]),
    breaks("fulfillment", "stock_allocated_equals_allocations", RECORD, booked("ALLOCATE", allocated=1)),
    breaks("fulfillment", "stock_not_negative", RECORD, booked("RELEASE", reserved=-1), "stock_reserved_equals_reservations"),
    breaks("fulfillment", "stock_not_oversold", RECORD, oversold),
    breaks("fulfillment", "stock_reserved_equals_reservations", RECORD, booked("RESERVE", reserved=1)),
    breaks(
        "fulfillment",
        "movement_is_of_its_kind",
        "",
        lambda _: [sa.update(stock_movements).where(M.kind == "RECEIVE").values(kind="LOST")],
    ),
    breaks("fulfillment", "ended_attempt_holds_no_stock", "", allocated_elsewhere),
    breaks("fulfillment", "supplier_order_line_units", f"{GONE}-1/l1", line(f"{GONE}-1", packed=5)),
    breaks("fulfillment", "waiting_units_are_shown", "", allocation(backordered=1), "reports_are_word_for_word"),
    breaks("fulfillment", "allocation_units", f"{OPEN}-1/l1", allocation(packed=-1)),
    breaks(
        "fulfillment",
        "allocations_within_line",
        f"{OPEN}-1/l1",
        allocation(quantity=A.quantity + 1),
        "stock_allocated_equals_allocations",
    ),
    breaks("fulfillment", "supplier_order_cost_is_of_its_lines", f"{OPEN}-1", header(f"{OPEN}-1", cost=O.cost + 1)),
    breaks("fulfillment", "unit_costs_are_those_confirmed", f"{OPEN}-1", line(f"{OPEN}-1", unit_cost=L.unit_cost + 10_000)),
    breaks("fulfillment", "supplier_order_amounts", f"{OPEN}-1", line(f"{OPEN}-1", subtotal=L.subtotal + 1)),
    breaks("fulfillment", "supplier_order_has_lines", f"{OPEN}-9", without_lines, "read_model_is_current"),
    breaks("fulfillment", "supplier_order_status", f"{DONE}-1", header(f"{DONE}-1", status="ACCEPTED"), "read_model_is_current"),
    breaks(
        "fulfillment",
        "frozen_after_shipping_is_being_changed",
        f"{OPEN}-1",
        header(f"{OPEN}-1", status="FROZEN"),
        "read_model_is_current",
    ),
    breaks("fulfillment", "one_confirmed_attempt", "", another_reservation(OPEN, 9), "confirmed_attempts_are_accepted"),
    breaks(
        "fulfillment",
        "confirmed_attempt_has_supplier_orders",
        "",
        another_reservation(CART, 1),
        "confirmed_attempts_are_accepted",
    ),
    breaks("fulfillment", "supplier_order_has_confirmed_attempt", f"{OPEN}-1", released, "accepted_attempts_are_confirmed"),
    breaks(
        "fulfillment",
        "line_units_equal_shipments",
        f"{OPEN}-1/l1",
        lambda books: [sa.update(shipment_items).where(I.order_key == str(books.keys[OPEN])).values(quantity=I.quantity + 1)],
    ),
    breaks("fulfillment", "shipment_item_has_its_line", "", item_of_no_line),
    breaks(
        "fulfillment",
        "shipment_is_seen_as_its_orders",
        "packed",
        lambda _: [sa.update(shipments).where(S.id == "packed").values(supplier_id="other")],
    ),
    breaks(
        "fulfillment",
        "shipment_is_seen_as_its_orders",
        "packed",
        lambda books: [sa.update(shipment_items).where(I.order_key == str(books.keys[OPEN])).values(user_id="other")],
    ),
    breaks("fulfillment", "supplier_order_is_reported_or_due", f"{OPEN}-1", header(f"{OPEN}-1", reported_version=O.version - 1)),
    breaks(
        "fulfillment",
        "shipment_is_reported_or_due",
        "packed",
        lambda _: [sa.update(shipments).where(S.id == "packed").values(reported_version=S.version - 1)],
    ),
    breaks("across", "reservations_belong_to_running_attempts", CART, reservation("RESERVED"), database="pricing"),
    breaks("across", "held_orders_do_not_ship", HELD, header(f"{HELD}-1", held=False), database="fulfillment"),
    breaks("across", "supplier_orders_partition_the_order", OPEN, another_line, database="fulfillment"),
    breaks(
        "across",
        "supplier_orders_add_up_to_the_total",
        OPEN,
        header(f"{OPEN}-1", shipping_cost=O.shipping_cost + 1, total=O.total + 1),
        database="fulfillment",
    ),
    breaks(
        "across",
        "shipped_units_agree",
        OPEN,
        line(f"{OPEN}-1", canceled=L.canceled + 1),
        "allocations_within_line",
        "canceled_amounts_add_up",
        database="fulfillment",
    ),
    breaks(
        "across",
        "read_model_is_current",
        OPEN,
        header(f"{OPEN}-1", version=O.version + 1, reported_version=O.reported_version + 1),
        database="fulfillment",
    ),
    breaks(
        "across",
        "supplier_orders_are_listed_alike",
        OPEN,
        header(f"{OPEN}-1", supplier_id="other"),
        "shipment_is_seen_as_its_orders",
        database="fulfillment",
    ),
    breaks("across", "supplier_orders_are_listed_alike", HELD, header(f"{HELD}-1", user_id="other"), database="fulfillment"),
    breaks(
        "across",
        "work_comes_to_its_end",
        NO,
        attempt(NO, 1, finished=False, begin_time=NOW - timedelta(days=1)),
        database="order",
    ),
]
