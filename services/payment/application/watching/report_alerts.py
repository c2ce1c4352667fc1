"""Payments that need attention are reported to the order service, which holds their orders; repeated until it has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from libs.clock import Clock
from libs.obs import tracing
from libs.relay.delivery import Head, companies
from libs.relay.limits import DEFAULT, RelayLimits
from libs.relay.turn import Relay, Turn
from services.payment.application.peers import OrderPeer
from services.payment.application.ports import Alert, Units


class ReportAlerts:
    """A background loop, safe in every replica: each takes its rows for a while."""

    def __init__(self, units: Units, peer: OrderPeer, clock: Clock, limits: RelayLimits = DEFAULT) -> None:
        self._units = units
        self._peer = peer
        self._relay = Relay("payment", "alerts", clock, limits)

    async def once(self) -> int:
        """Reports what is due; returns how much that was."""
        turn = self._relay.turn()
        async with self._units.reading() as work:
            # Most looks find nothing: those take no write lock.
            if not await work.alerts.any_due(turn.began):
                return 0
        heads = await self._units.retrying(lambda work: work.alerts.take(turn.began, turn.until, turn.limits.relay_batch))
        async with self._units.reading() as work:
            alerts = {alert.key: alert for alert in await work.alerts.of_keys([head.key for head in heads])}
        for company in companies(heads):
            of_key = {head.key: head for head in company}
            await self._deliver([alerts[key] for key in of_key if key in alerts], of_key, turn)
        await turn.end(lambda outcome, now: self._units.retrying(lambda work: work.alerts.give_back(outcome, now)))
        return len(heads)

    async def _deliver(self, alerts: Sequence[Alert], heads: Mapping[UUID, Head], turn: Turn) -> None:
        async def send(some: Sequence[Alert]) -> None:
            with tracing.work("payment", "relay alerts"):
                unknown = await self._peer.report(some, turn.limits.relay_timeout)
            known.update({alert.key: alert.version for alert in some if alert.order_key not in unknown})
            for alert in some:
                if alert.order_key in unknown:
                    turn.unknown(heads[alert.key], "ORDER_UNKNOWN")

        known: dict[UUID, int] = {}
        await turn.deliver(alerts, heads, send)
        # Not within `send`: trouble of our own database is no answer of the order service.
        if known:
            await self._units.retrying(lambda work: work.alerts.acknowledge(known))
