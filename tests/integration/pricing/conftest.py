"""The pricing service, served, with a directory that knows the groups that a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from libs.clock import ManualClock
from libs.db import Database
from libs.invariants import Finding
from services.pricing.main import build
from services.pricing.settings import Settings
from tests.integration.pricing.world import FakeMemberships, FakeSupplierProducts, World
from tests.support.server import Registration, fake_peers, runtime_for, serving
from tests.support.shops import FakeShop
from waybill.catalog.v1 import supplier_product_service_pb2_grpc
from waybill.directory.v1 import membership_service_pb2_grpc

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def settings(databases) -> Settings:
    url, schema = await databases("pricing")
    return Settings(url, schema)


@pytest.fixture
async def world(settings) -> AsyncIterator[World]:
    """Ends with the invariant check."""
    clock = ManualClock(NOW)
    runtime, memberships = runtime_for("pricing", clock=clock), FakeMemberships()
    add = membership_service_pb2_grpc.add_MembershipServiceServicer_to_server
    shop, catalog, of_products = (
        FakeShop(),
        FakeSupplierProducts(),
        supplier_product_service_pb2_grpc.add_SupplierProductServiceServicer_to_server,
    )
    fakes: dict[str, list[Registration]] = {
        "directory": [(add, memberships, "waybill.directory.v1.MembershipService")],
        "catalog": [(of_products, catalog, "waybill.catalog.v1.SupplierProductService"), shop.served],
    }
    app = await build(settings, runtime)
    database = await Database.open(settings.database_url, settings.database_schema)
    async with fake_peers(fakes, peers=runtime.peers), serving(app) as served:
        world = World(served, app, clock, database, memberships, catalog, shop)
        yield world
        if not world.broken:
            assert [record async for record in app.inspected() if isinstance(record, Finding)] == []
    await database.close()


@pytest.fixture
async def shop(world: World) -> World:
    """One that sells an anvil for 10."""
    await world.price("anvil", "10")
    return world
