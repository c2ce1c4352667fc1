"""Payments whose money is not known to be where it should be."""

from __future__ import annotations

import sqlalchemy as sa

from libs.db import Tx
from libs.query import Field, Listing
from libs.query.request import Page, PageRequest
from services.payment.adapters.db.payments.payment_store import payment_of
from services.payment.adapters.db.tables import PAYMENTS, TRANSACTIONS
from services.payment.application.watching.reconcile_payments import UNSETTLED
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import State

P = PAYMENTS.c
LISTING = Listing(
    {
        "id": Field(P.id),
        "order_id": Field(P.order_id),
        "buyer_id": Field(P.buyer_id),
        "type": Field(P.type),
        "state": Field(P.state, "enum", {state.value: state.value for state in State}),
        "update_time": Field(P.update_time, "time"),
    },
    P.id,
    default_order="update_time",
)
_ASKED = sa.select(TRANSACTIONS.c.payment_id).where(TRANSACTIONS.c.ask_time.is_not(None))
_UNSETTLED = sa.select(PAYMENTS).where(sa.or_(P.state.in_([s.value for s in UNSETTLED]), P.id.in_(_ASKED)))


class SqlUnsettledPayments:
    """Looks at every payment: for people, not for loops."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def page(self, request: PageRequest) -> Page[Payment]:
        """A page, those that changed longest ago first."""
        plan = LISTING.plan(self._tx.dialect, request)
        return (await plan.read(self._tx, _UNSETTLED)).map(lambda row: payment_of(row._mapping))
