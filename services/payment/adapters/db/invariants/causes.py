"""Rules of causes: no movement without its transaction, no transaction without its payment, and the gateway's truth."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.db.invariants import finer_than_minor_unit, sentence
from services.payment.adapters.db.tables import (
    ACCOUNT_ASSIGNMENTS,
    ACCOUNTS,
    ADJUSTMENTS,
    ALERTS,
    CARD_ASSIGNMENTS,
    CARDS,
    GATEWAY,
    LEDGER,
    PAYMENTS,
    REDIRECTS,
    TRANSACTIONS,
)
from services.payment.domain.money.ledger import EXTERNAL, ISSUED, POINTS, RECEIPTS, RECEIVABLE
from services.payment.domain.payments.types import CREDIT_CARD, SPENDING_ACCOUNT

J, S, K = ADJUSTMENTS.c, ACCOUNT_ASSIGNMENTS.c, CARD_ASSIGNMENTS.c
L, P, T, G, A, C = LEDGER.c, PAYMENTS.c, TRANSACTIONS.c, GATEWAY.c, ACCOUNTS.c, CARDS.c
_GIVES_BACK = ("VOID", "REFUND")
PERMANENT = ("CONFIRMED", "CAPTURED", "REFUNDED")
_SPENDING, _BUYER, _GATEWAY = "spending_account:", "buyer:", "gateway:"


def cause_rules() -> dict[str, Any]:
    """All of them."""
    return {
        "transaction_has_its_payment": sa.select(T.payment_id.label("subject"), sentence(T.type, " of ", T.amount)).where(
            ~sa.exists().where(P.id == T.payment_id)
        ),
        "transaction_is_of_the_amount": _amounts(),
        "transaction_is_timed": _times(),
        "ledger_movement_has_two_sides": _sides(),
        "ledger_movement_has_its_transaction": _payments_movements(),
        "ledger_issue_is_to_an_account": _issues(),
        "ledger_issue_has_its_adjustment": _adjustments(),
        "payment_has_its_means": _means(),
        "payment_is_accepted": sa.select(P.id.label("subject"), sentence(P.state, ", and not accepted")).where(
            P.state.in_(PERMANENT), ~P.accepted
        ),
        "payment_was_confirmed": sa.select(P.id.label("subject"), sentence(P.state, ", and never confirmed")).where(
            P.state.in_(PERMANENT), ~sa.exists().where(T.payment_id == P.id, T.type == "CONFIRM", T.result == "SUCCEEDED")
        ),
        "amounts_have_the_minor_unit": _fractions(),
        "alert_is_of_its_payment": sa.select(
            ALERTS.c.id.label("subject"), sentence("is of another order, or of no payment")
        ).where(~sa.exists().where(P.id == ALERTS.c.id, P.order_key == ALERTS.c.order_key)),
        "assignment_has_account": sa.select(S.spending_account_id.label("subject"), sentence("for ", S.user_id)).where(
            ~sa.exists().where(A.id == S.spending_account_id)
        ),
        "assignment_has_card": _assigned_cards(),
        "assignment_is_to_one": _assigned_to_both(),
        "gateway_did_what_was_recorded": _at_the_gateway(),
        "gateway_did_nothing_else": _unrecorded(),
    }


def _assigned_cards() -> Any:
    """Only a card of the company is assigned, and one that is says so."""
    card = sa.exists().where(C.id == K.credit_card_id, C.user_id == "", C.restricted)
    return sa.select(K.credit_card_id.label("subject"), sentence("for ", K.user_id, K.user_group_id)).where(~card)


def _assigned_to_both() -> Any:
    """To a user, to a group, or with neither to everyone."""

    def both(subject: Any, c: Any) -> Any:
        text = sentence("is assigned to ", c.user_id, " and to ", c.user_group_id, " at once")
        return sa.select(subject.label("subject"), text).where(c.user_id != "", c.user_group_id != "")

    return sa.union_all(both(S.spending_account_id, S), both(K.credit_card_id, K))


def _amounts() -> Any:
    """What was reserved, authorized and confirmed in a payment's attempt is its amount."""
    begun = sa.or_(T.type.in_(("RESERVE", "CONFIRM")), sa.and_(T.type == "AUTHORIZE", T.cause == "SUBMIT"))
    return (
        sa.select(P.id.label("subject"), sentence(T.type, " of ", T.amount, ", the payment is of ", P.resolved_amount))
        .join_from(TRANSACTIONS, PAYMENTS, P.id == T.payment_id)
        .where(begun, T.result == "SUCCEEDED", T.attempt == P.attempt, P.state != "OPEN")
        .where(sa.func.coalesce(P.resolved_amount, -1) != T.amount)
    )


