"""Corruptions of payment."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.payment.adapters.db.tables import (
    ACCOUNTS,
    ADJUSTMENTS,
    ALERTS,
    ATTEMPTS,
    CARD_ASSIGNMENTS,
    CARDS,
    GATEWAY,
    LEDGER,
    PAYMENTS,
    REDIRECTS,
    REQUESTS,
    TRANSACTIONS,
    TYPES,
)
from tests.e2e.corruptions.books import CART, CUT, DONE, GONE, HELD, OPEN, Books, breaks
from tests.e2e.corruptions.setup import NOW
from tests.support.tampering import like

P, T, L, X, A = PAYMENTS.c, TRANSACTIONS.c, LEDGER.c, ATTEMPTS.c, ACCOUNTS.c


def payment(id: str, **values: Any) -> Any:
    """Changes a payment."""
    return lambda _: [sa.update(PAYMENTS).where(P.id == id).values(**values)]


def transaction(id: str, type: str, /, **values: Any) -> Any:
    """Changes a payment's transactions of a type, or deletes them."""
    its = (T.payment_id == id, T.type == type)
    return lambda _: [sa.update(TRANSACTIONS).where(*its).values(**values) if values else sa.delete(TRANSACTIONS).where(*its)]


def another(base: str, **values: Any) -> Any:
    """One more payment, of nothing unless a value says otherwise."""

    async def make(books: Books) -> list[Any]:
        row = await books.row("payment", PAYMENTS, P.id == base)
        nothing = {"amount": None, "resolved_amount": 0, "due": 0, "captured": 0, "refunded": 0}
        return [sa.insert(PAYMENTS).values(**like(row, id="extra", **{**nothing, **values}))]

    return make


def attempts(id: str, *numbers: int, state: str) -> Any:
    """More attempts."""
    return lambda books: [
        sa.insert(ATTEMPTS).values(order_key=books.keys[id], attempt=n, state=state, expire_time=NOW, update_time=NOW)
        for n in numbers
    ]


def again(base: str, type: str, **values: Any) -> Any:
    """A transaction once more."""

    async def make(books: Books) -> list[Any]:
        row = await books.row("payment", TRANSACTIONS, T.payment_id == base, T.type == type)
        return [sa.insert(TRANSACTIONS).values(**like(row, id="again", **values))]

    return make


async def held_twice(books: Books) -> list[Any]:
    (repeated,) = await again("o-card", "AUTHORIZE", gateway_key="second")(books)
    return [repeated, *await stray_hold(books, "second")]


async def stray_hold(books: Books, key: str = "stray") -> list[Any]:
    row = await books.row("payment", GATEWAY, GATEWAY.c.operation == "authorize")
    return [sa.insert(GATEWAY).values(**like(row, key=key, authorization_key=key, state="DONE"))]


async def begun_twice(books: Books) -> list[Any]:
    row = await books.row("payment", REDIRECTS)
    waits = {"state": "ACTION_REQUIRED", "attempt": 0, "ask_time": NOW}
    return [sa.insert(REDIRECTS).values(**like(row, id="red_2", gateway_key=row["gateway_key"][:36] + "/red_2/v-card", **waits))]


async def one_key_for_two(books: Books) -> list[Any]:
    row = await books.row("payment", TRANSACTIONS, T.payment_id == "o-card", T.type == "AUTHORIZE")
    its = (T.payment_id == "d-po", T.type == "CONFIRM")
    return [sa.update(TRANSACTIONS).where(*its).values(gateway_key=row["gateway_key"])]


async def request(books: Books) -> list[Any]:
    row = await books.row("payment", REQUESTS)
    return [sa.insert(REQUESTS).values(**like(row, request_id="stray", outcome={"transactions": ["nowhere"]}))]


async def promise_of_nothing(books: Books) -> list[Any]:
    row = await books.row("payment", PAYMENTS, P.id == "d-po")
    return [sa.insert(PAYMENTS).values(**like(row, id="extra", amount=None, resolved_amount=0, due=0))]


def shifted(amount: int) -> Any:
    """The same sum, paid by other means: two payments with all that is recorded of them."""

    def moved(id: str, by: int) -> list[Any]:
        more = sa.case((L.amount > 0, L.amount + by), else_=L.amount - by)
        begun = (T.payment_id == id, T.type.in_(("RESERVE", "CONFIRM")))
        return [
            sa.update(PAYMENTS)
            .where(P.id == id)
            .values(amount=P.amount + by, resolved_amount=P.resolved_amount + by, due=P.due + by),
            sa.update(TRANSACTIONS).where(*begun).values(amount=T.amount + by),
            sa.update(LEDGER).where(L.payment_id == id).values(amount=more),
        ]

    spent = sa.update(ACCOUNTS).where(A.id == "gift-ada").values(balance=A.balance - amount)
    return lambda _: [*moved("d-po", -amount), *moved("d-gift", amount), spent]


