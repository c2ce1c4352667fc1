"""Metrics that every service has, with their names, labels and meanings; what only one counts is in its own `metrics.py`.

Counting is cheap and always on; reading is not.

What a process counts itself is incremented where it happens. What only a database knows is a `Gauge`: a service reads its
own every few seconds while an endpoint is open (`libs/obs/endpoint.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client import Gauge as OwnGauge
from prometheus_client.core import GaugeMetricFamily

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

CALLS_SERVED = Counter(
    "waybill_calls_served", "Calls that have ended here, by their code.", ["service", "method", "code"], registry=REGISTRY
)
CALL_SECONDS = Histogram(
    "waybill_call_duration_seconds",
    "How long the calls served here took; streams count when they end.",
    ["service", "method"],
    buckets=SECONDS,
    registry=REGISTRY,
)
CALLS_SENT = Counter(
    "waybill_calls_sent",
    "Calls to other services that have ended; their code as this service sees it.",
    ["service", "peer", "method", "code"],
    registry=REGISTRY,
)
SENT_SECONDS = Histogram(
    "waybill_sent_call_duration_seconds",
    "How long calls to other services took.",
    ["service", "peer", "method"],
    buckets=SECONDS,
    registry=REGISTRY,
)
OUTSIDE_RUNNING = OwnGauge("waybill_outside_calls", "Calls of outside callers that run now.", registry=REGISTRY)
OUTSIDE_LIMIT = OwnGauge("waybill_outside_calls_limit", "How many may run before others are refused.", registry=REGISTRY)
OUTSIDE_REFUSED = Counter("waybill_outside_calls_refused", "Calls refused with TOO_MANY_CALLS.", registry=REGISTRY)
OUTSIDE_WAITING = OwnGauge(
    "waybill_outside_waiting", "Calls of outside callers that wait, and hold no place meanwhile.", registry=REGISTRY
)
OUTSIDE_REFUSED_BY = Counter(
    "waybill_outside_refused",
    "What was refused with TOO_MANY_CALLS, by what there is too much of: user, company, source, anonymous or process.",
    ["what", "limit"],
    registry=REGISTRY,
)
OUTSIDE_STREAMS = OwnGauge("waybill_outside_streams", "Streams of outside callers that are open now.", registry=REGISTRY)
OUTSIDE_STREAMS_LIMIT = OwnGauge(
    "waybill_outside_streams_limit", "How many may be open before others are refused.", registry=REGISTRY
)
OUTSIDE_STREAMS_REFUSED = Counter("waybill_outside_streams_refused", "Streams refused with TOO_MANY_CALLS.", registry=REGISTRY)
STREAMS = OwnGauge("waybill_streams", "Streams that are open now.", registry=REGISTRY)
REVOCATIONS_AGE = OwnGauge(
    "waybill_revocations_age_seconds",
    "Since the directory was last asked with success for keys of tokens and revocations.",
    registry=REGISTRY,
)
DATABASE_UP = OwnGauge("waybill_database_up", "1 while the database of a service answers.", ["service"], registry=REGISTRY)
DEPENDENCY_UP = OwnGauge(
    "waybill_dependency_up", "1 while a service that lives in another process says SERVING.", ["peer"], registry=REGISTRY
)
LOOP_FAILURES = Counter(
    "waybill_loop_failures", "Looks of background loops that failed; others follow.", ["service"], registry=REGISTRY
)
WORK_FAILURES = Counter(
    "waybill_work_failures",
    "Rows that a background loop took up and failed at; each is tried again, ever more rarely.",
    ["service", "loop"],
    registry=REGISTRY,
)
_ACTIONS = Counter("waybill_actions", "What background loops have done.", ["service", "loop", "action"], registry=REGISTRY)


def action(service: str, loop: str, action: str) -> Counter:
    """Counts one kind of what a background loop does."""
    return _ACTIONS.labels(service, loop, action)


class Calls:
    """Counts the calls of one method, without looking its labels up again."""

    __slots__ = ("_codes", "_counter", "_labels", "_seconds")

    def __init__(self, counter: Counter, seconds: Histogram, *labels: str) -> None:
        self._counter = counter
        self._labels = labels
        self._seconds = seconds.labels(*labels)
        self._codes: dict[str, Counter] = {}

    def ended(self, code: str, seconds: float) -> None:
        """One call has ended with this gRPC code."""
        count = self._codes.get(code)
        if count is None:
            count = self._codes[code] = self._counter.labels(*self._labels, code)
        count.inc()
        self._seconds.observe(seconds)


def served_calls(service: str, method: str) -> Calls:
    """Counts calls served of a full method name."""
    return Calls(CALLS_SERVED, CALL_SECONDS, service, method.lstrip("/"))


def sent_calls(service: str, peer: str, method: str) -> Calls:
    """Counts calls sent to another service."""
    return Calls(CALLS_SENT, SENT_SECONDS, service, peer, method.lstrip("/"))


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a gauge now."""

    gauge: Gauge
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that a database knows. Replicas of one service read the same, so take the maximum, not the sum."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()

    def at(self, value: float, *labels: str) -> Reading:
        """What it stands at."""
        return Reading(self, labels, float(value))


CONNECTIONS = Gauge("waybill_db_connections", "Connections that the pool may open.", ("service", "pool"))
CONNECTIONS_USED = Gauge("waybill_db_connections_used", "Connections that are checked out.", ("service", "pool"))
STATEMENTS = ("waybill_sql_statements", "SQL statements sent.", ("service",))
"""A counter that every database keeps by itself."""


def families(readings: Iterable[Reading]) -> list[GaugeMetricFamily]:
    """Readings in the form that the registry exposes."""
    found: dict[str, GaugeMetricFamily] = {}
    for one in readings:
        gauge = one.gauge
        family = found.get(gauge.name)
        if family is None:
            family = found[gauge.name] = GaugeMetricFamily(gauge.name, gauge.meaning, labels=gauge.labels)
        family.add_metric(one.labels, one.value)
    return list(found.values())