def _fractions() -> Any:
    """What is owed, held or moved can be paid: it has no part of a minor unit."""

    def of(subject: Any, currency: Any, *amounts: Any) -> sa.Select[Any]:
        return sa.select(subject.label("subject"), sentence("an amount is finer than ", currency, " has")).where(
            finer_than_minor_unit(currency, *amounts)
        )

    moved = of(T.payment_id, P.currency, T.amount).join_from(TRANSACTIONS, PAYMENTS, P.id == T.payment_id)
    return sa.union_all(
        of(P.id, P.currency, P.amount, P.resolved_amount, P.due, P.captured, P.refunded),
        moved,
        of(L.transaction_id, L.currency, L.amount).where(~sa.exists().where(A.currency == L.currency, A.rate != 0)),
        of(A.id, A.currency, A.balance, A.reserved).where(A.rate == 0),
        of(REDIRECTS.c.payment_id, REDIRECTS.c.currency, REDIRECTS.c.amount),
    )


def _times() -> Any:
    """A transaction is pending until its result has a time; only a pending one is asked about."""
    pending = T.result == "PENDING"
    wrong = sa.or_(
        sa.and_(pending, T.result_time.is_not(None)),
        sa.and_(~pending, sa.or_(T.result_time.is_(None), T.ask_time.is_not(None))),
        T.result_time < T.create_time,
    )
    return sa.select(T.payment_id.label("subject"), sentence(T.type, " is ", T.result, " against its times")).where(wrong)


def _sides() -> Any:
    """Two sides in each currency and unit, of one order, one payment and one moment."""

    def one(column: Any) -> Any:
        return sa.func.count(sa.distinct(column)) == 1

    alike = sa.and_(one(L.order_id), one(L.payment_id), one(L.description), one(L.entry_time))
    return (
        sa.select(L.transaction_id.label("subject"), sentence(sa.func.count(), " sides, or of different orders or moments"))
        .group_by(L.transaction_id)
        .having(sa.or_(sa.func.count() != 2 * sa.func.count(sa.distinct(L.currency)), ~alike))
    )


def _payments_movements() -> Any:
    """A payment's movement is that of a transaction of it: its amount, its time, and between the accounts of its means."""
    back = sa.case((T.type.in_(_GIVES_BACK), -1), else_=1)
    ours = L.account.in_((RECEIPTS, RECEIVABLE))
    theirs = sa.case(
        (P.unit != "", L.account == POINTS),
        (P.type == SPENDING_ACCOUNT, L.account == sa.literal(_SPENDING) + P.spending_account_id),
        (P.type == CREDIT_CARD, L.account.startswith(_GATEWAY)),
        (P.external, L.account == sa.literal(EXTERNAL) + P.type),
        else_=L.account == sa.literal(_BUYER) + P.buyer_id,
    )
    own = sa.case((sa.or_(P.type.in_((SPENDING_ACCOUNT, CREDIT_CARD)), P.external), RECEIPTS), else_=RECEIVABLE)
    money = sa.and_(
        L.currency == P.currency,
        L.amount == sa.case((ours, back * T.amount), else_=-back * T.amount),
        sa.case((ours, L.account == own), else_=theirs),
    )
    account = L.account == sa.literal(_SPENDING) + P.spending_account_id
    side = sa.or_(sa.and_(L.account == POINTS, L.amount == back * T.units), sa.and_(account, L.amount == -back * T.units))
    units = sa.and_(P.unit != "", L.currency == P.unit, T.units > 0, side)
    named = sa.and_(L.payment_id == P.id, L.order_id == P.order_id, L.entry_time == T.result_time)
    right = sa.and_(named, sa.or_(money, units))
    caused = sa.exists().where(T.id == L.transaction_id, P.id == T.payment_id, T.result == "SUCCEEDED", right)
    return sa.select(
        L.transaction_id.label("subject"), sentence(L.amount, " on ", L.account, " of payment ", L.payment_id)
    ).where(L.payment_id != "", ~caused)


