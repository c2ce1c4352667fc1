"""Rules of payments in a unit of the seller's own: whose unit it is, and what transactions moved of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.db.invariants import sentence, total
from services.payment.adapters.db.tables import ACCOUNTS, PAYMENTS, TRANSACTIONS
from services.payment.domain.payments.types import SPENDING_ACCOUNT
from services.payment.domain.payments.units import MAX_DIGITS, smallest

P, T, A = PAYMENTS.c, TRANSACTIONS.c, ACCOUNTS.c


def unit_rules() -> dict[str, Any]:
    """All of them."""
    subject = P.id.label("subject")
    drawn, back = _done("CONFIRM"), _done("REFUND", "VOID")
    held = _done("RESERVE", attempt=True)
    expected = sa.case((P.state == "RESERVED", held), else_=drawn)
    return {
        "units_are_those_of_the_account": _of_the_account(),
        "debited_units_are_moved": sa.union_all(
            sa.select(subject, sentence(P.debited_units, ", transactions say ", expected)).where(P.debited_units != expected),
            sa.select(subject, sentence(T.type, " of ", T.units, " units, and no account pays"))
            .join_from(TRANSACTIONS, PAYMENTS, P.id == T.payment_id)
            .where(T.units != 0, P.type != SPENDING_ACCOUNT),
        ),
        "refunded_units_are_moved": sa.select(subject, sentence(P.refunded_units, ", transactions say ", back)).where(
            P.refunded_units != back
        ),
    }


def _done(*types: str, attempt: bool = False) -> Any:
    its = [T.payment_id == P.id, T.type.in_(types), T.result == "SUCCEEDED", *([T.attempt == P.attempt] if attempt else [])]
    return sa.select(total(T.units)).where(*its).scalar_subquery()


def _smallest(digits: Any) -> Any:
    """The smallest amount of a unit; of one with more digits than there can be, nothing is whole."""
    return sa.case({n: smallest("", n) for n in range(MAX_DIGITS + 1)}, value=digits, else_=10**18)


def _of_the_account() -> Any:
    """An account in the seller's own unit says what it is worth, and moves what the unit has."""
    unit = _smallest(A.unit_digits)
    stated = sa.and_(A.rate > 0, A.order_currency != "")
    nothing = sa.and_(A.rate == 0, A.order_currency == "", A.unit_digits == 0)
    finer = sa.and_(A.rate != 0, sa.or_(A.balance % unit != 0, A.reserved % unit != 0))
    text = sentence(A.balance, " and ", A.reserved, " ", A.currency)
    return sa.select(A.id.label("subject"), text).where(sa.or_(~sa.or_(stated, nothing), finer))
