"""The catalog service, served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from libs.clock import ManualClock
from libs.invariants import Finding
from libs.service.app import ServiceApp
from services.catalog.main import build
from services.catalog.settings import Settings
from tests.integration.catalog.shops import FakeBuyers, FakePrices, FakeStock
from tests.integration.catalog.world import FakeMemberships, World
from tests.support.server import Registration, Served, fake_peers, runtime_for, serving
from waybill.directory.v1 import membership_service_pb2_grpc, ordering_context_service_pb2_grpc
from waybill.fulfillment.v1 import inventory_service_pb2_grpc
from waybill.pricing.v1 import product_price_service_pb2_grpc

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def settings(databases) -> Settings:
    url, schema = await databases("catalog")
    return Settings(url, schema)


@pytest.fixture
async def app(settings) -> ServiceApp:
    return await build(settings, runtime_for("catalog", clock=ManualClock(NOW)))


@pytest.fixture
async def served(app) -> AsyncIterator[Served]:
    """Ends with the invariant check."""
    async with serving(app) as found:
        yield found
        assert [record async for record in app.inspected() if isinstance(record, Finding)] == []


@pytest.fixture
async def world(settings) -> AsyncIterator[World]:
    """With a directory; ends with the invariant check."""
    runtime, memberships = runtime_for("catalog", clock=ManualClock(NOW)), FakeMemberships()
    add = membership_service_pb2_grpc.add_MembershipServiceServicer_to_server
    buyers, prices, stock = FakeBuyers(), FakePrices(), FakeStock()
    of_buyers = ordering_context_service_pb2_grpc.add_OrderingContextServiceServicer_to_server
    of_prices = product_price_service_pb2_grpc.add_ProductPriceServiceServicer_to_server
    of_stock = inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server
    fakes: dict[str, list[Registration]] = {
        "directory": [
            (add, memberships, "waybill.directory.v1.MembershipService"),
            (of_buyers, buyers, "waybill.directory.v1.OrderingContextService"),
        ],
        "pricing": [(of_prices, prices, "waybill.pricing.v1.ProductPriceService")],
        "fulfillment": [(of_stock, stock, "waybill.fulfillment.v1.InventoryService")],
    }
    app = await build(settings, runtime)
    async with fake_peers(fakes, peers=runtime.peers), serving(app) as served:
        yield World(served, app, memberships, {"directory": buyers, "pricing": prices, "fulfillment": stock})
        assert [record async for record in app.inspected() if isinstance(record, Finding)] == []