def _issues() -> Any:
    """What is of no payment gives to a spending account, or takes from it."""
    account = sa.exists().where(L.account == sa.literal(_SPENDING) + A.id, L.currency == A.currency)
    return sa.select(L.transaction_id.label("subject"), sentence(L.amount, " on ", L.account)).where(
        L.payment_id == "",
        sa.or_(L.order_id != "", sa.and_(L.account != ISSUED, ~account), sa.exists().where(T.id == L.transaction_id)),
    )


def _adjustments() -> Any:
    """What is of no payment was asked for: an adjustment of the account says so, of the same amount, moment and reason."""
    account = L.account == sa.literal(_SPENDING) + J.spending_account_id
    side = sa.or_(sa.and_(account, L.amount == J.amount), sa.and_(L.account == ISSUED, L.amount == -J.amount))
    same = sa.and_(L.currency == J.currency, L.entry_time == J.create_time, L.description == J.description, side)
    return sa.union_all(
        sa.select(L.transaction_id.label("subject"), sentence(L.amount, " on ", L.account, ", and nobody asked for it")).where(
            L.payment_id == "", ~sa.exists().where(J.id == L.transaction_id, same)
        ),
        sa.select(J.id.label("subject"), sentence(J.amount, " for ", J.spending_account_id, " moved nothing")).where(
            ~sa.exists().where(L.transaction_id == J.id, L.payment_id == "", account)
        ),
    )


def _means() -> Any:
    """An account of its currency, or a card of its buyer, and none of the other means."""
    money = sa.and_(A.rate == 0, A.currency == P.currency, P.unit == "")
    # Of nothing, where others pay for all, it has no units either.
    unit = sa.and_(A.rate != 0, A.order_currency == P.currency, A.currency == P.unit, A.unit_digits == P.unit_digits)
    account = sa.exists().where(A.id == P.spending_account_id, A.buyer_id == P.buyer_id, sa.or_(money, unit))
    card = sa.exists().where(C.id == P.credit_card_id, C.buyer_id == P.buyer_id, C.user_id.in_(("", P.user_id)))
    card = card.where(C.order_id.in_(("", P.order_id)))
    taken = P.state.in_(("RESERVED", "AUTHORIZING", "AUTHORIZED", "CONFIRMED", "CAPTURED", "ATTENTION"))
    wrong = sa.or_(
        sa.and_(P.type == SPENDING_ACCOUNT, taken, ~account),
        sa.and_(P.type == CREDIT_CARD, taken, ~card),
        sa.and_(P.type != SPENDING_ACCOUNT, P.spending_account_id != ""),
        sa.and_(P.type != CREDIT_CARD, P.credit_card_id != ""),
        sa.and_(P.type != SPENDING_ACCOUNT, P.unit != ""),
    )
    return sa.select(P.id.label("subject"), sentence(P.type, " of ", P.spending_account_id, P.credit_card_id)).where(wrong)


def _at_the_gateway() -> Any:
    """The test gateway has every operation that it answered, as it is recorded. A real one has no table here."""
    operation = sa.func.lower(T.type)
    state = sa.or_(G.state == "DONE", sa.and_(G.operation == "authorize", G.state == "VOIDED"))
    same = sa.and_(G.amount == T.amount, G.currency == P.currency, G.reference == T.gateway_reference, state)
    done = sa.exists().where(G.key == T.gateway_key, G.operation == operation, same)
    return (
        sa.select(P.id.label("subject"), sentence(T.type, " of ", T.amount, " is not what the gateway has"))
        .join_from(TRANSACTIONS, PAYMENTS, P.id == T.payment_id)
        .where(T.type.in_(("AUTHORIZE", "CAPTURE", "REFUND")), T.result == "SUCCEEDED", T.gateway_key != "")
        .where(sa.exists().select_from(GATEWAY), ~done)
    )


def _unrecorded() -> Any:
    """Money that the test gateway took or gave back belongs to a transaction."""
    asked = sa.exists().where(T.gateway_key == G.key, sa.func.lower(T.type) == G.operation)
    authorized = GATEWAY.alias("authorized")
    its = sa.exists().where(authorized.c.key == G.authorization_key, authorized.c.operation == "authorize")
    known = G.state.in_(("DONE", "DECLINED", "VOIDED", "LATE", "WAITING"))
    moved = G.operation.in_(("capture", "refund"))
    return sa.select(G.key.label("subject"), sentence(G.operation, " of ", G.amount, " at the test gateway")).where(
        sa.or_(sa.and_(moved, G.state == "DONE", sa.or_(~asked, ~its)), ~known, ~sa.or_(moved, G.operation == "authorize"))
    )
