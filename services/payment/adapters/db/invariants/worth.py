"""What payments in a unit of the seller's own draw, worked out again by the domain.

Products of two amounts do not fit into a column, so the database counts nothing here: rows are read a page at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.db.invariants import count
from libs.invariants import Finding, RuleResult
from services.payment.adapters.db.tables import PAYMENTS
from services.payment.domain.payments.units import MAX_DIGITS, cost, given_back

RULE = "units_are_worth_the_amount"
PAGE = 500
_P = PAYMENTS.c
_COLUMNS = (_P.id, _P.unit, _P.unit_digits, _P.rate, _P.debited_units, _P.refunded_units, _P.resolved_amount, _P.refunded)
_STATED = sa.or_(_P.unit != "", _P.rate != 0, _P.unit_digits != 0, _P.debited_units != 0, _P.refunded_units != 0)
"""Payments that say anything of a unit: all others draw none."""


async def worth_in_units(tx: Tx, context: str) -> AsyncIterator[Finding | RuleResult]:
    """A payment draws the fewest units that are worth its amount, and what of it went back is the same share of both."""
    broken, last = 0, ""
    statement = sa.select(*_COLUMNS).where(_STATED).order_by(_P.id).limit(PAGE)
    while rows := (await tx.execute(statement.where(_P.id > last))).all():
        for row in rows:
            if wrong := _wrong(row):
                broken += 1
                yield Finding(context, RULE, row.id, wrong)
        last = rows[-1].id
    yield RuleResult(RULE, await count(tx, PAYMENTS), broken)


def _wrong(row: Any) -> str:
    """What a row says that its amount and rate do not make."""
    amount = row.resolved_amount or 0
    if not row.unit or row.rate <= 0 or not 0 <= row.unit_digits <= MAX_DIGITS:
        return f"{row.debited_units} '{row.unit}' with {row.unit_digits} digits at {row.rate} for {amount}"
    if not 0 <= row.refunded <= amount:
        return f"{row.refunded} of {amount} is refunded"
    drawn = cost(amount, row.rate, row.unit_digits)
    back = given_back(row.debited_units, row.unit_digits, row.refunded, amount)
    if (row.debited_units, row.refunded_units) == (drawn, back):
        return ""
    return (
        f"{row.debited_units} {row.unit} at {row.rate} for {amount}, of which {row.refunded_units} went back with {row.refunded}:"
        f" it is {drawn}, and {back}"
    )
