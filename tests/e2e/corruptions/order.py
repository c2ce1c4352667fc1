"""Corruptions of the order service."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from services.order.adapters.db.tables import (
    APPROVALS,
    CANCELLATIONS,
    CAPTURES,
    CARTS,
    DELETED_ORDERS,
    EVENTS,
    LINE_ITEMS,
    ORDERS,
    REQUESTS,
    SUB_STATUSES,
    SUBMISSIONS,
)
from tests.e2e.corruptions.books import BINNED, BUILT, CART, CHARGED, DONE, HELD, NO, OPEN, Books, breaks
from tests.e2e.corruptions.setup import NOW
from tests.support.tampering import like

O, L, E, S = ORDERS.c, LINE_ITEMS.c, EVENTS.c, SUBMISSIONS.c  # noqa: E741 - columns


def order(id: str, **values: Any) -> Any:
    """Changes an order."""
    return lambda _: [sa.update(ORDERS).where(O.id == id).values(**values)]


def deleted(**values: Any) -> Any:
    """Changes what is kept of the order that was deleted."""
    return lambda _: [sa.update(DELETED_ORDERS).where(DELETED_ORDERS.c.id == BINNED).values(**values)]


def line(id: str, **values: Any) -> Any:
    """Changes the first line of an order."""
    return lambda books: [sa.update(LINE_ITEMS).where(L.order_key == books.keys[id], L.id == "l1").values(**values)]


def attempt(id: str, number: int, **values: Any) -> Any:
    """Changes an attempt."""
    return lambda books: [sa.update(SUBMISSIONS).where(S.order_key == books.keys[id], S.attempt == number).values(**values)]


def event(id: str, *where: Any, **values: Any) -> Any:
    """Changes events of an order, or deletes them."""

    def make(books: Books) -> list[Any]:
        its = (E.aggregate_key == books.keys[id], *where)
        return [sa.update(EVENTS).where(*its).values(**values) if values else sa.delete(EVENTS).where(*its)]

    return make


async def orphan(books: Books) -> list[Any]:
    """A supplier order of no order, with its event."""
    row = await books.row("order", ORDERS, O.id == f"{OPEN}-1")
    happened = await books.row("order", EVENTS, E.aggregate_key == row["key"])
    key = uuid.uuid4()
    status = {**happened["data"], "status": row["status"]}
    return [
        sa.insert(ORDERS).values(**like(row, key=key, id="ORPHAN", parent_key=uuid.uuid4(), version=1)),
        sa.insert(EVENTS).values(**like(happened, id=10_000, aggregate_key=key, sequence=1, data=status)),
    ]


async def stray_event(books: Books) -> list[Any]:
    row = await books.row("order", EVENTS)
    return [sa.insert(EVENTS).values(**like(row, id=10_000, aggregate_key=uuid.UUID(int=7)))]


async def request(books: Books) -> list[Any]:
    row = await books.row("order", REQUESTS)
    return [sa.insert(REQUESTS).values(**like(row, request_id="stray", outcome={"id": "NOWHERE"}))]


async def submit_of_no_attempt(books: Books) -> list[Any]:
    row = await books.row("order", REQUESTS)
    return [sa.insert(REQUESTS).values(**like(row, request_id="stray", outcome={"order": NO, "attempt": 9}))]


async def shown_state(books: Books) -> list[Any]:
    row = await books.row("order", ORDERS, O.id == NO)
    shown = {**row["submission"], "state": "ACCEPTED"}
    return [sa.update(ORDERS).where(O.id == NO).values(submission=shown)]


def cancel(id: str) -> Any:
    def make(books: Books) -> list[Any]:
        row = {"order_key": books.keys[id], "state": "FINISHED", "caller": {}, "comment": "", "next_action_time": NOW}
        return [sa.insert(CANCELLATIONS).values(**row)]

    return make


async def older_status(books: Books) -> list[Any]:
    row = await books.row("order", ORDERS, O.id == CART)
    its = (E.aggregate_key == row["key"], E.sequence == row["version"])
    happened = await books.row("order", EVENTS, *its)
    return [sa.update(EVENTS).where(*its).values(data={**happened["data"], "status": "OPEN"})]


def no_parts(books: Books) -> list[Any]:
    """The same total of other parts."""
    return [sa.update(ORDERS).where(O.id == CART).values(shipping_cost=O.shipping_cost + 1_000_000, tax=O.tax - 1_000_000)]


async def held_for_another(books: Books) -> list[Any]:
    row = await books.row("order", ORDERS, O.id == HELD)
    return [sa.update(ORDERS).where(O.id == HELD).values(holds=[{**hold, "payment_id": "other"} for hold in row["holds"]])]


def declined_by_another(books: Books) -> list[Any]:
    """An approval that somebody else has declined than the history says."""
    return [sa.update(APPROVALS).where(APPROVALS.c.order_key == books.keys["ASKED-2"]).values(user_id="bo")]


def restated(type: str, *, minutes: int = 0, total: int = 0, **values: Any) -> Any:
    """An older event of OPEN that states another amount, status or time; of its submit also where that is kept beside it."""

    async def make(books: Books) -> list[Any]:
        its = (E.aggregate_key == books.keys[OPEN], E.type == type)
        row = await books.row("order", EVENTS, *its)
        facts = {**row["data"]["facts"], "total": row["data"]["facts"]["total"] + total}
        time = row["time"] - timedelta(minutes=minutes)
        changed = [sa.update(EVENTS).where(*its).values(data={**row["data"], "facts": facts, **values}, time=time)]
        if not minutes:
            return changed
        kept = await books.row("order", ORDERS, O.id == OPEN)
        shown = {**kept["submission"], "decide_time": time.isoformat()}
        return [
            *changed,
            sa.update(ORDERS).where(O.id == OPEN).values(submit_time=time, submission=shown),
            sa.update(SUBMISSIONS).where(S.order_key == books.keys[OPEN]).values(decide_time=time),
        ]

    return make


CORRUPTIONS = [
    breaks("order", "captures_are_of_what_shipped", CHARGED, lambda _: [sa.delete(CAPTURES)], "captured_at_most_what_shipped"),
    breaks(
        "across",
        "shipped_is_captured",
        CHARGED,
        lambda _: [sa.update(CAPTURES).values(value=CAPTURES.c.value + 10_000)],
        "captures_are_of_what_shipped",
        database="order",
    ),
    breaks("order", "newest_event_states_the_order", OPEN, restated("order_submitted", total=1_000_000)),
    breaks("order", "newest_event_states_the_order", OPEN, restated("order_submitted", status="CANCELED")),
    breaks("order", "newest_event_states_the_order", OPEN, restated("order_submitted", minutes=60)),
    breaks("order", "attempts_are_as_in_the_history", OPEN, restated("order_submitted", user="gil")),
    breaks(
        "order",
        "amounts_have_the_minor_unit",
        CART,
        order(CART, tax=O.tax + 1_000, shipping_cost=O.shipping_cost - 1_000),
        "amounts_follow_from_the_worksheet",
    ),
    breaks("order", "approvals_follow_the_history", "ASKED-2", declined_by_another),
    breaks("order", "held_follows_holds", HELD, order(HELD, held=False), "held_orders_do_not_ship"),
    breaks("across", "attention_holds_the_order", HELD, held_for_another, database="order"),
    breaks(
        "order",
        "canceled_amounts_follow_decisions",
        OPEN,
        order(OPEN, canceled_tax=1, canceled_total=1),
        "canceled_amounts_add_up",
    ),
    breaks(
        "across",
        "canceled_amounts_add_up",
        DONE,
        order(DONE, canceled_tax=O.total, canceled_total=O.total),
        "canceled_amounts_follow_decisions",
        "kept_at_most_what_is_due",
        database="order",
    ),
    breaks(
        "across",
        "kept_at_most_what_is_due",
        DONE,
        order(DONE, canceled_tax=O.total, canceled_total=O.total),
        "canceled_amounts_follow_decisions",
        "canceled_amounts_add_up",
        database="order",
    ),
    breaks("order", "total_is_sum_of_parts", CART, order(CART, total=O.total + 1)),
    breaks("order", "amounts_are_sums_of_lines", CART, line(CART, subtotal=L.subtotal + 1)),
    breaks("order", "quotes_are_price_and_quantity", BUILT, line(BUILT, quantity=L.quantity + 1)),
    breaks("order", "units_add_up", f"{CART}/l1", line(CART, quantity_canceled=-1)),
    breaks("order", "line_count_is_right", CART, order(CART, line_item_count=7)),
    breaks("order", "supplier_order_has_its_order", "ORPHAN", orphan),
    breaks("order", "history_has_no_gap", CART, event(CART, E.sequence == 1)),
    breaks("order", "event_is_of_an_order", "", stray_event),
    breaks(
        "order",
        "deleted_order_has_its_history",
        BINNED,
        deleted(version=DELETED_ORDERS.c.version + 1),
        "deleted_order_is_its_last_body",
    ),
    breaks("order", "deleted_order_is_its_last_body", BINNED, deleted(buyer_id="other")),
    breaks("order", "newest_event_has_the_status", CART, older_status),
    breaks("order", "submitted_once", NO, attempt(NO, 1, state="ACCEPTED"), "accepted_attempts_are_confirmed"),
    breaks(
        "order",
        "attempts_are_numbered",
        NO,
        lambda books: [sa.delete(SUBMISSIONS).where(S.order_key == books.keys[NO], S.attempt == 1)],
        "every_attempt_has_its_events",
        "submit_has_its_attempt",
    ),
    breaks("order", "attempt_is_decided_before_it_ends", NO, attempt(NO, 1, decide_time=None)),
    breaks("order", "every_attempt_has_its_events", NO, event(NO, E.type == "submission_refused", type="order_updated")),
    breaks("order", "request_has_its_effect", "stray", request),
    breaks("order", "submit_has_its_attempt", "stray", submit_of_no_attempt),
    breaks("order", "cancel_that_is_decided_stands", CART, cancel(CART), "status_follows_units"),
    breaks("order", "amounts_follow_from_the_worksheet", CART, no_parts),
    breaks(
        "order",
        "status_follows_units",
        DONE,
        order(DONE, status="OPEN"),
        "newest_event_has_the_status",
        "times_follow_status",
        "units_are_those_reported",
    ),
    breaks("order", "times_follow_status", OPEN, order(OPEN, complete_time=NOW)),
    breaks("order", "units_are_those_reported", OPEN, line(OPEN, quantity_backordered=1)),
    breaks("order", "units_are_those_reported", OPEN, line(OPEN, quantity_shipped=L.quantity_shipped + 1), "shipped_units_agree"),
    breaks("order", "read_model_is_its_report", OPEN, order(f"{OPEN}-1", tax=O.tax + 1, total=O.total + 1)),
    # Another supplier, or another buyer, would find it in its list.
    breaks(
        "order", "read_model_is_its_report", OPEN, order(f"{OPEN}-1", supplier_id="other"), "supplier_orders_are_listed_alike"
    ),
    breaks(
        "order",
        "supplier_order_is_seen_as_its_order",
        f"{OPEN}-1",
        order(f"{OPEN}-1", buyer_id="other"),
        "read_model_is_its_report",
        "supplier_orders_are_listed_alike",
    ),
    breaks("order", "supplier_order_is_seen_as_its_order", f"{OPEN}-1", order(OPEN, buyer_id="other")),
    breaks("order", "order_is_listed_for_its_user", CART, order(CART, user_id="other")),
    breaks(
        "order",
        "cart_is_an_order_of_its_user",
        "acme/other",
        lambda _: [sa.update(CARTS).where(CARTS.c.user_id == "ada").values(user_id="other")],
    ),
    breaks("order", "sub_status_is_of_the_status", OPEN, lambda _: [sa.delete(SUB_STATUSES)]),
    breaks("order", "newest_attempt_is_shown", NO, shown_state),
]
