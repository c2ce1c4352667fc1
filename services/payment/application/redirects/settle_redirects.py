"""Authorizations that wait for their buyers: asked about until the provider answers, and voided at their time.

The provider is asked outside of any transaction; our key makes every repeat the same operation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from libs.clock import Clock
from libs.failpoints import Failpoints
from libs.obs import get_logger
from libs.service.loops import Pace, put_off
from services.payment.application.gateway.ask_gateway import BROKEN, UNKNOWN, AskGateway
from services.payment.application.gateway.ports import Answer, Gateway, Verdict
from services.payment.application.ports import PaymentWork, Units
from services.payment.domain.redirects.redirect import LIVE, Redirect, RedirectEvent, RedirectState

_LOG = get_logger("payment.redirects")
MAX_URL = 4_000
"""Most characters of a provider's page; it cannot be sent to a longer one."""
_EVENTS = {
    Verdict.ACTION_REQUIRED: RedirectEvent.WAIT,
    Verdict.APPROVED: RedirectEvent.APPROVE,
    Verdict.DECLINED: RedirectEvent.DECLINE,
}


class SettleRedirects:
    """Also a background loop, safe in every replica: rows are claimed, and moved only as their states allow."""

    def __init__(self, units: Units, clock: Clock, ask: AskGateway, pace: Pace, failpoints: Failpoints) -> None:
        self._units = units
        self._clock = clock
        self._ask = ask
        self._pace = pace
        self._failpoints = failpoints

    async def once(self) -> int:
        """Asks about everything that is due, voids what is out of its time; returns how much was looked at."""
        now = self._clock.now()
        async with self._units.reading() as work:
            # Most looks find nothing: those take no write lock.
            if not await work.redirects.any_due(now):
                return 0
        due = await self._units.retrying(lambda work: work.redirects.claim_due(now, now + self._pace.again, self._pace.batch))
        await asyncio.gather(*(self._guarded(row) for row in due))
        return len(due)

    async def _guarded(self, row: Redirect) -> None:
        """What one fails by keeps no other waiting."""
        try:
            await self._settle(row)
        except Exception as error:
            await put_off(row.id, error, _LOG, self._pace.tries)

    async def _settle(self, row: Redirect) -> None:
        if row.state in LIVE and row.expire_time <= self._clock.now():
            row = await self._moved(row, RedirectEvent.END)
        if row.state is RedirectState.ENDING:
            await self._void(row)
        elif row.state is RedirectState.ASKED:
            await self.begin(row)

    async def begin(self, row: Redirect) -> Redirect:
        """Asks the provider to begin it, and writes what it says; without an answer it is asked on."""
        async with self._units.reading() as work:
            card = (await work.means.cards({row.credit_card_id})).get(row.credit_card_id)
        if card is None:
            # Its means was deleted: there is nobody to send to the provider.
            return await self._moved(row, RedirectEvent.END)
        amount, token = row.amount, card.token

        async def operate(gateway: Gateway) -> Answer:
            return await gateway.start(row.gateway_key, token, amount, row.currency, row.return_url, row.expire_time)

        answer = await self._ask(row.type, operate)
        await self._failpoints.reach("payment.redirect.answered")
        if answer == BROKEN or len(answer.url) > MAX_URL:
            await self._pace.tries.failed(row.id, BROKEN.message)
            return row
        return await self._noted(row, answer)

    async def look(self, rows: Sequence[Redirect], within: float | None = None) -> list[Redirect | None]:
        """Asks providers what became of some, and writes it; None for what its provider is silent about, which stays as it is."""

        async def one(row: Redirect) -> Redirect | None:
            answer = await self._ask(row.type, lambda gateway: gateway.get_by_key(row.gateway_key), within)
            return None if answer.verdict is Verdict.UNKNOWN else await self._noted(row, answer)

        return list(await asyncio.gather(*(one(row) for row in rows)))

    async def _noted(self, row: Redirect, answer: Answer) -> Redirect:
        event = _EVENTS.get(answer.verdict)
        return row if event is None else await self._moved(row, event, answer)

    async def _void(self, row: Redirect) -> None:
        answer = await self._ask(row.type, lambda gateway: gateway.void(row.gateway_key))
        if answer.verdict in (Verdict.APPROVED, Verdict.NOTHING):
            await self._moved(row, RedirectEvent.CLEAR)
        elif answer != UNKNOWN:
            await self._pace.tries.failed(row.id, answer.message or answer.verdict.value)

    async def _moved(self, row: Redirect, event: RedirectEvent, answer: Answer | None = None) -> Redirect:
        """As it is stored after an event, with what the provider said; as it stands where its state does not know the event."""
        return await self._units.retrying(lambda work: self._move(work, row.id, event, answer)) or row

    async def _move(self, work: PaymentWork, id: str, event: RedirectEvent, answer: Answer | None) -> Redirect | None:
        now = self._clock.now()
        row = await work.redirects.get(id, lock=True)
        moved = None if row is None else row.moved(event, now, now + self._pace.again)
        if moved is None:
            return row
        after = moved if answer is None else _as_answered(moved, answer)
        await work.redirects.save([after])
        return after


def _as_answered(row: Redirect, answer: Answer) -> Redirect:
    """What a provider leaves out stays as it said it before."""
    return replace(
        row,
        url=answer.url or row.url,
        gateway_reference=answer.reference or row.gateway_reference,
        message=answer.message,
        authorization_expire_time=answer.expire_time,
    )
