"""What is served is the same on Python's own event loop, which serves where uvloop is not installed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.e2e.steps import promise, ready
from tests.support.databases import run_folder
from tests.support.marketplace import get, marketplace
from tests.support.prepared import copied_files
from waybill.order.v1 import checkout_service_pb2, order_pb2


def test_an_order_is_submitted_on_pythons_own_event_loop(tmp_path: Path) -> None:
    async def submitted() -> int:
        copy = await copied_files(run_folder(), tmp_path)
        async with marketplace(tmp_path, secret=copy.secret) as made:
            await ready(made.people.ada, "OWN-LOOP", promise(), anvil=1)
            await made.people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="OWN-LOOP"))
            return (await get(made.people.ada, "OWN-LOOP")).status

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        assert runner.run(submitted()) == order_pb2.ORDER_STATUS_OPEN
