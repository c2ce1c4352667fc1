"""A submit whose coordinator is gone can be counted from outside until the completer has driven it to its end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs.clock import ManualClock
from libs.db.tuning import Tuning
from services.host.check import check
from services.host.process.embedded import Host, running
from services.host.process.settings import HostSettings
from tests.bench import load
from tests.support.gauges import actions, gauges
from tests.support.sealing import sealing_key_for
from waybill_client import AsyncWaybill, WaybillError


async def unfinished(host: Host) -> dict[str, float]:
    """Every number of every service that is not zero."""
    found: dict[str, float] = {}
    for app in host.apps.values():
        if app.gauges is not None:
            found |= await gauges(app)
    return found


async def test_an_unfinished_submit_counts_with_its_age_and_its_reservations(tmp_path: Path, database_url: str) -> None:
    clock = ManualClock(datetime.now(UTC))
    settings = HostSettings(
        data=tmp_path,
        database_url=database_url,
        sealing_key=sealing_key_for(database_url),
        tuning=Tuning(pool_size=4),
        background=False,
        failpoints="order.submit.tried=raise",
    )
    before = actions("order", "completer", "submission_driven")
    async with running(settings, clock) as host:
        assert host.secret is not None
        async with AsyncWaybill(host.address, host.secret.client_id, host.secret.client_secret) as owner:
            await load.stock_up(owner)
            assert await unfinished(host) == {}
            async with AsyncWaybill(host.address, load.SHOP, username="ada", password=load.PASSWORD) as ada:
                with pytest.raises(WaybillError, match="INTERNAL"):
                    await load.place(ada, 3)()
            clock.advance(timedelta(seconds=7))
            assert await unfinished(host) == {
                "waybill_submissions_unfinished/TRYING": 1,
                "waybill_submissions_oldest_seconds": 7,
                "waybill_reservations_outstanding/fulfillment/RESERVED": 1,
                "waybill_reservations_outstanding/payment/RESERVED": 1,
            }
            host.failpoints.disarm("order.submit.tried")
            host.server.run_background()
            async with asyncio.timeout(30):
                while await unfinished(host):
                    await asyncio.sleep(0.05)
                    clock.advance(timedelta(seconds=0.5))
            assert actions("order", "completer", "submission_driven") == before + 1
            report = await check(owner)
            assert report.ok, report.findings
