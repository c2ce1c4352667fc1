"""An inspection's report for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from services.host.check.failing import Failing
from services.host.check.parked import Parked
from services.host.check.report import Report, Result
from services.host.check.subjects import in_words
from services.host.tables import put

NAMED = 20
"""Parked entries that are named to people; machines hear of all."""


def as_json(report: Report) -> dict[str, Any]:
    """For machines."""
    return {
        "ok": report.ok and not report.waits and not report.missing,
        "rows": report.rows,
        "rules": [{"context": r.context, "rule": r.rule, "rows": r.rows, "broken": r.broken} for r in report.results],
        "findings": [{"context": f.context, "rule": f.rule, "subject": f.subject, "detail": f.detail} for f in report.findings],
        "in_motion": report.in_motion,
        "under_way": [{"context": c, "kind": k, "count": n} for (c, k), n in sorted(report.under_way.items())],
        "missing": report.missing,
        "parked": [{"entry": p.entry, "since": p.since, "error": p.error} for p in report.parked],
        "failing": [
            {"context": f.context, "kind": f.kind, "order": f.order, "failures": f.failures, "failure": f.failure}
            for f in report.failing
        ],
    }


def show(report: Report, out: Console, verbose: bool = False) -> None:
    """The counts of every area, or of every invariant; every finding; and one line that says it all."""
    put(out, _rules(report.results) if verbose else _areas(report.results))
    conclude(report, out)


def _rules(results: Sequence[Result]) -> Table:
    table = _counts("context", "invariant")
    last = ""
    for r in results:
        style = "red" if r.broken else None
        table.add_row(r.context if r.context != last else "", r.rule, f"{r.rows:,}", f"{r.broken:,}", style=style)
        last = r.context
    return table


def _areas(results: Sequence[Result]) -> Table:
    """One row for each context, and one for what is compared between them."""
    table = _counts("context", "invariants")
    for context in dict.fromkeys(r.context for r in results):
        own = [r for r in results if r.context == context]
        rows, broken = sum(r.rows for r in own), sum(r.broken for r in own)
        table.add_row(context, f"{len(own):,}", f"{rows:,}", f"{broken:,}", style="red" if broken else None)
    return table


def _counts(*names: str) -> Table:
    """Names to the left, counts to the right."""
    table = Table(box=box.SIMPLE, header_style="dim")
    for name in (*names, "rows", "broken"):
        table.add_column(name, justify="left" if name in ("context", "invariant") else "right")
    return table


def conclude(report: Report, out: Console) -> None:
    """Findings, what waits for an operator, and the line that says it all."""
    for f in report.findings:
        out.print(f"[red]{f.context}[/red] {f.rule} [bold]{f.subject}[/bold]: {f.detail}", highlight=False, soft_wrap=True)
    if report.in_motion:
        some = ", ".join(report.in_motion[:10])
        out.print(f"in motion, not judged: {len(report.in_motion)} orders ({some})", highlight=False, soft_wrap=True)
    if report.under_way:
        out.print(f"under way: {in_words(report.under_way)}", highlight=False, soft_wrap=True)
    if report.parked:
        _show_parked(report.parked, out)
    if report.failing:
        _show_failing(report.failing, out)
    if report.missing:
        what = f"not inspected: {', '.join(report.missing)}; name the servers that host them with --server"
        out.print(what, style="red", highlight=False, soft_wrap=True)
    colour = "green" if report.ok else "red"
    word = "OK" if report.ok else f"{len(report.findings)} broken"
    out.print(f"[{colour}]invariants {word}[/{colour}]  {report.rules} rules over {report.rows:,} rows")


def _show_parked(parked: Sequence[Parked], out: Console) -> None:
    """No broken invariant, but nothing moves on before somebody has looked."""
    what = "entry waits" if len(parked) == 1 else "entries wait"
    count = f"parked: {len(parked):,} outbox {what} for you, see `waybill outbox list --parked`"
    out.print(count, style="yellow", highlight=False, soft_wrap=True)
    for one in parked[:NAMED]:
        out.print(f"  {one.entry}  {one.error}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if len(parked) > NAMED:
        out.print(f"  and {len(parked) - NAMED:,} more", style="yellow")


def _show_failing(failing: Sequence[Failing], out: Console) -> None:
    """It goes on by itself once its cause is mended, but nobody else says what that is."""
    what = "failing again and again: see the log of the service, mend the cause; it is then done within a minute"
    out.print(f"{what} ({len(failing):,})", style="yellow", highlight=False, soft_wrap=True)
    for one in failing[:NAMED]:
        line = f"  {one.entry}  {one.failures} times  {one.failure}"
        out.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
    if len(failing) > NAMED:
        out.print(f"  and {len(failing) - NAMED:,} more", style="yellow")
