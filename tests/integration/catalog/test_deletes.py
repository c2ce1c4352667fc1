"""DeleteProduct: what a delete leaves behind, and what it refuses. Proved here for every resource with the standard methods."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict

from libs.clock import ManualClock
from libs.errors import Kind, WaybillError
from services.catalog.adapters.db.tables import CHANGES, DELETED, REQUESTS
from services.catalog.main import build
from tests.integration.catalog.conftest import NOW
from tests.integration.catalog.test_products import create, product, products
from tests.support.principals import buyer, seller
from tests.support.server import runtime_for, serving
from waybill.catalog.v1 import product_service_pb2 as pb


async def delete(served, id="anvil", principal=None, **more):
    return await products(served, principal).DeleteProduct(pb.DeleteProductRequest(product_id=id, **more))


async def refused(call) -> tuple[Kind, str]:
    with pytest.raises(WaybillError) as caught:
        await call
    return caught.value.kind, caught.value.reason


async def test_a_deleted_product_is_gone_and_its_last_body_stays_in_the_feed(app, served):
    (made,) = await create(served, product())

    await delete(served)

    assert await refused(products(served).GetProduct(pb.GetProductRequest(product_id="anvil"))) == (
        Kind.MISSING,
        "RESOURCE_NOT_FOUND",
    )
    async with app.database.reading() as tx:
        change = (await tx.execute(sa.select(CHANGES.changes).where(CHANGES.changes.c.body.is_not(None)).limit(1))).one()
    assert (change.resource, change.resource_id, change.version) == ("product", "anvil", 1)
    assert change.body == MessageToDict(made, preserving_proto_field_name=True)


async def test_a_delete_needs_the_role_and_the_etag_that_holds_and_something_to_delete(served):
    await create(served, product())

    assert await refused(delete(served, principal=buyer("ProductAdmin"))) == (Kind.DENIED, "PARTY_NOT_ADMITTED")
    assert await refused(delete(served, principal=seller("OrderAdmin"))) == (Kind.DENIED, "ROLE_MISSING")
    assert await refused(delete(served, etag="2")) == (Kind.STALE, "ETAG_MISMATCH")
    assert await refused(delete(served, "nothing")) == (Kind.MISSING, "RESOURCE_NOT_FOUND")
    assert await refused(delete(served, "no id")) == (Kind.MISSING, "RESOURCE_NOT_FOUND")
    await delete(served, etag="1")


async def test_a_repeated_delete_is_answered_and_a_new_one_finds_nothing(served):
    await create(served, product())
    await delete(served, request_id="d1")

    await delete(served, request_id="d1")
    assert await refused(delete(served, request_id="d2")) == (Kind.MISSING, "RESOURCE_NOT_FOUND")
    assert await refused(delete(served, "lamp", request_id="d1")) == (Kind.INVALID, "REQUEST_ID_REUSED")


async def test_a_repeat_of_the_create_of_what_was_deleted_is_not_found(served):
    await create(served, product(), product("lamp"), request_id="c1")
    await delete(served)

    with pytest.raises(WaybillError) as caught:
        await create(served, product(), product("lamp"), request_id="c1")
    assert (caught.value.kind, caught.value.metadata) == (Kind.MISSING, {"resource": "product", "id": "anvil"})


async def test_the_id_of_what_was_deleted_is_refused_with_a_reason_of_its_own(served):
    await create(served, product(), product("lamp"))
    await delete(served)

    with pytest.raises(WaybillError) as caught:
        await create(served, product("new"), product())
    assert (caught.value.kind, caught.value.reason) == (Kind.EXISTS, "ID_OF_DELETED")
    assert caught.value.metadata == {"resource": "product", "id": "anvil"}
    assert await refused(create(served, product(), product("lamp"))) == (Kind.EXISTS, "RESOURCE_EXISTS")


async def test_an_id_is_free_again_once_no_recorded_answer_leads_to_it(settings):
    clock = ManualClock(NOW)
    app = await build(settings, runtime_for("catalog", clock=clock))
    (forget,) = [loop for loop in app.background if loop.name == "forget"]

    async def rows(table):
        async with app.database.reading() as tx:
            return (await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()

    async with serving(app) as served:
        await create(served, product(), request_id="c1")
        clock.advance(timedelta(days=1))
        await delete(served, request_id="d1")
        clock.advance(timedelta(days=29, hours=1))
        await forget.once()
        assert (await rows(REQUESTS), await rows(DELETED)) == (1, 1)
        assert await refused(create(served, product())) == (Kind.EXISTS, "ID_OF_DELETED")

        clock.advance(timedelta(days=1))
        await forget.once()

        assert (await rows(REQUESTS), await rows(DELETED)) == (0, 0)
        assert (await create(served, product()))[0].etag == "1"
        await delete(served)


async def test_of_two_deletes_at_the_same_time_one_finds_nothing(served):
    await create(served, product())
    found = await asyncio.gather(delete(served), delete(served), return_exceptions=True)
    assert sorted(isinstance(one, WaybillError) and one.kind is Kind.MISSING for one in found) == [False, True]
