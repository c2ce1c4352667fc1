"""`make bench`: everything in one go; ratios are of figures measured in this run."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from libs.obs import configure_logging
from libs.rpc import counters
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, SHOP
from tests.bench import authorisation, fairness, load, parts, processes, shop
from tests.bench.load import Measured
from tests.bench.processes import Fleet
from tests.support import sealing
from tests.support.postgres import throwaway_cluster
from waybill_client import AsyncWaybill

out = Console()
CONCURRENCIES = (1, 8, 32)
LINES = (1, 10, 100, 1_000)


async def series(layout: str, fleet: Fleet, ground: Fleet, rounds: int) -> list[dict[str, Any]]:
    """Floor, PlaceOrder and the full checkout at each concurrency."""
    owner = await admin(fleet)
    await load.stock_up(owner)
    client = await load.shopper(fleet)
    rows: list[dict[str, Any]] = []
    for concurrency in CONCURRENCIES:
        count = max(rounds, concurrency * 4)
        base = await load.measure("floor", ground, load.floor_work(ground.addresses["floor"]), concurrency, count * 3)
        rows.append(row(layout, base, base))
        for name, work in (
            ("PlaceOrder", load.place(client, 3)),
            ("no request id", load.place_bare(client, 3)),
            ("checkout", load.checkout(client, 3)),
        ):
            rows.append(row(layout, await load.measure(name, fleet, work, concurrency, count), base))
            show_row(rows[-1])
    await client.close()
    return rows


async def admin(fleet: Fleet) -> AsyncWaybill:
    """The owner."""
    return AsyncWaybill("", "waybill-admin", fleet.client_secret, addresses=fleet.addresses)


def row(layout: str, measured: Measured, base: Measured) -> dict[str, Any]:
    """A row of the report."""
    return {
        "layout": layout,
        **asdict(measured),
        "cpu_total": measured.cpu_total,
        "rate_to_floor": measured.rate / base.rate,
        "cpu_to_floor": measured.cpu_total / base.cpu_total if base.cpu_total else 0.0,
    }


def show_row(r: dict[str, Any]) -> None:
    """Progress, one line a series."""
    Console(stderr=True).print(
        f"{r['layout']:>12} {r['name']:>10} x{r['concurrency']:<3} {r['rate']:7.1f}/s  p50 {r['p50']:6.1f} ms  "
        f"cpu {r['cpu_total']:6.1f} ms  {r['rate_to_floor']:.2f} of the floor"
    )


async def replicas(url: str, rounds: int) -> dict[str, Any]:
    """Two replicas of every service, and how far a watcher is behind at 80 % of their peak."""
    with processes.distributed(url, replicas=2) as fleet:
        owner = await admin(fleet)
        await load.stock_up(owner)
        client = await load.shopper(fleet)
        rows = [
            await load.measure("PlaceOrder", fleet, load.place(client, 3), concurrency, max(rounds, concurrency * 4))
            for concurrency in CONCURRENCIES
        ]
        peak = max(r.rate for r in rows)
        lags = await load.watch_lag(client, peak * 0.8, 10.0 if rounds < 100 else 30.0)
        await client.close()
    return {
        "rows": [asdict(r) for r in rows],
        "peak": peak,
        "events": len(lags),
        "lag_p50_ms": lags[len(lags) // 2],
        "lag_p99_ms": lags[int(len(lags) * 0.99)],
    }


async def by_lines() -> list[dict[str, Any]]:
    """PlaceOrder over 1 to 1,000 lines in this process: CPU, RPCs and statements."""
    rows: list[dict[str, Any]] = []
    with processes.embedded() as fleet:
        owner = await admin(fleet)
        await load.stock_up(owner)
        client = await load.shopper(fleet)
        for count in LINES:
            measured = await load.measure("PlaceOrder", fleet, load.place(client, count), 1, max(3, 40 // count))
            rows.append({"lines": count, "cpu_ms": measured.cpu_total, "cpu_ms_per_line": measured.cpu_total / count})
        rss = sum(fleet.rss().values())
        await client.close()
    with tempfile.TemporaryDirectory() as folder:
        async with running(HostSettings(data=Path(folder), background=False)) as host:
            assert host.secret is not None
            async with AsyncWaybill(host.address, host.secret.client_id, host.secret.client_secret) as owner:
                await load.stock_up(owner)
                client = AsyncWaybill(host.address, SHOP, username="ada", password=PASSWORD)
                await load.place(client, 1)()
                for r in rows:
                    statements, served = host.statements, counters.served.total()
                    await load.place(client, r["lines"])()
                    r["statements"] = host.statements - statements
                    r["rpcs"] = counters.served.total() - served
                await client.close()
    rows[0]["rss_mb"] = rss / 2**20
    return rows


def show_parts(rows: list[dict[str, Any]]) -> None:
    """What outbox and idempotency cost."""
    table = Table(title="one durable transaction", box=box.SIMPLE)
    for name in ("layout", "what", "median ms", "CPU ms", "CPU / change alone"):
        table.add_column(name, justify="left" if name in ("layout", "what") else "right")
    for r in rows:
        table.add_row(r["layout"], r["name"], f"{r['wall_ms']:.2f}", f"{r['cpu_ms']:.2f}", f"{r['cpu_to_plain']:.2f}")
    out.print(table)


def show_replicas(two: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """One against two replicas."""
    one = {r["concurrency"]: r["rate"] for r in rows if r["layout"] == "distributed" and r["name"] == "PlaceOrder"}
    rates = ", ".join(f"{r['rate']:.1f}/s ({r['rate'] / one[r['concurrency']]:.2f}) x{r['concurrency']}" for r in two["rows"])
    out.print(f"two replicas of every service, PlaceOrder, against one: {rates}")
    out.print(
        f"a watcher at 80 % of the peak, {two['events']:,} events: p50 {two['lag_p50_ms']:.0f} ms, p99 {two['lag_p99_ms']:.0f} ms"
    )


def show_authorisation(cost: authorisation.Cost) -> None:
    """Who calls, and whether they may."""
    steps = ", ".join(f"{name} {ms:.3f} ms x{cost.calls[name]:.0f}" for name, ms in cost.steps.items())
    out.print(f"authorisation of a PlaceOrder's calls: {cost.part:.1%} of its {cost.cpu_ms:.1f} ms of CPU ({steps})")


def show_fairness(felt: list[fairness.Felt]) -> None:
    """What others feel of a flood."""
    table = Table(title="what another user feels of a flood, medians against quiet times", box=box.SIMPLE)
    for name in ("layout", "flood", "read ms", "of quiet", "PlaceOrder ms", "of quiet", "refused", "grown MB"):
        table.add_column(name, justify="left" if name in ("layout", "flood") else "right")
    for f in felt:
        read, place = f.ratios
        table.add_row(
            f.layout,
            f.flood,
            f"{f.read:.1f}",
            f"{read:.1f}",
            f"{f.place:.1f}",
            f"{place:.1f}",
            str(f.refused),
            f"{f.grown_mb:.0f}",
        )
    out.print(table)


def show_shop(pages: list[shop.Page], shares: dict[str, float]) -> None:
    """Pages of a shop."""
    table = Table(title="a page of a hundred products with prices and stock", box=box.SIMPLE)
    for name in ("layout", "look", "ms at 1,000", "ms at 100,000", "ratio"):
        table.add_column(name, justify="left" if name in ("layout", "look") else "right")
    for p in pages:
        table.add_row(p.layout, p.look, f"{p.few:.1f}", f"{p.many:.1f}", f"{p.ratio:.2f}")
    out.print(table)
    for layout, share in shares.items():
        out.print(f"{layout}: the SQL of a page takes {share:.1f} times its bare statement")


def show(rows: list[dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    """The tables."""
    table = Table(title="three-line checkouts, so many at a time; rate and CPU against the floor", box=None, pad_edge=False)
    for name in ("layout", "what", "x", "/s", "p50 ms", "p99 ms", "CPU ms", "rate", "CPU"):
        table.add_column(name, justify="left" if name in ("layout", "what") else "right", no_wrap=True)
    for r in rows:
        table.add_row(
            r["layout"],
            r["name"],
            str(r["concurrency"]),
            f"{r['rate']:.1f}",
            f"{r['p50']:.1f}",
            f"{r['p99']:.1f}",
            f"{r['cpu_total']:.1f}",
            f"{r['rate_to_floor']:.2f}",
            f"{r['cpu_to_floor']:.1f}",
        )
    out.print(table)
    last = next((r for r in reversed(rows) if r["layout"] == "distributed" and r["name"] == "PlaceOrder"), None)
    if last is not None:
        out.print("CPU of a PlaceOrder by service: " + ", ".join(f"{k} {v:.1f} ms" for k, v in last["cpu"].items()))
    table = Table(title="PlaceOrder by lines, embedded", box=box.SIMPLE)
    for name in ("lines", "CPU ms", "CPU ms a line", "RPCs", "SQL statements"):
        table.add_column(name, justify="right")
    for r in lines:
        table.add_row(
            f"{r['lines']:,}", f"{r['cpu_ms']:.1f}", f"{r['cpu_ms_per_line']:.2f}", str(r["rpcs"]), str(r["statements"])
        )
    out.print(table)
    ratio = lines[0]["cpu_ms_per_line"] / lines[-1]["cpu_ms_per_line"]
    out.print(f"a line of a 1,000-line order costs {ratio:.1f} times less than a one-line order")
    out.print(f"embedded server: {lines[0]['rss_mb']:.0f} MB resident")


async def main(rounds: int, as_json: bool) -> None:
    """Runs everything."""
    configure_logging("ERROR")
    rows: list[dict[str, Any]] = []
    with processes.embedded() as fleet, processes.floor("", 1) as ground:
        rows += await series("embedded", fleet, ground, rounds)
    with throwaway_cluster(durable=True) as url, processes.floor(url, 7) as ground, processes.distributed(url) as fleet:
        rows += await series("distributed", fleet, ground, rounds)
    with throwaway_cluster(durable=True) as url, tempfile.TemporaryDirectory() as folder:
        two = await replicas(url, rounds)
        costs = await parts.measure("PostgreSQL", url, rounds * 10)
        costs += await parts.measure("SQLite", f"sqlite:///{folder}/parts.sqlite3", rounds * 10)
    # A marketplace of its own: the one above has been set up.
    with throwaway_cluster(durable=True) as url:
        pages, share = await shop.measure("PostgreSQL", url, 1_000, 100_000, rounds // 5)
    shares = {"PostgreSQL": share}
    more, shares["SQLite"] = await shop.measure("SQLite", "", 1_000, 100_000, rounds // 5)
    pages += more
    lines = await by_lines()
    cost = await authorisation.measure(rounds)
    felt = await fairness.everywhere(20)
    if as_json:
        figures: dict[str, Any] = {
            "checkouts": rows,
            "replicas": two,
            "parts": costs,
            "lines": lines,
            "authorisation": cost.as_json(),
        }
        figures["fairness"] = [f.as_json() for f in felt]
        figures["shop"] = {"pages": [{**asdict(p), "ratio": p.ratio} for p in pages], "of_bare": shares}
        out.print_json(json.dumps(figures))
    else:
        show(rows, lines)
        show_parts(costs)
        show_replicas(two, rows)
        show_authorisation(cost)
        show_fairness(felt)
        show_shop(pages, shares)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    sealing.begin()
    asyncio.run(main(30 if given.quick else 150, given.json))
