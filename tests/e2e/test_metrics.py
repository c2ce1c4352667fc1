"""What Prometheus reads of a real process."""

from __future__ import annotations

import asyncio
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from libs.obs import metrics
from services.host.check import check
from tests.bench import load
from tests.support.process import Served, served
from waybill_client import AsyncWaybill

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
PLACE = "waybill.order.v1.CheckoutService/PlaceOrder"


async def scrape(url: str) -> tuple[dict[str, str], Samples]:
    """Type by family, and the value of every sample."""

    def get() -> str:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())

    families = list(text_string_to_metric_families(await asyncio.to_thread(get)))
    samples = {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}
    return {f.name: f.type for f in families}, samples


def at(samples: Samples, name: str, **labels: str) -> float:
    """One sample."""
    return samples[name, frozenset(labels.items())]


async def placed(server: Served, orders: int) -> None:
    """A marketplace with that many orders, whose books are right."""
    async with AsyncWaybill(server.address, "waybill-admin", server.client_secret) as owner:
        await load.stock_up(owner)
        async with AsyncWaybill(server.address, load.SHOP, username="ada", password=load.PASSWORD) as ada:
            for _ in range(orders):
                await load.place(ada, 3)()
        report = await check(owner)
        assert report.ok, report.findings


async def test_a_process_shows_what_it_has_served_and_sent_and_what_is_unfinished(tmp_path: Path, database_url: str) -> None:
    async with served(tmp_path, database_url, options=["--metrics-bind", "127.0.0.1:0"]) as server:
        assert server.metrics.startswith("http://127.0.0.1:")
        await placed(server, 2)
        types, samples = await scrape(server.metrics)
        async with asyncio.timeout(20):
            # An answered submit may still be confirmed in the background.
            while at(samples, "waybill_submissions_oldest_seconds"):
                types, samples = await scrape(server.metrics)
    assert at(samples, "waybill_calls_served_total", service="order", method=PLACE, code="OK") == 2
    assert at(samples, "waybill_call_duration_seconds_count", service="order", method=PLACE) == 2
    reserve = "waybill.fulfillment.v1.ReservationService/ReserveStock"
    for name, labels in (
        ("waybill_calls_served_total", {"service": "fulfillment", "method": reserve, "code": "OK"}),
        ("waybill_calls_sent_total", {"service": "order", "peer": "fulfillment", "method": reserve, "code": "OK"}),
    ):
        assert at(samples, name, **labels) == 2
    assert at(samples, "waybill_outside_calls_limit") == 256
    assert at(samples, "waybill_outside_calls") == 0
    assert at(samples, "waybill_submissions_unfinished", state="TRYING") == 0
    assert at(samples, "waybill_submissions_oldest_seconds") == 0
    for service in ("fulfillment", "payment", "pricing"):
        assert at(samples, "waybill_reservations_outstanding", service=service, state="RESERVED") == 0
    assert at(samples, "waybill_sql_statements_total", service="order") > 0
    pools = {dict(labels)["pool"] for name, labels in samples if name == "waybill_db_connections"}
    assert pools == ({"all"} if database_url else {"writer", "reader"})
    assert types["waybill_actions"] == "counter"
    assert types["waybill_call_duration_seconds"] == "histogram"


async def test_a_process_that_is_not_asked_for_metrics_opens_no_second_port(tmp_path: Path) -> None:
    async with served(tmp_path, only="directory") as server:
        assert server.metrics == ""


def test_every_metric_has_a_name_of_ours_and_stands_in_the_operations_page() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()
    own = [f.name for f in metrics.REGISTRY.collect() if not f.name.startswith("process_")]
    gauges = [value.name for value in vars(metrics).values() if isinstance(value, metrics.Gauge)]
    names = [*own, *gauges, metrics.STATEMENTS[0]]
    assert [n for n in names if not n.startswith("waybill_")] == []
    assert [n for n in names if f"`{n}" not in page] == []


@pytest.mark.parametrize(
    ("bind", "expected"),
    [(":9464", ("127.0.0.1", 9464)), ("9464", ("127.0.0.1", 9464)), ("0.0.0.0:1", ("0.0.0.0", 1)), ("[::1]:9464", ("::1", 9464))],
)
def test_an_address_without_a_host_is_of_the_loopback(bind: str, expected: tuple[str, int]) -> None:
    from libs.obs.endpoint import address

    assert address(bind) == expected


@pytest.mark.parametrize("bind", ["", "localhost", "host:", "host:x", "host:70000"])
def test_what_is_no_address_is_refused(bind: str) -> None:
    from libs.obs.endpoint import address

    with pytest.raises(ValueError, match="host:port"):
        address(bind)
