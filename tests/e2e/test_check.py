"""`waybill check` as people and machines see it, and of orders in motion."""

from __future__ import annotations

import io
import json
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from libs.errors import invalid
from services.fulfillment.adapters.db.tables import supplier_orders
from services.host.check import check
from services.host.check.reconcile import reconciled
from services.host.check.subjects import UNREPORTED
from services.host.contexts import CONTEXTS
from services.host.process.embedded import Host, running
from services.host.process.settings import HostSettings
from services.order.application.progress.report_fulfillment import ReportFulfillment
from tests.e2e.steps import until_parked
from tests.support import own_orders
from tests.support.marketplace import Marketplace
from tests.support.process import said
from tests.support.sealing import SEALING_KEY
from tests.support.tampering import tampered
from waybill.fulfillment.v1 import supplier_order_service_pb2 as svc
from waybill.inspection.v1 import inspection_service_pb2 as pb
from waybill_client import AsyncWaybill, WaybillError

O = supplier_orders.c  # noqa: E741 - the columns


async def run(at: Marketplace | Host, *arguments: str) -> tuple[int, str]:
    """The command in a process of its own: its exit code and what it prints."""
    secret = at.secret
    assert secret is not None
    known = {"WAYBILL_CLIENT_ID": secret.client_id, "WAYBILL_CLIENT_SECRET": secret.client_secret}
    code, output, _ = await said("check", "--server", at.address, *arguments, environment=known)
    return code, output


CENT = 10_000
"""In micros."""


def amount_off(market: Marketplace, id: str) -> AbstractAsyncContextManager[None]:
    """A supplier order that costs more than its part of the order."""
    database = market.host.apps["fulfillment"].database
    assert database is not None
    more = {"shipping_cost": O.shipping_cost + CENT, "total": O.total + CENT}
    return tampered(database, [sa.update(supplier_orders).where(O.id == id).values(**more)])


async def test_the_command_sums_up_every_context_and_ends_with_one_line(sqlite_market: Marketplace) -> None:
    await sqlite_market.people.ada.place_order({"tape": 2}, id="FINE")
    code, text = await run(sqlite_market)
    assert code == 0
    # Below the table may stand what is still under way.
    assert [line.split()[0] for line in text.splitlines()[3 : 4 + len(CONTEXTS)]] == [*CONTEXTS, "across"]
    assert text.splitlines()[-1].startswith("invariants OK  ")


async def test_verbose_prints_every_invariant(shared_sqlite_market: Marketplace) -> None:
    await shared_sqlite_market.people.ada.place_order({"tape": 2}, id="VERBOSE")
    code, text = await run(shared_sqlite_market, "--verbose")
    assert code == 0
    for name in ("stock_counter_equals_ledger", "history_has_no_gap", "supplier_orders_partition_the_order"):
        assert name in text
    assert text.splitlines()[-1].startswith("invariants OK  ")


async def test_a_broken_invariant_is_named_with_its_order_and_the_command_fails(sqlite_market: Marketplace) -> None:
    await sqlite_market.people.ada.place_order({"tape": 2}, id="WRONG")
    async with amount_off(sqlite_market, "WRONG-1"):
        code, text = await run(sqlite_market)
        failed, output = await run(sqlite_market, "--json")
    assert (code, failed) == (1, 1)
    assert "across supplier_orders_add_up_to_the_total WRONG:" in text
    assert text.splitlines()[-1].startswith("invariants 2 broken")
    report = json.loads(output)
    assert report["ok"] is False
    assert [(f["context"], f["rule"], f["subject"]) for f in report["findings"]] == [
        ("across", "supplier_orders_add_up_to_the_total", "WRONG"),
        ("across", "reports_are_word_for_word", "WRONG"),
    ]
    broken = [r for r in report["rules"] if r["broken"]]
    assert broken == [
        {"context": "across", "rule": "supplier_orders_add_up_to_the_total", "rows": 1, "broken": 1},
        {"context": "across", "rule": "reports_are_word_for_word", "rows": 1, "broken": 1},
    ]


async def test_orders_that_were_made_in_a_block_are_judged_at_its_end(
    shared_sqlite_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_orders, "LOOKS", 1)
    monkeypatch.setattr(own_orders, "PAUSE", 0.0)
    judged = own_orders.orders_judged(shared_sqlite_market)
    await judged.__aenter__()
    await shared_sqlite_market.people.ada.place_order({"tape": 2}, id="JUDGED")
    async with amount_off(shared_sqlite_market, "JUDGED-1"):
        with pytest.raises(AssertionError, match="JUDGED supplier_orders_add_up_to_the_total"):
            await judged.__aexit__(None, None, None)


async def test_books_that_cannot_be_looked_at_are_neither_sound_nor_broken(sqlite_market: Marketplace) -> None:
    wrong = ("--client-secret", "wrong")
    assert await run(sqlite_market, *wrong) == (2, "")
    code, text = await run(sqlite_market, *wrong, "--json")
    report = json.loads(text)
    assert (code, report["ok"], report["error"]["code"]) == (2, False, "UNAUTHENTICATED")


