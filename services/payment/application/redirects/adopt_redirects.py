"""What a try of a submit does with payments that wait for their buyers: it takes over what they have agreed to before."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.payment.application.gateway.gateways import Gateways
from services.payment.application.ports import PaymentWork, Units
from services.payment.application.redirects.settle_redirects import SettleRedirects
from services.payment.domain.means.means import Means
from services.payment.domain.payments.payment import Payment, Problem
from services.payment.domain.payments.types import Holding
from services.payment.domain.redirects.redirect import Redirect, RedirectEvent, RedirectState, unready
from waybill.payment.v1 import reasons

_OPEN = (RedirectState.ASKED, RedirectState.ACTION_REQUIRED)


class AdoptRedirects:
    """Orders that no payment of waits for its buyer cost no statement."""

    def __init__(self, units: Units, gateways: Gateways, settle: SettleRedirects, patience: float) -> None:
        """`patience`: seconds that a try waits for a provider whose call-back has not come."""
        self._units = units
        self._gateways = gateways
        self.settle = settle
        self.patience = patience

    def waiting(self, payments: Iterable[Payment], means: Means) -> set[str]:
        """Payments that wait for their buyers before a gateway holds anything."""
        found: set[str] = set()
        for p in payments:
            card = means.cards.get(p.credit_card_id)
            if p.holding is Holding.GATEWAY and card is not None and self._gateways.of(p.type).needs_buyer(card.token):
                found.add(p.id)
        return found

    async def good(
        self, work: PaymentWork, key: uuid.UUID, payments: Sequence[Payment], means: Means, now: datetime, *, lock: bool
    ) -> tuple[dict[str, Redirect], list[Problem]]:
        """What can be taken over, by payment, and which of them lack it."""
        waiting = self.waiting(payments, means)
        if not waiting:
            return {}, []
        return unready(payments, waiting, await work.redirects.of_order(key, lock=lock), now)

    async def take_over(self, work: PaymentWork, good: Mapping[str, Redirect], attempt: int, now: datetime) -> None:
        """They are the attempt's from now on."""
        taken = (r.moved(RedirectEvent.ADOPT, now, now) for r in good.values())
        await work.redirects.save([replace(r, attempt=attempt) for r in taken if r is not None])

    async def agreed_meanwhile(self, key: uuid.UUID, problems: Iterable[Problem]) -> bool:
        """Whether a buyer has agreed whose provider has not called back yet: it is asked before that is the answer. Or has called
        back since the payments were looked at."""
        lacking = {p.payment_id for p in problems if p.reason == reasons.PAYMENT_ACTION_REQUIRED}
        if not lacking:
            return False
        async with self._units.reading() as work:
            rows = [r for r in await work.redirects.of_order(key) if r.payment_id in lacking]
        if any(r.state is RedirectState.AUTHORIZED for r in rows):
            return True
        looked = await self.settle.look([r for r in rows if r.state in _OPEN], self.patience)
        return any(r is not None and r.state is RedirectState.AUTHORIZED for r in looked)
