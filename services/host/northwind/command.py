"""`waybill import northwind DIR [--replay]`."""

from __future__ import annotations

import asyncio
import json as json_module
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from libs.obs import configure_logging
from services.host.check import Report, check
from services.host.database_options import environment
from services.host.northwind import captures, included_tax
from services.host.northwind.captures import Captured
from services.host.northwind.figures import KNOWN, Figures, listed, measured
from services.host.northwind.files import Northwind, read
from services.host.northwind.included_tax import RATE, IncludedTax
from services.host.northwind.replay import employees, remaining, replay
from services.host.northwind.setup import CURRENCY, load
from services.host.process.embedded import running
from services.host.process.garbage_collection import settle
from services.host.process.settings import HostSettings, default_data
from services.host.remote.server_options import require_secret
from services.host.remote.servers import Servers, parsed
from services.host.tables import put
from waybill.order.v1 import order_pb2
from waybill_client import AsyncWaybill
from waybill_client.money import digits

out = Console()
err = Console(stderr=True)
imports = typer.Typer(no_args_is_help=True, help="Loads other data as a marketplace.")


@dataclass(frozen=True, slots=True)
class Variant:
    """What is another way than in the files."""

    tax_included: bool = False
    by_card: bool = False
    """Paid by cards that are charged as goods leave."""


@imports.callback()
def _imports() -> None:
    """A group, though it has one command so far."""