def never_paid(books: Books) -> list[Any]:
    """The payments of an order that is canceled, gone with all that is recorded of them."""
    its = sa.select(P.id).where(P.order_key == books.keys[GONE]).scalar_subquery()
    return [
        sa.delete(TRANSACTIONS).where(T.payment_id.in_(its)),
        sa.delete(LEDGER).where(L.payment_id.in_(its)),
        sa.delete(PAYMENTS).where(P.order_key == books.keys[GONE]),
    ]


def unbalanced(books: Books) -> list[Any]:
    return [sa.update(LEDGER).where(L.payment_id == "d-po", L.account.like("buyer:%")).values(amount=L.amount + 1)]


async def money_of_nobody(books: Books) -> list[Any]:
    """An issue that nobody asked for: both sides of a movement, and the balance that they add up to."""
    its = (L.payment_id == "", L.account == "spending_account:gift-ada")
    row = await books.row("payment", LEDGER, *its)
    forged = like(row, transaction_id="mov_forged", amount=7_000_000, number=1_000_001)
    return [
        sa.insert(LEDGER).values(**forged),
        sa.insert(LEDGER).values(**like(forged, account="marketplace:issued", amount=-7_000_000, number=1_000_002)),
        sa.update(ACCOUNTS).where(A.id == "gift-ada").values(balance=A.balance + 7_000_000),
    ]


