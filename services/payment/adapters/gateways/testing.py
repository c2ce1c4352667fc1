"""The built-in test gateway. It remembers in a table of its own, in transactions of its own, as a real one would.

The card's token decides what happens; any token that is not named here is approved:

| token | what happens |
|---|---|
| `tok_approve` | everything is approved |
| `tok_decline` | the authorization is declined: `insufficient_funds` |
| `tok_timeout` | the authorization is never answered, and nothing is held |
| `tok_late` | the authorization is not answered, but approved afterwards: seen by key, or by a void, which it outruns once |
| `tok_late_void` | the first void is not answered, and not done |
| `tok_decline_capture`, `tok_decline_refund` | that operation is declined |
| `tok_once` | the first authorization is approved, its renewal is declined: `card_expired` |
| `tok_late_renewal` | the first authorization is approved at once, its renewal is not answered, but approved afterwards |
| `tok_late_capture`, `tok_late_refund` | that operation is done, its first call is not answered |
| `tok_redirect` | it waits for its buyer, who approves or declines on a page: see `act` |
| `tok_redirect_late` | the same, and the first call that begins it is not answered |
| `tok_redirect_timeout` | the call that begins it is never answered, and nothing waits |
| `tok_redirect_decline` | it is declined when it is begun: `not_eligible` |
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

import sqlalchemy as sa

from libs.clock import Clock, SystemClock
from libs.db import Database, Tx
from libs.ids import new_id
from services.payment.adapters.db.tables import GATEWAY
from services.payment.adapters.gateways.signatures import HEADER, signature
from services.payment.adapters.gateways.signatures import signed as is_signed
from services.payment.application.gateway.ports import Answer, GatewayTimeout, Verdict
from services.payment.application.redirects.play_provider import BuyerPage

G = GATEWAY.c
LIFETIME = timedelta(days=7)
"""How long an authorization is held, unless the settings say otherwise."""
DONE, DECLINED, VOIDED, LATE, WAITING = "DONE", "DECLINED", "VOIDED", "LATE", "WAITING"
REDIRECT = "tok_redirect"
MAX_KEY = 300
PAGES = "https://pay.example/test-gateway"
"""Where its pages are, unless the settings say otherwise."""


class TestGateway:
    """Approves, declines, times out and answers late."""

    __test__ = False
    name = "test"

    def __init__(
        self,
        database: Database,
        delay: float = 0.0,
        clock: Clock | None = None,
        lifetime: timedelta = LIFETIME,
        pages: str = PAGES,
        secret: str = "",
    ) -> None:
        self._db = database
        self._delay = delay
        self._clock = clock or SystemClock()
        self._lifetime = lifetime
        self._pages = pages
        self._secret = secret

    async def close(self) -> None:
        """It is in the service's own database, and has no session of its own."""

    def needs_buyer(self, token: str) -> bool:
        """Its token says so."""
        return token.startswith(REDIRECT)

    async def start(self, key: str, token: str, amount: int, currency: str, return_url: str, until: datetime) -> Answer:
        """Begins to wait for the buyer."""
        if token == "tok_redirect_timeout":
            await self._silence()
        async with self._db.transaction() as tx:
            row = await self._find(tx, key)
            fresh = row is None
            if row is None:
                refused = token == "tok_redirect_decline"
                state, message = (DECLINED, "not_eligible") if refused else (WAITING, "")
                row = await self._put(tx, key, "authorize", key, token, amount, currency, state, message)
                waits = sa.update(GATEWAY).where(G.key == key)
                await tx.execute(waits.values(return_url=return_url, expire_time=until))
                row = await self._find(tx, key)
        if fresh and token == "tok_redirect_late":
            await self._silence()
        return self._answer(row)

    async def act(self, reference: str, *, approve: bool) -> str:
        """What the buyer does on the page of a reference, once, within its time; returns where the buyer is sent back to. Raises
        LookupError for a page that there is not."""
        now = self._clock.now()
        async with self._db.transaction() as tx:
            its = sa.select(GATEWAY).where(G.reference == reference, G.return_url != "")
            row = (await tx.execute(its.with_for_update())).first()
            if row is None:
                raise LookupError(reference)
            if row.state == WAITING and row.expire_time > now:
                done = {"state": DONE, "message": "", "expire_time": now + self._lifetime}
                no = {"state": DECLINED, "message": "declined_by_buyer"}
                await tx.execute(sa.update(GATEWAY).where(G.key == row.key).values(done if approve else no))
        return str(row.return_url)

    async def page(self, reference: str) -> BuyerPage | None:
        """What a buyer sees on the page of a reference; None for a page that there is not."""
        async with self._db.reading() as tx:
            row = (await tx.execute(sa.select(GATEWAY).where(G.reference == reference, G.return_url != ""))).first()
        if row is None:
            return None
        waits = row.state == WAITING and row.expire_time > self._clock.now()
        return BuyerPage(str(row.key), int(row.amount), str(row.currency), str(row.return_url), waits)

    def signed(self, key: str) -> tuple[Mapping[str, str], bytes] | None:
        """Headers and body of a call-back about an authorization; None without a secret."""
        if not self._secret:
            return None
        body = json.dumps({"key": key}).encode()
        return {HEADER: signature(self._secret, body, self._clock.now())}, body

    def callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[str] | None:
        """A call-back is a JSON object with the `key` of an authorization, signed with the secret that the settings name."""
        if not is_signed(self._secret, headers.get(HEADER, ""), body, now):
            return None
        try:
            key = json.loads(body)["key"]
        except (ValueError, TypeError, LookupError, RecursionError):
            return ()
        return (key,) if isinstance(key, str) and "\0" not in key and len(key) <= MAX_KEY else ()

    async def authorize(self, key: str, token: str, amount: int, currency: str) -> Answer:
        """Holds an amount."""
        if token == "tok_timeout":
            await self._silence()
        renewal = key.count("/") > 2
        state = {"tok_decline": DECLINED, "tok_late": LATE}.get(token, DONE)
        if renewal:
            state = {"tok_once": DECLINED, "tok_late_renewal": LATE}.get(token, DONE)
        if self.needs_buyer(token):
            state = DECLINED
        async with self._db.transaction() as tx:
            row = await self._find(tx, key)
            fresh = row is None
            if row is None:
                why = "buyer_needed" if self.needs_buyer(token) else "card_expired" if renewal else "insufficient_funds"
                message = why if state == DECLINED else ""
                row = await self._put(tx, key, "authorize", key, token, amount, currency, state, message)
            elif row.state == LATE:
                row = await self._become(tx, key, DONE)
        if fresh and state == LATE:
            await self._silence()
        return self._answer(row)

    async def void(self, key: str) -> Answer:
        """Ends an authorization; an unknown key is voided in advance, so that a late authorization holds nothing."""
        async with self._db.transaction() as tx:
            row = await self._find(tx, key)
            silent = False
            if row is None:
                row = await self._put(tx, key, "authorize", key, "", 0, "", VOIDED, "voided in advance")
            elif row.state == LATE:
                # The authorization is on its way in, and gets there before the void.
                silent = True
                await self._become(tx, key, DONE)
            elif row.state == DONE and row.token == "tok_late_void" and not row.message:
                silent = True
                await tx.execute(sa.update(GATEWAY).where(G.key == key).values(message="void not answered"))
            elif row.state in (DONE, WAITING):
                row = await self._become(tx, key, VOIDED)
        if silent:
            await self._silence()
        return Answer(Verdict.APPROVED, row.reference)

    async def capture(self, key: str, authorization_key: str, amount: int, currency: str) -> Answer:
        """Takes money of an authorization, no more than it holds."""
        return await self._take("capture", key, authorization_key, amount, currency)

    async def refund(self, key: str, authorization_key: str, amount: int, currency: str) -> Answer:
        """Gives captured money back, no more than was captured."""
        return await self._take("refund", key, authorization_key, amount, currency)

    async def get_by_key(self, key: str) -> Answer:
        """What became of an operation; asking brings a late approval in."""
        async with self._db.transaction() as tx:
            row = await self._find(tx, key)
            if row is not None and row.state == LATE:
                row = await self._become(tx, key, DONE)
        return Answer(Verdict.NOTHING) if row is None else self._answer(row)

    async def _take(self, operation: str, key: str, authorization_key: str, amount: int, currency: str) -> Answer:
        late = False
        async with self._db.transaction() as tx:
            row = await self._find(tx, key)
            if row is None:
                held = await self._find(tx, authorization_key)
                token = "" if held is None else held.token
                why = await self._why_not(tx, operation, held, amount)
                late = token == f"tok_late_{operation}"
                row = await self._put(
                    tx, key, operation, authorization_key, token, amount, currency, DECLINED if why else DONE, why
                )
        if late:
            await self._silence()
        return self._answer(row)

    async def _why_not(self, tx: Tx, operation: str, held: Any, amount: int) -> str:
        if held is None or held.state == DECLINED or (operation == "capture" and held.state != DONE):
            return "no_authorization"
        if operation == "capture" and held.expire_time is not None and held.expire_time <= self._clock.now():
            return "authorization_lapsed"
        if held.token == f"tok_decline_{operation}":
            return "declined"
        done = {
            row.operation: int(row.sum)
            for row in await tx.execute(
                sa.select(G.operation, sa.func.sum(G.amount).label("sum"))
                .where(G.authorization_key == held.key, G.state == DONE)
                .group_by(G.operation)
            )
        }
        limit = held.amount if operation == "capture" else done.get("capture", 0)
        return "too_much" if done.get(operation, 0) + amount > limit else ""

    async def _silence(self) -> NoReturn:
        await asyncio.sleep(self._delay)
        raise GatewayTimeout

    async def _find(self, tx: Tx, key: str) -> Any:
        return (await tx.execute(sa.select(GATEWAY).where(G.key == key).with_for_update())).first()

    async def _become(self, tx: Tx, key: str, state: str) -> Any:
        await tx.execute(sa.update(GATEWAY).where(G.key == key).values(state=state))
        return await self._find(tx, key)

    async def _put(
        self,
        tx: Tx,
        key: str,
        operation: str,
        authorization_key: str,
        token: str,
        amount: int,
        currency: str,
        state: str,
        message: str,
    ) -> Any:
        row = {
            "key": key,
            "operation": operation,
            "authorization_key": authorization_key,
            "token": token,
            "amount": amount,
            "currency": currency,
            "state": state,
            "reference": new_id("gw"),
            "message": message,
            "expire_time": self._clock.now() + self._lifetime if operation == "authorize" and amount else None,
        }
        await tx.execute(tx.insert(GATEWAY).on_conflict_do_nothing(), row)
        return await self._find(tx, key)

    def _answer(self, row: Any) -> Answer:
        if row.state == VOIDED:
            return Answer(Verdict.DECLINED, row.reference, "voided")
        if row.state == WAITING:
            return Answer(Verdict.ACTION_REQUIRED, row.reference, url=f"{self._pages}/{row.reference}")
        verdict = Verdict.APPROVED if row.state == DONE else Verdict.DECLINED
        return Answer(verdict, row.reference, row.message, row.expire_time)