@imports.command("northwind")
def import_northwind(
    folder: Annotated[Path, typer.Argument(help="Folder with the CSV files.", exists=True, file_okay=False)],
    replay: Annotated[bool, typer.Option("--replay", help="Put all historic orders through the real calls.")] = False,
    tax_included: Annotated[
        bool, typer.Option("--tax-included", help=f"Declare every price to include a tax of {RATE:.0%}; for a new marketplace.")
    ] = False,
    capture_on_shipment: Annotated[
        bool, typer.Option("--capture-on-shipment", help="Pay by cards that are charged as goods leave; for a new marketplace.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder of a marketplace on SQLite, not being served.")
    ] = None,
    database_url: Annotated[str, typer.Option(help="PostgreSQL of a marketplace, not being served.")] = "",
    server: Annotated[
        list[str] | None,
        typer.Option(
            help="host:port of a marketplace that is being served, or order=host:port for one service of it; can be repeated."
        ),
    ] = None,
    client_id: Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_ID")] = "waybill-admin",
    client_secret: Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_SECRET", help="The owner's; new ones print it.")] = "",
    seller: Annotated[str, typer.Option(help="Id of the seller.")] = "seller",
    json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Loads Northwind as a marketplace; can be repeated."""
    configure_logging("WARNING")
    given = {} if server else environment(os.environ).settings
    settings = HostSettings(
        data=data or default_data() / "northwind",
        database_url=database_url,
        services={"directory": {"seller_id": seller}},
        sealing_key=given.get("sealing_key", ""),
    )
    if server:
        require_secret(client_secret, "the owner's")
        session = _remote(parsed(server), client_id, client_secret)
    else:
        session = _embedded(settings, client_id, client_secret)
    raise typer.Exit(asyncio.run(_run(_read(folder), session, seller, replay, Variant(tax_included, capture_on_shipment), json)))


def _read(folder: Path) -> Northwind:
    try:
        return read(folder)
    except (OSError, ValueError, KeyError, ArithmeticError) as error:
        raise typer.BadParameter(f"{folder} does not hold Northwind's files: {type(error).__name__}: {error}") from None


@asynccontextmanager
async def _remote(servers: Servers, client_id: str, secret: str) -> AsyncIterator[tuple[AsyncWaybill, Servers]]:
    async with AsyncWaybill(servers.default, client_id, secret, addresses=servers.contexts) as owner:
        yield owner, servers


@asynccontextmanager
async def _embedded(settings: HostSettings, client_id: str, secret: str) -> AsyncIterator[tuple[AsyncWaybill, Servers]]:
    async with running(settings) as host:
        settle()
        if host.secret is not None:
            client_id, secret = host.secret.client_id, host.secret.client_secret
            err.print(f"a new marketplace; the owner's client id {client_id}, secret {secret}", soft_wrap=True)
        elif not secret:
            where = "in this database" if settings.database_url else f"in {settings.data}"
            raise typer.BadParameter(
                f"there is a marketplace {where} already: give its owner's --client-secret, or another --data"
            )
        async with AsyncWaybill(host.address, client_id, secret) as owner:
            yield owner, Servers(host.address, {})


async def _run(data: Northwind, session: Any, seller: str, with_orders: bool, variant: Variant, as_json: bool) -> int:
    async with session as (owner, servers):
        await load(owner, data, seller, RATE if variant.tax_included else None, variant.by_card)
        loaded = {"buyers": len(data.customers), "suppliers": len(data.suppliers), "products": len(data.products)}
        err.print(f"{', '.join(f'{count} {name}' for name, count in loaded.items())} are in place", highlight=False)
        if not with_orders:
            if as_json:
                out.print_json(json_module.dumps({"ok": True, "loaded": loaded}))
            return 0
        clients = await employees(owner, servers, data)
        with _progress() as bar:
            left = remaining(data.orders, await listed(owner, order_pb2.DIRECTION_INCOMING))
            task = bar.add_task("orders", total=len(data.orders), completed=len(data.orders) - len(left))
            await replay(clients, data, left, lambda: bar.advance(task), by_card=variant.by_card)
        for client in clients.values():
            await client.close()
        figures = await measured(owner)
        taxes = await included_tax.compared(owner, data, data.orders) if variant.tax_included else None
        charged = await captures.compared(owner, data, data.orders) if variant.by_card else None
        report = await check(owner, servers.every)
    ok = figures == KNOWN and report.ok and not (taxes and taxes.differences) and not (charged and charged.differences)
    if as_json:
        shown = _json(figures, report, ok)
        shown |= {} if taxes is None else {"included_tax": asdict(taxes)}
        shown |= {} if charged is None else {"captured": asdict(charged)}
        out.print_json(json_module.dumps(shown, default=str))
    else:
        _show(figures, report, taxes, charged)
    return 0 if ok else 1


def _progress() -> Progress:
    return Progress(
        TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=err, transient=True
    )


def _json(figures: Figures, report: Report, ok: bool) -> dict[str, Any]:
    findings = [{"rule": f.rule, "subject": f.subject, "detail": f.detail} for f in report.findings]
    return {"ok": ok, "figures": asdict(figures), "known": asdict(KNOWN), "invariants_ok": report.ok, "findings": findings}


def _show(figures: Figures, report: Report, taxes: IncludedTax | None, charged: Captured | None) -> None:
    table = Table(box=box.SIMPLE, header_style="dim")
    for name in ("figure", "the marketplace says", "known"):
        table.add_column(name, justify="left" if name == "figure" else "right")
    table.add_column("")
    for item in fields(Figures):
        ours, known = getattr(figures, item.name), getattr(KNOWN, item.name)
        mark = "[green]=[/green]" if ours == known else "[red]differs[/red]"
        table.add_row(item.name.replace("_", " "), _text(ours), _text(known), mark)
    put(out, table)
    if taxes is not None:
        _compare("included tax", taxes.differences, f"{_text(taxes.total)} of tax in {taxes.lines:,} lines")
    if charged is not None:
        _compare("captured", charged.differences, f"{_text(charged.total)} charged for {charged.orders:,} orders")
    for finding in report.findings:
        out.print(f"[red]{finding.context}[/red] {finding.rule} {finding.subject}: {finding.detail}")
    word = "[green]invariants OK[/green]" if report.ok else f"[red]{len(report.findings)} invariants broken[/red]"
    out.print(f"{word}  {report.rules} rules over {report.rows:,} rows")


def _compare(what: str, differences: Sequence[str], sum: str) -> None:
    for text in differences:
        out.print(f"[red]{what}[/red] {text}")
    word = f"[red]{len(differences)} differ[/red]" if differences else "[green]each to the cent[/green]"
    out.print(f"{word}  {sum}, worked out apart from the files")


def _text(value: int | Decimal) -> str:
    return f"{value:,.{digits(CURRENCY)}f}" if isinstance(value, Decimal) else f"{value:,}"