CORRUPTIONS = [
    breaks("payment", "ledger_issue_has_its_adjustment", "mov_forged", money_of_nobody),
    breaks("payment", "adjustment_is_by_who_asked", "adjust", lambda _: [sa.update(ADJUSTMENTS).values(user_id="other")]),
    breaks(
        "payment",
        "assignment_has_card",
        "corporate",
        lambda _: [sa.update(CARDS).where(CARDS.c.id == "corporate").values(restricted=False)],
    ),
    breaks(
        "payment", "assignment_is_to_one", "corporate", lambda _: [sa.update(CARD_ASSIGNMENTS).values(user_group_id="purchasing")]
    ),
    breaks("payment", "attention_is_alerted", "h-card", lambda _: [sa.delete(ALERTS)]),
    breaks(
        "across",
        "attention_holds_the_order",
        HELD,
        lambda _: [sa.delete(ALERTS), sa.update(PAYMENTS).where(P.id == "h-card").values(state="CONFIRMED")],
        database="payment",
    ),
    breaks("payment", "payment_was_confirmed", "extra", promise_of_nothing),
    breaks("payment", "amounts_have_the_minor_unit", "d-gift", shifted(5_000)),
    breaks("across", "paid_covers_the_total", GONE, never_paid, database="payment"),
    breaks("across", "paid_covers_the_total", CUT, payment("x-po", due=P.due - 1_000_000), database="payment"),
    breaks("across", "payments_are_lowered_by_changes", CUT, payment("x-po", due=P.due + 1_000_000), database="payment"),
    breaks("payment", "alert_is_reported_or_due", "h-card", lambda _: [sa.update(ALERTS).values(reported_version=0)]),
    breaks("payment", "ledger_movement_balances", "", unbalanced),
    breaks("payment", "balance_is_ledger_sum", "gift-ada", lambda _: [sa.update(ACCOUNTS).values(balance=A.balance + 1)]),
    breaks(
        "payment", "reserved_is_sum_of_reservations", "gift-ada", lambda _: [sa.update(ACCOUNTS).values(reserved=A.reserved + 1)]
    ),
    breaks("payment", "held_payment_has_attempt", "c-po", payment("c-po", state="RESERVED")),
    breaks("payment", "permanent_payment_has_attempt", "d-po", payment("d-po", attempt=99)),
    breaks("payment", "one_open_attempt", "", attempts(DONE, 8, 9, state="RESERVED"), "reservations_belong_to_running_attempts"),
    breaks("payment", "confirmed_attempt_left_nothing_open", "extra", another("d-po", state="OPEN")),
    breaks("payment", "void_pending_has_void", "extra", another("c-po", state="VOID_PENDING")),
    breaks("payment", "authorizing_has_authorization", "extra", another("c-po", state="AUTHORIZING"), "held_payment_has_attempt"),
    breaks("payment", "held_card_is_authorized", "o-card", transaction("o-card", "AUTHORIZE"), "gateway_holds_what_is_wanted"),
    breaks("payment", "what_ends_was_begun", "d-po", transaction("d-po", "CONFIRM", type="VOID")),
    breaks("payment", "one_confirmed_attempt", DONE, attempts(DONE, 9, state="CONFIRMED"), "confirmed_attempts_are_accepted"),
    breaks("payment", "authorized_once_per_key", "o-card", again("o-card", "AUTHORIZE")),
    breaks("payment", "one_authorization_a_payment", "o-card", held_twice),
    breaks("payment", "gateway_key_belongs_to_one_payment", "/o-card", one_key_for_two),
    breaks("payment", "request_has_its_effect", "stray", request),
    breaks("payment", "amount_is_resolved", "d-gift", payment("d-gift", amount=1)),
    breaks("payment", "amount_is_resolved", "d-po", payment("d-po", surplus=1)),
    breaks("payment", "due_is_within_resolved_amount", "d-po", payment("d-po", due=10**12)),
    breaks(
        "payment",
        "captured_is_within_authorization",
        "o-card",
        payment("o-card", captured=10**12),
        "captured_is_sum_of_captures",
        "ledger_shows_what_is_kept",
        "state_follows_amounts",
        "charged_at_most_the_total",
    ),
    breaks(
        "payment",
        "refunded_is_within_taken",
        "d-card",
        payment("d-card", refunded=10**12),
        "refunded_is_sum_of_refunds",
        "ledger_shows_what_is_kept",
    ),
    breaks(
        "payment",
        "due_is_within_resolved_amount",
        "o-card",
        payment("o-card", due=P.resolved_amount + 1),
        "charged_at_most_the_total",
    ),
    breaks("payment", "captured_is_sum_of_captures", "d-card", transaction("d-card", "CAPTURE", amount=T.amount + 1)),
    breaks("payment", "refunded_is_sum_of_refunds", "d-card", transaction("d-card", "REFUND", amount=T.amount + 1)),
    breaks(
        "payment",
        "ledger_shows_what_is_kept",
        "d-po",
        lambda _: [sa.update(LEDGER).where(L.payment_id == "d-po").values(payment_id="")],
    ),
    breaks(
        "payment",
        "units_are_those_of_the_account",
        "gift-ada",
        lambda _: [sa.update(ACCOUNTS).where(A.id == "gift-ada").values(order_currency="EUR")],
    ),
    breaks("payment", "units_are_worth_the_amount", "d-po", payment("d-po", rate=1)),
    breaks("payment", "debited_units_are_moved", "d-gift", transaction("d-gift", "CONFIRM", units=5)),
    breaks("payment", "refunded_units_are_moved", "d-card", transaction("d-card", "REFUND", units=5), "debited_units_are_moved"),
    breaks("payment", "state_follows_amounts", "d-card", payment("d-card", state="CONFIRMED")),
    breaks("payment", "gateway_holds_what_is_wanted", "stray", stray_hold),
    breaks("payment", "external_payment_has_its_type", "w-out", lambda _: [sa.update(TYPES).values(acceptance="NEVER")]),
    breaks("payment", "record_says_who_and_when", "w-out", transaction("w-out", "CAPTURE", recorded_by="")),
    breaks("payment", "outside_no_more_is_voided_than_authorized", "w-out", transaction("w-out", "AUTHORIZE", type="VOID")),
    breaks("payment", "assigned_type_is_restricted", "terms", lambda _: [sa.update(TYPES).values(restricted=False)]),
    breaks("payment", "redirect_is_of_its_payment", "v-card", lambda _: [sa.update(REDIRECTS).values(currency="EUR")]),
    breaks("payment", "redirect_is_adopted_by_its_attempt", "v-card", lambda _: [sa.update(REDIRECTS).values(attempt=9)]),
    breaks("payment", "redirect_is_timed", "v-card", lambda _: [sa.update(REDIRECTS).values(ask_time=NOW)]),
    breaks("payment", "redirect_is_at_the_gateway", "v-card", lambda _: [sa.update(REDIRECTS).values(gateway_reference="x")]),
    breaks("payment", "adopted_authorization_has_its_redirect", "v-card", lambda _: [sa.delete(REDIRECTS)]),
    breaks("payment", "one_redirect_a_payment", "v-card", begun_twice),
    breaks(
        "across",
        "payments_belong_to_submitted_orders",
        CART,
        payment("c-po", state="CONFIRMED", resolved_amount=1, due=1),
        "permanent_payment_has_attempt",
        "ledger_shows_what_is_kept",
        database="payment",
    ),
    breaks(
        "across",
        "charged_at_most_the_total",
        OPEN,
        payment("o-card", resolved_amount=P.resolved_amount + 1, due=P.due + 1),
        database="payment",
    ),
    breaks("across", "confirmed_attempts_are_accepted", CART, attempts(CART, 1, state="CONFIRMED"), database="payment"),
    breaks(
        "across",
        "accepted_attempts_are_confirmed",
        OPEN,
        lambda books: [sa.update(ATTEMPTS).where(X.order_key == books.keys[OPEN]).values(state="RELEASED")],
        "permanent_payment_has_attempt",
        database="payment",
    ),
]
