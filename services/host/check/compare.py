"""Proves the books: every context's own inspection, and what the contexts state about every order laid side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

from libs.invariants import why
from services.host.check.parked import Parked
from services.host.check.report import Report, Result
from services.host.check.rules import RULES, CrossRule
from services.host.check.subjects import Subject, subjects
from services.host.contexts import CONTEXTS
from waybill.inspection.v1 import inspection_service_pb2 as pb
from waybill_client import AsyncWaybill

ACROSS = "across"
"""Context of findings that only a comparison shows."""
LOOKS = 10
"""At what differs, at most."""
PAUSE = 0.5
"""Seconds between two looks at what differs, unless the caller says otherwise."""
PART = 500
"""Orders that are looked at again in one call."""
Stream = AsyncIterator[pb.InspectResponse]


@dataclass(slots=True)
class Doubt:
    """An order whose contexts differ: how they did, and what may be because of work that was under way."""

    subject: Subject
    differences: list[tuple[str, str]]
    excused: set[str]
    """Rules."""
    found: set[str] = field(default_factory=set)
    """Rules whose breaking has been reported."""


async def check(client: AsyncWaybill, servers: Sequence[str] = (), pause: float = PAUSE) -> Report:
    """Inspects every context that the servers host (the client's own when none is named), then compares their facts.

    Contexts are not read at one instant, and work may be under way between them. So a difference counts only when both
    sides say the same at a second reading and no work is under way that may be why, or it has been for too long.
    """
    clients = [client.at(server) for server in servers] or [client]
    report = Report()
    doubts = await _first_look(clients, report)
    for _ in range(LOOKS):
        if not doubts:
            break
        await asyncio.sleep(pause)
        doubts = await _second_look(clients, report, doubts)
    report.in_motion = sorted(doubt.subject.name for doubt in doubts.values())
    return report


async def _first_look(clients: Sequence[AsyncWaybill], report: Report) -> dict[str, Doubt]:
    opened = await _opened(clients, ())
    report.contexts = list(opened)
    report.missing = [context for context in CONTEXTS if context not in opened]
    rules = [rule for rule in RULES if rule.needs <= opened.keys()]
    across = {rule.name: Result(ACROSS, rule.name, 0) for rule in rules}
    doubts: dict[str, Doubt] = {}
    parked: dict[str, Parked] = {}
    async for subject in subjects({c: _facts(stream, report) for c, stream in opened.items()}):
        for rule in rules:
            across[rule.name].rows += rule.concerns(subject)
        report.under_way += subject.unfinished
        # A shipment may be stated for several orders.
        parked |= {waiting.entry: waiting for waiting in subject.parked}
        report.failing += subject.failing
        doubt = doubt_about(subject, rules)
        if doubt.differences:
            doubts[subject.key] = doubt
    order = {context: n for n, context in enumerate(CONTEXTS)}
    report.results.sort(key=lambda result: order[result.context])
    report.results += across.values()
    report.parked = sorted(parked.values(), key=lambda waiting: (waiting.since, waiting.entry))
    return doubts


async def _second_look(clients: Sequence[AsyncWaybill], report: Report, doubts: dict[str, Doubt]) -> dict[str, Doubt]:
    """What is still in doubt; what stays as it was while nothing that explains it was under way becomes a finding."""
    results = {result.rule: result for result in report.results if result.context == ACROSS}
    rules = [rule for rule in RULES if rule.name in results]
    left: dict[str, Doubt] = {}
    for keys in _parts(sorted(doubts)):
        opened = await _opened(clients, keys)
        async for subject in subjects({c: _facts(stream, None) for c, stream in opened.items()}):
            before, now = doubts[subject.key], doubt_about(subject, rules)
            now.found = before.found
            same = before.subject.state == subject.state
            before_too = {rule for rule, _ in before.differences} - before.excused
            unsettled = False
            for rule, detail in now.differences:
                if rule in now.found:
                    continue
                if not same or rule in now.excused or rule not in before_too:
                    unsettled = True
                    continue
                now.found.add(rule)
                results[rule].broken += 1
                report.findings.append(pb.Finding(context=ACROSS, rule=rule, subject=subject.name, detail=detail))
            if unsettled:
                left[subject.key] = now
    return left


def doubt_about(subject: Subject, rules: Iterable[CrossRule]) -> Doubt:
    """What the rules find about a subject, and which of them it is excused from for now."""
    found = [(rule, _differences(rule, subject)) for rule in rules if rule.concerns(subject)]
    broken = [(rule, detail) for rule, detail in found if detail]
    excused = {rule.name for rule, _ in broken if subject.under_way(rule.excuses)}
    return Doubt(subject, [(rule.name, detail) for rule, detail in broken], excused)


def _differences(rule: CrossRule, subject: Subject) -> str:
    """How the contexts differ. What cannot even be compared differs."""
    try:
        return "; ".join(rule.differences(subject))
    except Exception as error:
        return f"cannot be compared: {why(error)}"


def _parts(keys: Sequence[str]) -> list[Sequence[str]]:
    return [keys[i : i + PART] for i in range(0, len(keys), PART)]


async def _opened(clients: Sequence[AsyncWaybill], keys: Sequence[str]) -> dict[str, Stream]:
    """A stream for every context, from the first server that hosts it."""

    async def open(context: str) -> tuple[str, Stream] | None:
        for client in clients:
            stream: Stream = aiter(client.inspection.Inspect(pb.InspectRequest(contexts=[context], order_keys=keys)))
            first = await anext(stream, None)
            if first is not None:
                return context, _rest(first, stream)
        return None

    found = await asyncio.gather(*(open(context) for context in CONTEXTS))
    return dict(item for item in found if item is not None)


async def _rest(first: pb.InspectResponse, stream: Stream) -> Stream:
    yield first
    async for record in stream:
        yield record


async def _facts(stream: Stream, report: Report | None) -> AsyncIterator[pb.Fact]:
    """The facts of a stream; everything else goes to the report."""
    async for record in stream:
        kind = record.WhichOneof("record")
        if kind == "fact":
            yield record.fact
        elif report is not None and kind == "finding":
            report.findings.append(record.finding)
        elif report is not None:
            report.rows += record.summary.rows
            report.results += [Result(record.summary.context, r.rule, r.rows, r.broken) for r in record.summary.results]
