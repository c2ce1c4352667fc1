"""Payments that need attention are told to the order service, which holds their orders; the relay tells until it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from libs.clock import Clock
from libs.obs import get_logger, metrics, tracing
from libs.relay.delivery import Consumer, Failure, Head, Outcome, companies, deliver
from libs.relay.limits import DEFAULT, RelayLimits
from services.payment.application.ports import Alert, OrderPeer, Units

_LOG = get_logger("payment.alerts")


class ReportAlerts:
    """A background loop, safe in every replica: each takes its rows for a while."""

    def __init__(self, units: Units, peer: OrderPeer, clock: Clock, limits: RelayLimits = DEFAULT) -> None:
        self._limits = limits
        self._units = units
        self._peer = peer
        self._clock = clock
        self._consumer = Consumer()

    async def once(self) -> int:
        """Tells what is due; returns how much that was."""
        now = self._clock.now()
        until, outcome = now + self._limits.lease, Outcome(self._consumer)
        async with self._units.reading() as work:
            # Most looks find nothing: those take no write lock.
            if not await work.alerts.any_due(now):
                return 0
        heads = await self._units.retrying(lambda work: work.alerts.take(now, until, self._limits.relay_batch))
        async with self._units.reading() as work:
            alerts = {alert.key: alert for alert in await work.alerts.of_keys([head.key for head in heads])}
        for company in companies(heads):
            of_key = {head.key: head for head in company}
            await self._deliver([alerts[key] for key in of_key if key in alerts], of_key, until, outcome)
        if outcome.failures or outcome.untried:
            await self._units.retrying(lambda work: work.alerts.give_back(outcome, self._clock.now()))
        metrics.WORK_FAILURES.labels("payment", "alerts").inc(len(outcome.failures))
        for failure in outcome.failures:
            if failure.parks:
                _LOG.warning("alert_parked", key=str(failure.head.key), why=failure.reason)
        return len(heads)

    async def _deliver(self, alerts: Sequence[Alert], heads: Mapping[UUID, Head], until: datetime, outcome: Outcome) -> None:
        async def send(some: Sequence[Alert]) -> None:
            with tracing.work("payment", "relay alerts"):
                unknown = await self._peer.report(some, self._limits.relay_timeout)
            told.update({alert.key: alert.version for alert in some if alert.order_key not in unknown})
            for alert in some:
                if alert.order_key in unknown:
                    head = heads[alert.key]
                    outcome.failures.append(Failure(head, "ORDER_UNKNOWN", head.tries + 1 >= self._limits.relay_unknown_tries))

        def has_time() -> bool:
            return self._clock.now() + self._limits.timeout < until

        told: dict[UUID, int] = {}
        await deliver(alerts, lambda alert: heads[alert.key], send, has_time, outcome)
        # Not within `send`: trouble of our own database is no answer of the order service.
        if told:
            await self._units.retrying(lambda work: work.alerts.acknowledge(told))
