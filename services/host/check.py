"""Compares what the contexts state about every order: what no single service can see."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from waybill.audit.v1 import audit_service_pb2 as pb
from waybill_client import AsyncWaybill

ACROSS = "across"
"""Context of findings that only a comparison shows."""
CROSS_RULES = (
    "reservations_belong_to_running_attempts",
    "supplier_orders_partition_the_order",
    "supplier_orders_add_up_to_the_total",
    "shipped_units_agree",
    "read_model_is_current",
    "payments_belong_to_submitted_orders",
)

Facts = Mapping[tuple[str, str], Mapping[str, list[dict[str, str]]]]
"""Statements by (context, kind) and order."""
Tell = Callable[[str, str, str], None]
"""Notes a finding: (rule, order, detail)."""


@dataclass(slots=True)
class Report:
    """What an audit found."""

    findings: list[pb.Finding] = field(default_factory=list)
    rules: int = 0
    rows: int = 0
    contexts: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every invariant holds."""
        return not self.findings


LOOKS = 10
PAUSE = 0.5
"""Seconds between two looks."""


async def check(client: AsyncWaybill, servers: Sequence[str] = ()) -> Report:
    """Audits every context that the servers host (the client's own when none is named), then compares their facts.

    Contexts are not read at one instant, and a report may be on its way between them. So what only a comparison finds is
    looked at again, and counts when it stays.
    """
    clients = [client.at(server) for server in servers] or [client]
    report = await _look(clients)
    for _ in range(LOOKS):
        if all(finding.context != ACROSS for finding in report.findings):
            break
        await asyncio.sleep(PAUSE)
        report = await _look(clients)
    return report


async def _look(clients: Sequence[AsyncWaybill]) -> Report:
    report = Report()
    facts: list[pb.Fact] = []
    async for record in _records(clients):
        kind = record.WhichOneof("record")
        if kind == "finding":
            report.findings.append(record.finding)
        elif kind == "fact":
            facts.append(record.fact)
        else:
            report.rules += record.summary.rules
            report.rows += record.summary.rows
            report.contexts.append(record.summary.context)
    report.rules += len(CROSS_RULES)
    report.findings += compare(facts)
    return report


async def _records(clients: Sequence[AsyncWaybill]) -> AsyncIterator[pb.AuditResponse]:
    for client in clients:
        async for record in client.audit.Audit(pb.AuditRequest()):
            yield record


def compare(facts: Iterable[pb.Fact]) -> list[pb.Finding]:
    """Findings that only show when contexts are laid side by side."""
    by: dict[tuple[str, str], dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        by[(fact.context, fact.kind)][fact.order_key].append(dict(fact.values))
    orders = {key: values[0] for key, values in by[("order", "order")].items()}
    findings: list[pb.Finding] = []

    def finding(rule: str, key: str, detail: str) -> None:
        name = orders.get(key, {}).get("id", key)
        findings.append(pb.Finding(context=ACROSS, rule=rule, subject=name, detail=detail))

    running = {
        (key, v["attempt"]) for key, many in by[("order", "attempt")].items() for v in many if v["finished"] == "0"
    }
    for context, kind in (("pricing", "attempt"), ("payment", "payment_attempt"), ("fulfillment", "stock_attempt")):
        for key, many in by[(context, kind)].items():
            for v in many:
                if (key, v["attempt"]) not in running:
                    finding(CROSS_RULES[0], key, f"{context} still holds attempt {v['attempt']}")
    unfinished = {key for key, _ in running}
    for key, order in orders.items():
        if order["submitted"] != "1" or key in unfinished:
            continue
        _compare_order(key, order, by, finding)
    for key, many in by[("payment", "payments")].items():
        order = orders.get(key, {})
        if order.get("submitted") != "1" and key not in unfinished:
            finding(CROSS_RULES[5], key, "payments are confirmed")
        if order and int(many[0].get("confirmed_total", "0")) > int(order["total"]):
            finding(CROSS_RULES[5], key, f"{many[0]['confirmed_total']} confirmed of {order['total']}")
    return findings


def _first(found: Mapping[str, list[dict[str, str]]], key: str) -> dict[str, str]:
    many = found.get(key)
    return many[0] if many else {}


def _compare_order(key: str, order: dict[str, str], by: Facts, tell: Tell) -> None:
    ours = _first(by[("order", "units")], key)
    theirs = _first(by[("fulfillment", "units")], key)
    ordered = {line: units.split("/")[0] for line, units in ours.items()}
    supplied = {line: units.split("/")[0] for line, units in theirs.items()}
    if order["status"] != "CANCELED" and ordered != supplied:
        tell(CROSS_RULES[1], key, f"{ordered} against {supplied}")
    if order["status"] != "CANCELED" and ours != theirs and ordered == supplied:
        tell(CROSS_RULES[3], key, f"{ours} against {theirs}")
    suppliers = by[("fulfillment", "supplier_order")].get(key, [])
    total = sum(int(s["total"]) for s in suppliers)
    if suppliers and total != int(order["total"]):
        tell(CROSS_RULES[2], key, f"{total} against {order['total']}")
    known = {s["id"]: s["version"] for s in by[("order", "supplier_order")].get(key, [])}
    for s in suppliers:
        if known.get(s["id"]) != s["version"]:
            tell(CROSS_RULES[4], key, f"{s['id']} at {known.get(s['id'])}, not {s['version']}")
