"""Rules of payments of declared types: each has its type, and what is recorded of it says who did that, and when."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.db.invariants import sentence, total
from services.payment.adapters.db.tables import PAYMENTS, TRANSACTIONS, TYPE_ASSIGNMENTS, TYPES
from services.payment.domain.means.declared import AT_ONCE, BY_RECORD
from services.payment.domain.money.recording import RECORDABLE
from services.payment.domain.payments.types import CREDIT_CARD, REGISTRY

P, T, Y, S = PAYMENTS.c, TRANSACTIONS.c, TYPES.c, TYPE_ASSIGNMENTS.c
BY_CAPTURES = sa.or_(P.type == CREDIT_CARD, P.external)
"""Payments of which captures, and not the confirmation of their order, say what is taken."""
_MOVED = ("RESERVED", "CONFIRMED", "CAPTURED", "REFUNDED")


def outside_rules() -> dict[str, Any]:
    """All of them."""
    declared = sa.exists().where(Y.id == P.type, Y.acceptance.in_((AT_ONCE, BY_RECORD)))
    recorded = T.cause == "RECORD"
    its = sa.exists().where(P.id == T.payment_id, P.external)
    right = sa.and_(
        T.recorded_by != "",
        T.occur_time.is_not(None),
        T.occur_time <= T.create_time,
        T.type.in_([type.value for type in RECORDABLE]),
        T.result == "SUCCEEDED",
        T.gateway_key == "",
        its,
    )
    nothing = sa.and_(T.recorded_by == "", T.occur_time.is_(None))
    return {
        "external_payment_has_its_type": sa.select(P.id.label("subject"), sentence(P.state, " of type ", P.type)).where(
            P.external, sa.or_(P.type.in_(sorted(REGISTRY)), sa.and_(P.state.in_(_MOVED), ~declared))
        ),
        "record_says_who_and_when": sa.select(
            T.payment_id.label("subject"), sentence(T.type, " of ", T.amount, " by ", T.recorded_by)
        ).where(sa.or_(sa.and_(recorded, ~right), sa.and_(~recorded, ~nothing))),
        "outside_no_more_is_voided_than_authorized": sa.select(
            P.id.label("subject"), sentence(_recorded("VOID"), " of ", _recorded("AUTHORIZE"))
        ).where(P.external, _recorded("VOID") > _recorded("AUTHORIZE")),
        "assigned_type_is_restricted": sa.select(
            S.payment_type_id.label("subject"), sentence("for ", S.buyer_id, " ", S.user_id, S.user_group_id)
        ).where(
            sa.or_(~sa.exists().where(Y.id == S.payment_type_id, Y.restricted), sa.and_(S.user_id != "", S.user_group_id != ""))
        ),
    }


def _recorded(type: str) -> Any:
    its = (T.payment_id == P.id, T.type == type, T.cause == "RECORD")
    return sa.select(total(T.amount)).where(*its).scalar_subquery()