async def test_books_that_no_server_hosts_are_named_and_are_not_sound(tmp_path: Path) -> None:
    settings = HostSettings(data=tmp_path, only="directory", sealing_key=SEALING_KEY, background=False, drain_seconds=0)
    async with running(settings) as host:
        code, text = await run(host)
        failed, output = await run(host, "--json")
    assert (code, failed) == (2, 2)
    missing = ["catalog", "pricing", "shipping", "payment", "fulfillment", "order"]
    assert f"not inspected: {', '.join(missing)}; name the servers" in text
    report = json.loads(output)
    assert (report["ok"], report["findings"], report["missing"]) == (False, [], missing)


@pytest.mark.parametrize("age", [timedelta(), timedelta(hours=1)], ids=["just_begun", "long_overdue"])
async def test_what_differs_while_a_report_is_under_way_is_kept_apart_for_a_while(
    sqlite_market: Marketplace, age: timedelta
) -> None:
    await sqlite_market.people.ada.place_order({"tape": 2}, id="MOVING")
    database = sqlite_market.host.apps["fulfillment"].database
    assert database is not None
    now = datetime.now(UTC)
    later = {"report_time": now + timedelta(hours=1), "update_time": now - age, "version": O.version + 1}
    async with tampered(database, [sa.update(supplier_orders).where(O.id == "MOVING-1").values(**later)]):
        report = await check(sqlite_market.people.owner, pause=0.01)
    found = {finding.rule for finding in report.findings}
    assert report.under_way == {UNREPORTED: 1}
    if age:
        assert (found, report.in_motion) == ({"read_model_is_current", "work_comes_to_its_end"}, [])
    else:
        assert (found, report.in_motion) == (set(), ["MOVING"])


async def test_facts_can_be_asked_for_about_named_orders_alone(shared_sqlite_market: Marketplace) -> None:
    for id in ("FACTS-1", "FACTS-2"):
        await shared_sqlite_market.people.ada.place_order({"tape": 1}, id=id)
    inspection = shared_sqlite_market.people.owner.inspection
    every = [r.fact async for r in inspection.Inspect(pb.InspectRequest()) if r.WhichOneof("record") == "fact"]
    (key,) = {f.order_key for f in every if f.values.get("id") == "FACTS-2"}
    some = [r async for r in inspection.Inspect(pb.InspectRequest(order_keys=[key]))]
    kinds = {r.WhichOneof("record") for r in some}
    assert kinds == {"fact", "summary"}
    mine = sorted((f.context, f.kind, sorted(f.values.items())) for f in every if f.order_key == key)
    facts = [r.fact for r in some if r.WhichOneof("record") == "fact"]
    assert sorted((f.context, f.kind, sorted(f.values.items())) for f in facts) == mine


@pytest.mark.parametrize(
    ("keys", "reason"), [(["PO9123"], "FIELD_INVALID"), (["01a209a3-aa4f-7660-9023-2410cfbdae8e"] * 1_001, "TOO_MANY_ITEMS")]
)
async def test_keys_that_are_none_are_refused(shared_sqlite_market: Marketplace, keys: list[str], reason: str) -> None:
    with pytest.raises(WaybillError) as refused:
        await anext(aiter(shared_sqlite_market.people.owner.inspection.Inspect(pb.InspectRequest(order_keys=keys))))
    assert [f.reason for f in refused.value.fields] == [reason]


async def shown_to_an_inspector(market: Marketplace) -> str:
    """What is said while waiting, to a caller who may read and not retry."""
    secret, shown = market.secret, io.StringIO()
    async with AsyncWaybill(market.address, secret.client_id, secret.client_secret, roles=["InspectionReader"]) as inspector:
        assert await reconciled(inspector, [], 30.0, Console(file=shown))
    return shown.getvalue()


async def test_a_parked_entry_is_named_fails_the_check_breaks_no_rule_and_is_retried_by_reconcile(
    market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    await market.people.ada.place_order({"anvil": 1, "lamp": 1}, id="PO1")

    async def rejects(self: Any, reports: Any) -> Any:
        if any(o.id == "PO1-1" for o in reports.supplier_orders):
            raise invalid("supplier_orders", "FIELD_INVALID", "[is] not understood")
        return await understood(self, reports)

    understood = ReportFulfillment.__call__
    monkeypatch.setattr(ReportFulfillment, "__call__", rejects)
    for id in ("PO1-1", "PO1-2"):
        await market.people.owner.supplier_orders.AcceptSupplierOrder(svc.AcceptSupplierOrderRequest(supplier_order_id=id))
    await until_parked(market, 1)
    code, text = await run(market)
    *_, count, entry, last = text.splitlines()
    assert (code, last.startswith("invariants OK  ")) == (1, True)
    assert count.startswith("parked: 1 outbox entry waits for you")
    assert entry == "  fulfillment/supplier_order/PO1-1  FIELD_INVALID: supplier_orders: [is] not understood"
    code, text = await run(market, "--json")
    report = json.loads(text)
    assert (code, report["ok"], report["findings"], report["in_motion"]) == (1, False, [], [])
    assert [(p["entry"], p["error"][:13]) for p in report["parked"]] == [("fulfillment/supplier_order/PO1-1", "FIELD_INVALID")]

    code, text = await run(market, "--reconcile")
    assert (code, "parked: 1 outbox entry" in text) == (1, True), "it is rejected again"
    assert "not retried: PERMISSION_DENIED ROLE_MISSING" in await shown_to_an_inspector(market)
    monkeypatch.setattr(ReportFulfillment, "__call__", understood)
    code, text = await run(market, "--reconcile")
    assert (code, "parked" in text) == (0, False)
