"""Payment's own invariants as SQL: every rule selects what breaks it. No row means that it holds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.db.invariants import SqlRule, names_are_known, sentence, total
from libs.idempotency import invariants
from services.payment.adapters.db.invariants.causes import PERMANENT, cause_rules
from services.payment.adapters.db.invariants.outside import BY_CAPTURES, outside_rules
from services.payment.adapters.db.invariants.redirects import redirect_rules, waits_at_gateway
from services.payment.adapters.db.invariants.units import unit_rules
from services.payment.adapters.db.tables import (
    ACCOUNT_ASSIGNMENTS,
    ACCOUNTS,
    ADJUSTMENTS,
    ALERTS,
    ATTEMPTS,
    CARD_ASSIGNMENTS,
    GATEWAY,
    LEDGER,
    MADE,
    NAMES,
    PAYMENTS,
    REDIRECTS,
    REQUESTS,
    TRANSACTIONS,
    TYPE_ASSIGNMENTS,
)
from services.payment.domain.payments.types import CREDIT_CARD, SPENDING_ACCOUNT
from services.payment.domain.redirects.redirect import DUE

A, L, P, T, X, G, R = ACCOUNTS.c, LEDGER.c, PAYMENTS.c, TRANSACTIONS.c, ATTEMPTS.c, GATEWAY.c, REQUESTS.c
HELD = ("RESERVED", "AUTHORIZING", "AUTHORIZED")


def _attempt(*states: str) -> Any:
    return sa.exists().where(X.order_key == P.order_key, X.attempt == P.attempt, X.state.in_(states))


def _transaction(type: str, result: str, *more: Any) -> Any:
    return sa.exists().where(T.payment_id == P.id, T.type == type, T.result == result, *more)


@cache
def rules(dialect: str) -> Sequence[SqlRule]:
    """All of them."""
    made = {
        **_ledger_rules(),
        **_attempt_rules(),
        **_transaction_rules(),
        **_charge_rules(),
        **_effect_rules(dialect),
        **_money_rules(),
        **_gateway_rules(),
        **redirect_rules(),
        **_alert_rules(),
        **unit_rules(),
        **outside_rules(),
        **cause_rules(),
    }
    return [*(SqlRule(name, broken, _OVER.get(name, PAYMENTS)) for name, broken in made.items()), names_are_known(NAMES)]


_OVER: dict[str, sa.Table] = {
    "ledger_movement_balances": LEDGER,
    "balance_is_ledger_sum": ACCOUNTS,
    "reserved_is_sum_of_reservations": ACCOUNTS,
    "one_open_attempt": ATTEMPTS,
    "one_confirmed_attempt": ATTEMPTS,
    "what_ends_was_begun": TRANSACTIONS,
    "gateway_holds_what_is_wanted": GATEWAY,
    "gateway_key_belongs_to_one_payment": TRANSACTIONS,
    "request_has_its_effect": REQUESTS,
    "alert_is_reported_or_due": ALERTS,
    "alert_is_of_its_payment": ALERTS,
    "assignment_has_account": ACCOUNT_ASSIGNMENTS,
    "assignment_has_card": CARD_ASSIGNMENTS,
    "assignment_is_to_one": ACCOUNT_ASSIGNMENTS,
    "transaction_has_its_payment": TRANSACTIONS,
    "transaction_is_of_the_amount": TRANSACTIONS,
    "transaction_is_timed": TRANSACTIONS,
    "ledger_movement_has_two_sides": LEDGER,
    "ledger_movement_has_its_transaction": LEDGER,
    "ledger_issue_is_to_an_account": LEDGER,
    "ledger_issue_has_its_adjustment": LEDGER,
    "adjustment_is_by_who_asked": ADJUSTMENTS,
    "units_are_those_of_the_account": ACCOUNTS,
    "gateway_did_what_was_recorded": TRANSACTIONS,
    "record_says_who_and_when": TRANSACTIONS,
    "assigned_type_is_restricted": TYPE_ASSIGNMENTS,
    "gateway_did_nothing_else": GATEWAY,
    "redirect_is_of_its_payment": REDIRECTS,
    "redirect_is_adopted_by_its_attempt": REDIRECTS,
    "redirect_is_timed": REDIRECTS,
    "redirect_is_at_the_gateway": REDIRECTS,
    "adopted_authorization_has_its_redirect": TRANSACTIONS,
    "one_redirect_a_payment": REDIRECTS,
}
"""What rules look at that do not look at payments."""


def _ledger_rules() -> dict[str, sa.Select[Any]]:
    entries = sa.select(L.account, L.currency, sa.func.sum(L.amount).label("sum"))
    sums = entries.group_by(L.account, L.currency).subquery()
    on_account = sa.and_(sums.c.account == sa.literal("spending_account:") + A.id, sums.c.currency == A.currency)
    booked = sa.func.coalesce(sums.c.sum, 0)
    drawn = sa.case((P.unit != "", P.debited_units), else_=P.resolved_amount)
    reservations = (
        sa.select(P.spending_account_id, sa.func.sum(drawn).label("sum"))
        .where(P.type == SPENDING_ACCOUNT, P.state == "RESERVED")
        .group_by(P.spending_account_id)
        .subquery()
    )
    held = sa.func.coalesce(reservations.c.sum, 0)
    return {
        "ledger_movement_balances": sa.select(L.transaction_id.label("subject"), sentence("adds up to ", sa.func.sum(L.amount)))
        .group_by(L.transaction_id, L.currency)
        .having(sa.func.sum(L.amount) != 0),
        "balance_is_ledger_sum": sa.select(A.id.label("subject"), sentence(A.balance, ", the ledger says ", booked))
        .select_from(ACCOUNTS.outerjoin(sums, on_account))
        .where(A.balance != booked),
        "reserved_is_sum_of_reservations": sa.select(A.id.label("subject"), sentence(A.reserved, ", payments say ", held))
        .select_from(ACCOUNTS.outerjoin(reservations, reservations.c.spending_account_id == A.id))
        .where(A.reserved != held),
    }


def _attempt_rules() -> dict[str, sa.Select[Any]]:
    subject, detail = P.id.label("subject"), sentence(P.state, " in attempt ", P.attempt)
    replaces = _transaction("AUTHORIZE", "PENDING", T.cause == "REPLACEMENT")
    return {
        "held_payment_has_attempt": sa.select(subject, detail).where(
            P.state.in_(HELD), ~_attempt("RESERVED"), ~sa.and_(P.state == "AUTHORIZING", replaces, _attempt("CONFIRMED"))
        ),
        "permanent_payment_has_attempt": sa.select(subject, detail).where(P.state.in_(PERMANENT), ~_attempt("CONFIRMED")),
        "one_open_attempt": sa.select(
            _as_text(sa.func.max(P.order_id)).label("subject"), sentence(sa.func.count(), " attempts are reserved")
        )
        .select_from(ATTEMPTS.outerjoin(PAYMENTS, sa.and_(P.order_key == X.order_key, P.attempt == X.attempt)))
        .where(X.state == "RESERVED")
        .group_by(X.order_key)
        .having(sa.func.count(sa.distinct(X.attempt)) > 1),
        "confirmed_attempt_left_nothing_open": sa.select(subject, detail).where(P.state == "OPEN", _attempt("CONFIRMED")),
        "void_pending_has_void": sa.select(subject, detail).where(P.state == "VOID_PENDING", ~_transaction("VOID", "PENDING")),
        "authorizing_has_authorization": sa.select(subject, detail).where(
            P.state == "AUTHORIZING", ~_transaction("AUTHORIZE", "PENDING", T.attempt == P.attempt)
        ),
        "held_card_is_authorized": sa.select(subject, detail).where(
            P.type == CREDIT_CARD,
            P.due > 0,
            P.state.in_(("AUTHORIZED", *PERMANENT)),
            ~_transaction("AUTHORIZE", "SUCCEEDED", T.attempt == P.attempt),
        ),
    }


def _transaction_rules() -> dict[str, Any]:
    begun = TRANSACTIONS.alias("begun")

    def ends_nothing(type: str, *begins: str) -> Any:
        its = (begun.c.payment_id == T.payment_id, begun.c.type.in_(begins))
        return sa.and_(T.type == type, ~sa.exists().where(*its))

    return {
        "what_ends_was_begun": sa.select(
            T.payment_id.label("subject"), sentence(T.type, " of ", T.amount, " ends nothing")
        ).where(sa.or_(ends_nothing("RELEASE", "RESERVE"), ends_nothing("VOID", "AUTHORIZE", "CONFIRM")))
    }


def _charge_rules() -> dict[str, sa.Select[Any]]:
    """At most one charge: one attempt is confirmed, a card is authorized once in it, a key asks for one payment."""
    return {
        "one_confirmed_attempt": sa.select(
            _as_text(sa.func.max(P.order_id)).label("subject"), sentence(sa.func.count(sa.distinct(X.attempt)), " attempts")
        )
        .select_from(ATTEMPTS.join(PAYMENTS, P.order_key == X.order_key))
        .where(X.state == "CONFIRMED")
        .group_by(X.order_key)
        .having(sa.func.count(sa.distinct(X.attempt)) > 1),
        "authorized_once_per_key": sa.select(
            T.payment_id.label("subject"), sentence(sa.func.count(), " authorizations under ", T.gateway_key)
        )
        .where(T.type == "AUTHORIZE", T.result == "SUCCEEDED", T.gateway_key != "")
        .group_by(T.payment_id, T.gateway_key, T.attempt)
        .having(sa.func.count() > 1),
        "gateway_key_belongs_to_one_payment": sa.select(
            T.gateway_key.label("subject"), sentence(sa.func.count(sa.distinct(T.payment_id)), " payments")
        )
        .where(T.gateway_key != "")
        .group_by(T.gateway_key)
        .having(sa.func.count(sa.distinct(T.payment_id)) > 1),
    }


def _effect_rules(dialect: str) -> dict[str, Any]:
    """What a request moved is a transaction; what it made is there or was deleted, payments of carts aside."""
    moved = invariants.listed(dialect, REQUESTS, "transactions")
    unmoved = (
        sa.select(R.request_id.label("subject"), sentence(R.method, ": there is no transaction ", moved.c.value))
        .select_from(REQUESTS.join(moved, sa.true()))
        .where(~sa.exists().where(T.id == moved.c.value))
    )
    adjusted, j = invariants.listed(dialect, REQUESTS, "adjustments"), ADJUSTMENTS.c
    asked = sa.and_(j.user_id == R.user_id, j.request_id == R.request_id)
    unasked = (
        sa.select(R.request_id.label("subject"), sentence(R.method, ": the adjustment ", adjusted.c.value, " is not by its user"))
        .select_from(REQUESTS.join(adjusted, sa.true()))
        .where(~sa.exists().where(j.id == adjusted.c.value, asked))
    )
    return {
        invariants.RULE: sa.union_all(unmoved, *invariants.lost(dialect, REQUESTS, MADE)),
        "adjustment_is_by_who_asked": unasked,
    }


def _as_text(column: Any) -> Any:
    return sa.cast(column, sa.String)


def _money_rules() -> dict[str, sa.Select[Any]]:
    def done(type: str) -> Any:
        return sa.select(total(T.amount)).where(T.payment_id == P.id, T.type == type, T.result == "SUCCEEDED").scalar_subquery()

    resolved = sa.func.coalesce(P.resolved_amount, 0)
    taken = sa.case((BY_CAPTURES, P.captured), else_=resolved)
    subject = P.id.label("subject")
    # What is left of a promise or of an account's payment goes back with the cancel, without a refund of its own.
    given_back = sa.case((BY_CAPTURES, done("REFUND")), else_=done("REFUND") + done("VOID"))
    return {
        "amount_is_resolved": sa.select(subject, sentence(P.resolved_amount, " and ", P.surplus, " of ", P.amount)).where(
            sa.or_(
                P.surplus < 0,
                sa.and_(P.surplus != 0, sa.or_(P.amount.is_(None), P.resolved_amount.is_(None))),
                P.amount != P.resolved_amount + P.surplus,
            )
        ),
        "captured_is_within_authorization": sa.select(subject, sentence(P.captured, " of ", resolved)).where(
            sa.or_(P.captured < 0, P.captured > resolved)
        ),
        "due_is_within_resolved_amount": sa.select(subject, sentence(P.due, " of ", resolved)).where(
            sa.or_(P.due < 0, P.due > resolved)
        ),
        "refunded_is_within_taken": sa.select(subject, sentence(P.refunded, " of ", taken)).where(
            sa.or_(P.refunded < 0, P.refunded > taken)
        ),
        "captured_is_sum_of_captures": sa.select(subject, sentence(P.captured, ", captures say ", done("CAPTURE"))).where(
            P.captured != done("CAPTURE")
        ),
        "refunded_is_sum_of_refunds": sa.select(subject, sentence(P.refunded, ", refunds say ", given_back)).where(
            P.refunded != given_back
        ),
        "ledger_shows_what_is_kept": _kept_in_ledger(),
        "state_follows_amounts": sa.select(
            subject, sentence(P.state, " of ", P.due, ", ", P.captured, " captured, ", P.refunded, " refunded")
        ).where(_state_is_wrong()),
    }


def _state_is_wrong() -> Any:
    """What a state says of the amounts: nothing is taken before the confirm, nothing is left after a void or refund."""
    card, resolved = BY_CAPTURES, sa.func.coalesce(P.resolved_amount, 0)
    before = P.state.in_(("OPEN", *HELD))
    # All went back, but more is due or held: it can still be captured, or its end is asked for.
    rest = sa.or_(P.due > P.captured, _transaction("VOID", "PENDING"))
    return sa.or_(
        sa.and_(before, sa.or_(P.captured != 0, P.refunded != 0)),
        sa.and_(before, P.due != resolved),
        sa.and_(P.state == "CONFIRMED", sa.or_(P.captured != 0, sa.and_(resolved > 0, P.refunded == resolved))),
        sa.and_(P.state == "CONFIRMED", card, resolved > 0, P.due == 0),
        sa.and_(P.state == "CAPTURED", sa.or_(~card, P.captured == 0, sa.and_(P.refunded == P.captured, ~rest))),
        sa.and_(P.state == "REFUNDED", P.refunded != sa.case((card, P.captured), else_=resolved)),
        sa.and_(P.state == "REFUNDED", card, P.due > P.captured),
        sa.and_(P.state == "VOIDED", sa.or_(P.due != 0, sa.and_(card, P.captured != 0))),
    )


def _kept_in_ledger() -> sa.Select[Any]:
    sums = (
        sa.select(L.payment_id, sa.func.sum(L.amount).label("sum"))
        .where(L.account.in_(("marketplace:receipts", "marketplace:receivable")))
        .group_by(L.payment_id)
        .subquery()
    )
    shown = sa.func.coalesce(sums.c.sum, 0)
    resolved = sa.func.coalesce(P.resolved_amount, 0)
    kept = sa.case((BY_CAPTURES, P.captured - P.refunded), (P.state.in_(PERMANENT), resolved - P.refunded), else_=0)
    return (
        sa.select(P.id.label("subject"), sentence(kept, ", the ledger says ", shown))
        .select_from(PAYMENTS.outerjoin(sums, sums.c.payment_id == P.id))
        .where(kept != shown)
    )


def _gateway_rules() -> dict[str, sa.Select[Any]]:
    """The test gateway can be looked into: it holds nothing that nobody wants."""
    wanted = (
        sa.exists()
        .where(T.gateway_key == G.key, T.type == "AUTHORIZE", P.id == T.payment_id, P.attempt == T.attempt)
        .where(P.state.in_(("AUTHORIZING", "AUTHORIZED", "ATTENTION", *PERMANENT)))
        .where(sa.or_(P.due > P.captured, P.state == "ATTENTION"))
    )
    # A void or a renewal that is still asked about ends, or takes over, what is held; what has lapsed is held no more, and
    # what was taken in whole is no hold.
    asked, taken = TRANSACTIONS.alias().c, TRANSACTIONS.alias().c
    under_way = sa.exists().where(
        asked.authorization_key == G.key,
        sa.or_(
            asked.type == "LAPSE",
            sa.and_(
                asked.result == "PENDING",
                sa.or_(asked.type.in_(("VOID", "CAPTURE")), sa.and_(asked.type == "AUTHORIZE", asked.cause == "RENEWAL")),
            ),
        ),
    )
    captures = sa.select(total(taken.amount)).where(
        taken.authorization_key == G.key, taken.type == "CAPTURE", taken.result == "SUCCEEDED"
    )
    ending = sa.or_(under_way, captures.scalar_subquery() >= G.amount)
    renewed = (
        sa.select(P.id.label("subject"), sentence(sa.func.count(sa.distinct(G.key)), " authorizations are held for one payment"))
        .select_from(PAYMENTS.join(TRANSACTIONS, T.payment_id == P.id).join(GATEWAY, G.key == T.gateway_key))
        .where(T.type == "AUTHORIZE", G.operation == "authorize", G.state == "DONE", ~ending, ~waits_at_gateway("ENDING"))
        .group_by(P.id)
        .having(sa.func.count(sa.distinct(G.key)) > 1)
    )
    return {
        "gateway_holds_what_is_wanted": sa.select(
            G.key.label("subject"), sentence(G.amount, " is held at the test gateway")
        ).where(G.operation == "authorize", G.state == "DONE", ~wanted, ~ending, ~waits_at_gateway(*DUE)),
        "one_authorization_a_payment": renewed,
    }


def _alert_rules() -> dict[str, sa.Select[Any]]:
    a = ALERTS.c
    lost = sa.and_(a.report_time.is_(None), a.reported_version < a.version)
    return {
        "attention_is_alerted": sa.select(P.id.label("subject"), sentence(P.state, ", no alert was raised")).where(
            P.state == "ATTENTION", ~sa.exists().where(a.id == P.id)
        ),
        "alert_is_reported_or_due": sa.select(
            a.id.label("subject"), sentence("version ", a.version, ", reported ", a.reported_version)
        ).where(sa.or_(lost, a.reported_version > a.version)),
    }
