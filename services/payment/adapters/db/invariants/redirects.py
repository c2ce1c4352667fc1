"""Rules of authorizations that wait for their buyers: each is of its payment, and nothing of it is forgotten at the provider."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.db.invariants import sentence
from services.payment.adapters.db.tables import GATEWAY, PAYMENTS, REDIRECTS, TRANSACTIONS
from services.payment.domain.redirects.redirect import DUE, LIVE, PREFIX

R, P, T, G = REDIRECTS.c, PAYMENTS.c, TRANSACTIONS.c, GATEWAY.c
_MADE = f"/{PREFIX}_"
"""How our key goes on behind the order's, where an attempt's own begins with its number."""
_LIVE, _DUE = sorted(state.value for state in LIVE), sorted(state.value for state in DUE)


def waits_at_gateway(*states: str) -> Any:
    """An operation of the test gateway that is of an authorization in these states."""
    return sa.exists().where(R.gateway_key == G.key, R.state.in_([str(state) for state in states]))


def redirect_rules() -> dict[str, Any]:
    """All of them."""
    its = sa.exists().where(P.id == R.payment_id, P.order_key == R.order_key, P.currency == R.currency, P.type == R.type)
    taken_over = sa.exists().where(
        T.payment_id == R.payment_id,
        T.type == "AUTHORIZE",
        T.result == "SUCCEEDED",
        T.gateway_key == R.gateway_key,
        T.gateway_reference == R.gateway_reference,
        T.attempt == R.attempt,
        T.amount == R.amount,
    )
    adopted = R.state == "ADOPTED"
    by_its_card = sa.exists().where(P.id == R.payment_id, P.credit_card_id == R.credit_card_id)
    # Behind the order's key, which is 36 characters.
    named = sa.func.substr(R.gateway_key, 37) == sa.literal("/") + R.id + "/" + R.payment_id
    subject, detail = R.payment_id.label("subject"), sentence(R.state, " of ", R.amount, " ", R.currency)
    known = sa.exists().where(
        G.key == R.gateway_key,
        G.operation == "authorize",
        G.amount == R.amount,
        G.currency == R.currency,
        G.reference == R.gateway_reference,
    )
    answered = R.state.in_(("ACTION_REQUIRED", "AUTHORIZED", "ADOPTED"))
    return {
        "redirect_is_of_its_payment": sa.select(subject, detail).where(
            sa.or_(~named, sa.and_(sa.or_(R.state.in_(_LIVE), adopted), ~its))
        ),
        "redirect_is_adopted_by_its_attempt": sa.select(subject, sentence(R.state, " in attempt ", R.attempt)).where(
            sa.or_(sa.and_(adopted, ~sa.and_(taken_over, by_its_card)), sa.and_(~adopted, R.attempt != 0))
        ),
        "redirect_is_timed": sa.select(subject, sentence(R.state, " against its times")).where(
            R.state.in_(_DUE) != R.ask_time.is_not(None)
        ),
        "redirect_is_at_the_gateway": sa.select(subject, detail).where(answered, sa.exists().select_from(GATEWAY), ~known),
        "adopted_authorization_has_its_redirect": sa.select(
            T.payment_id.label("subject"), sentence(T.amount, " under ", T.gateway_key)
        ).where(
            T.type == "AUTHORIZE",
            sa.func.substr(T.gateway_key, 37, len(_MADE)) == _MADE,
            ~sa.exists().where(R.gateway_key == T.gateway_key),
        ),
        "one_redirect_a_payment": sa.select(subject, sentence(sa.func.count(), " wait for one buyer"))
        .where(sa.or_(R.state.in_(_LIVE), adopted))
        .group_by(R.payment_id)
        .having(sa.func.count() > 1),
    }
