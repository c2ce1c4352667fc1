"""Seven processes, one per service, on one PostgreSQL: the same order, the same books."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from services.host.sample.marketplace import PASSWORD, SHOP, set_up
from tests.support.fleet import fleet
from tests.support.process import said as waybill
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill


async def test_an_order_is_placed_split_and_inspected_across_seven_processes(cluster_database: str, tmp_path: Path) -> None:
    async with fleet(cluster_database, tmp_path) as seven:
        async with (
            AsyncWaybill("", "waybill-admin", seven.client_secret, addresses=seven.addresses) as owner,
            AsyncWaybill("", SHOP, username="ada", password=PASSWORD, addresses=seven.addresses) as ada,
        ):
            await set_up(owner)
            order = await ada.place_order({"anvil": 4, "lamp": 1, "crate": 40}, id="FAR")
            assert order.status == order_pb2.ORDER_STATUS_OPEN
            tree = await owner.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id="FAR"))
            assert [s.supplier_id for s in tree.supplier_orders] == ["northforge", "lumenworks", "wh-east", "wh-west"]
        servers = [argument for address in seven.addresses.values() for argument in ("--server", address)]
        code, output, errors = await waybill("check", "--client-secret", seven.client_secret, *servers)
        assert code == 0, output + errors
        assert "invariants OK" in output
        for command in ("submissions", "outbox", "payments"):
            await until_nothing_is_listed(command, "--client-secret", seven.client_secret, *servers)
        code, _, errors = await waybill("submissions", "list", "--client-secret", seven.client_secret, *servers[:2])
        assert (code, "none of the given servers serves this" in errors) == (2, True)


async def until_nothing_is_listed(command: str, *options: str) -> None:
    """What the order's services have still to send each other they send within seconds."""
    async with asyncio.timeout(60):
        while True:
            code, output, errors = await waybill(command, "list", "--json", *options)
            assert code == 0, errors
            if json.loads(output) == []:
                return
