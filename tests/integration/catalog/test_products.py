import asyncio

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.decimal_pb2 import Decimal

from libs.auth import PartyKind
from libs.db import Database
from libs.errors import Kind, WaybillError
from libs.invariants import Finding, Summary
from services.catalog.adapters.db.invariants import census_store
from services.catalog.adapters.db.tables import PRODUCTS
from tests.integration.catalog.conftest import NOW
from tests.support.principals import buyer, seller, supplier
from tests.support.server import serving
from waybill.catalog.v1 import product_service_pb2 as pb
from waybill.catalog.v1 import product_service_pb2_grpc as pb_grpc
from waybill.catalog.v1.product_pb2 import Product


def products(served, principal=None):
    return served.stub(pb_grpc.ProductServiceStub, principal or seller())


def product(id="anvil", **fields):
    return Product(**{"id": id, "name": id.title(), "active": True, "shippable": True, **fields})


async def create(served, *made, request_id=""):
    request = pb.BatchCreateProductsRequest(products=made, request_id=request_id)
    return (await products(served).BatchCreateProducts(request)).products


async def listed(served, principal=None, **asked):
    page = await products(served, principal).ListProducts(pb.ListProductsRequest(**asked))
    return [p.id for p in page.products], page.next_page_token


async def count(served):
    return len((await listed(served, page_size=1_000))[0])


def violations(error):
    return sorted((f.field, f.reason) for f in error.value.fields)


async def test_a_product_comes_back_as_it_was_stored(served):
    wanted = product(
        description="For coyotes.",
        default_supplier_id="bolt",
        supplier_ids=["nut", "gear"],
        ship_from_address_id="dock-1",
        track_inventory=True,
        tax_class="steel",
        quantity_multiplier=12,
        weight_kg=Decimal(value="12.5"),
        length_cm=Decimal(value="40"),
        width_cm=Decimal(value="20.25"),
        returnable=False,
        variant_stock=True,
        auto_forward=False,
    )
    wanted.xp.update({"color": "black", "nested": {"list": [1, "two", None, True]}})
    made = (await products(served).CreateProduct(pb.CreateProductRequest(product=wanted))).product
    assert (made.etag, made.create_time.ToDatetime(tzinfo=NOW.tzinfo)) == ("1", NOW)
    assert (await products(served).GetProduct(pb.GetProductRequest(product_id="anvil"))).product == made
    for name in ("etag", "create_time", "update_time"):
        made.ClearField(name)
    assert made == wanted


async def test_what_is_left_out_has_its_default_and_an_id_is_made(served):
    request = pb.CreateProductRequest(product=Product(name="Tunnel"))
    made = (await products(served).CreateProduct(request)).product
    assert made.id.startswith("prd_")
    assert (made.tax_class, made.quantity_multiplier, made.active, made.returnable) == ("standard", 1, False, True)
    assert made.auto_forward
    assert not made.HasField("weight_kg")


async def test_everything_that_is_wrong_is_reported_at_once_and_nothing_is_stored(served):
    bad = product(
        "a b",
        name="",
        description="x" * 2_001,
        default_supplier_id="bolt",
        supplier_ids=["bolt", "c d"],
        tax_class="\x07",
        quantity_multiplier=-1,
        weight_kg=Decimal(value="-1"),
        length_cm=Decimal(value="1e9"),
    )
    bad.xp.update({"text": "x" * 8_001})
    with pytest.raises(WaybillError) as refused:
        await create(served, product(), bad, product())
    assert refused.value.kind is Kind.INVALID
    assert violations(refused) == sorted(
        [
            ("products[1].id", "ID_INVALID"),
            ("products[1].name", "FIELD_REQUIRED"),
            ("products[1].description", "VALUE_OUT_OF_RANGE"),
            ("products[1].supplier_ids", "DEFAULT_SUPPLIER_REPEATED"),
            ("products[1].supplier_ids[1]", "ID_INVALID"),
            ("products[1].tax_class", "FIELD_INVALID"),
            ("products[1].quantity_multiplier", "VALUE_OUT_OF_RANGE"),
            ("products[1].weight_kg", "VALUE_OUT_OF_RANGE"),
            ("products[1].length_cm", "FIELD_INVALID"),
            ("products[1].xp", "XP_TOO_LARGE"),
            ("products[2].id", "DUPLICATE_ITEM"),
        ]
    )
    assert await count(served) == 0


async def test_a_batch_with_one_taken_id_stores_nothing(served):
    await create(served, product())
    with pytest.raises(WaybillError) as refused:
        await create(served, product("fresh"), product())
    assert (refused.value.kind, refused.value.reason) == (Kind.EXISTS, "RESOURCE_EXISTS")
    assert await count(served) == 1


@pytest.mark.parametrize(("size", "reason"), [(0, "FIELD_REQUIRED"), (1_001, "TOO_MANY_ITEMS")])
async def test_a_batch_is_one_to_a_thousand(served, size, reason):
    with pytest.raises(WaybillError) as refused:
        await create(served, *(product(f"p{i}") for i in range(size)))
    assert violations(refused) == [("products", reason)]


async def test_the_same_request_has_one_effect_and_another_under_its_id_is_refused(served):
    first = await create(served, product(), product("bolt"), request_id="r1")
    assert await create(served, product(), product("bolt"), request_id="r1") == first
    assert await count(served) == 2
    with pytest.raises(WaybillError) as refused:
        await create(served, product("other"), request_id="r1")
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_the_same_request_twice_at_once_has_one_effect(served):
    made = await asyncio.gather(*(create(served, Product(name="Twin"), request_id="r1") for _ in range(5)))
    assert len({answer[0].id for answer in made}) == 1
    assert await count(served) == 1


VISIBLE = [
    (seller("OrderReader"), {"on", "off-bolt", "off-nut"}),
    (buyer(), {"on"}),
    (supplier(party="bolt"), {"off-bolt"}),
    (supplier(party="gear"), {"off-nut"}),
    (supplier(party="nut"), {"on", "off-nut"}),
    (supplier(party="ear"), set()),
]


@pytest.mark.parametrize(("caller", "wanted"), VISIBLE)
async def test_each_party_sees_its_own_products(served, caller, wanted):
    await create(
        served,
        product("on", default_supplier_id="nut"),
        product("off-bolt", default_supplier_id="bolt", active=False),
        product("off-nut", default_supplier_id="nut", supplier_ids=["gear"], active=False),
    )
    everything = ["on", "off-bolt", "off-nut"]
    assert set((await listed(served, caller))[0]) == wanted
    looked = await products(served, caller).BatchGetProducts(pb.BatchGetProductsRequest(product_ids=everything))
    assert {p.id for p in looked.products} == wanted
    assert set(looked.missing_product_ids) == set(everything) - wanted
    for id in everything:
        reading = products(served, caller).GetProduct(pb.GetProductRequest(product_id=id))
        if id in wanted:
            assert (await reading).product.id == id
        else:
            with pytest.raises(WaybillError) as refused:
                await reading
            assert refused.value.kind is Kind.MISSING


async def test_a_service_that_calls_for_a_buyer_gets_inactive_products_too(served):
    await create(served, product("off", active=False))
    stub = served.service_stub(pb_grpc.ProductServiceStub, "order", buyer())
    found = await stub.BatchGetProducts(pb.BatchGetProductsRequest(product_ids=["off", "off", "lost", "a\0b"]))
    assert [p.id for p in found.products] == ["off"]
    assert list(found.missing_product_ids) == ["lost", "a\0b"]


async def test_five_thousand_ids_are_looked_up_in_one_statement_and_more_are_refused(served):
    await create(served, *(product(f"p{i}") for i in range(1_000)))

    async def statements(count):
        before = served.statements
        await products(served).BatchGetProducts(pb.BatchGetProductsRequest(product_ids=[f"p{i}" for i in range(count)]))
        return served.statements - before

    assert await statements(1) == await statements(1_000) == await statements(5_000) == 1
    with pytest.raises(WaybillError) as refused:
        await statements(5_001)
    assert violations(refused) == [("product_ids", "TOO_MANY_ITEMS")]


async def test_a_thousand_products_are_created_in_as_many_statements_as_one(served):
    async def statements(count):
        before = served.statements
        await create(served, *(product(f"n{count}-{i}") for i in range(count)), request_id=f"r{count}")
        return served.statements - before

    assert await statements(1) == await statements(1_000)


@pytest.mark.parametrize("caller", [buyer("FullAccess"), supplier("OrderAdmin"), seller("OrderAdmin")])
async def test_only_product_admins_write(served, caller):
    await create(served, product(default_supplier_id="bolt"))
    stub = products(served, caller)
    for writing in (
        stub.CreateProduct(pb.CreateProductRequest(product=product("new"))),
        stub.BatchCreateProducts(pb.BatchCreateProductsRequest(products=[product("new")])),
        stub.UpdateProduct(pb.UpdateProductRequest(product=product(name="Mine"))),
    ):
        with pytest.raises(WaybillError) as refused:
            await writing
        wanted = (
            ("PARTY_NOT_ADMITTED", {"parties": "SELLER, SUPPLIER"})
            if caller.party_kind is PartyKind.BUYER
            else ("ROLE_MISSING", {"role": "ProductAdmin"})
        )
        assert (refused.value.reason, refused.value.metadata) == wanted
    assert await count(served) == 1


async def test_nobody_reads_without_a_token(served):
    with pytest.raises(WaybillError) as refused:
        await served.stub(pb_grpc.ProductServiceStub).ListProducts(pb.ListProductsRequest())
    assert refused.value.reason == "TOKEN_MISSING"


async def test_an_update_changes_the_fields_of_the_mask_and_merges_xp(served):
    stored = product(description="old", weight_kg=Decimal(value="2"))
    stored.xp.update({"a": 1, "b": {"c": 2, "d": 3}})
    await create(served, stored)
    change = Product(id="anvil", etag="1", name="not in the mask")
    change.xp.update({"b": {"c": None, "e": 4}})
    request = pb.UpdateProductRequest(product=change, update_mask=FieldMask(paths=["active", "xp"]))
    made = (await products(served).UpdateProduct(request)).product
    assert (made.name, made.active, made.description, made.etag) == ("Anvil", False, "old", "2")
    assert dict(made.xp["b"]) == {"d": 3, "e": 4}
    assert made.xp["a"] == 1
    assert made.weight_kg.value == "2"


async def test_a_stale_update_is_aborted_and_a_wrong_one_changes_nothing(served):
    await create(served, product(default_supplier_id="bolt"))

    async def update(mask, **fields):
        request = pb.UpdateProductRequest(product=Product(id="anvil", **fields), update_mask=FieldMask(paths=mask))
        return (await products(served).UpdateProduct(request)).product

    assert (await update(["name"], name="New", etag="1")).etag == "2"
    with pytest.raises(WaybillError) as stale:
        await update(["name"], name="Newer", etag="1")
    assert (stale.value.kind, stale.value.reason) == (Kind.STALE, "ETAG_MISMATCH")
    with pytest.raises(WaybillError) as wrong:
        await update(["supplier_ids", "quantity_multiplier"], supplier_ids=["bolt"], quantity_multiplier=-5)
    assert violations(wrong) == [
        ("product.quantity_multiplier", "VALUE_OUT_OF_RANGE"),
        ("product.supplier_ids", "DEFAULT_SUPPLIER_REPEATED"),
    ]
    with pytest.raises(WaybillError) as masked:
        await update(["etag", "moon"])
    assert [f.reason for f in masked.value.fields] == ["FIELD_INVALID", "FIELD_INVALID"]
    assert (await products(served).GetProduct(pb.GetProductRequest(product_id="anvil"))).product.name == "New"


async def test_updates_at_once_of_the_same_version_have_one_winner(served):
    await create(served, product())

    async def update(i):
        try:
            await products(served).UpdateProduct(pb.UpdateProductRequest(product=Product(id="anvil", name=f"n{i}", etag="1")))
        except WaybillError as error:
            return error.reason
        return "OK"

    assert sorted(await asyncio.gather(*(update(i) for i in range(8)))) == ["ETAG_MISMATCH"] * 7 + ["OK"]


async def test_lists_are_filtered_ordered_and_paged(served):
    made = [product(f"p{i}", name=f"N{i % 3}", active=i % 2 == 0, default_supplier_id="bolt") for i in range(9)]
    for i, item in enumerate(made):
        item.xp.update({"rank": i})
    await create(served, *made)
    asked = {"filter": "active = true AND xp.rank > 0", "order_by": "name desc, id", "page_size": 2}
    first, token = await listed(served, **asked)
    second, end = await listed(served, **asked, page_token=token)
    assert (first, second, end) == (["p2", "p8"], ["p4", "p6"], "")
    for wrong, reason in (
        ({"filter": "moon = 1"}, "FILTER_INVALID"),
        ({"order_by": "moon"}, "ORDER_BY_INVALID"),
        ({**asked, "page_token": "x"}, "PAGE_TOKEN_INVALID"),
        ({**asked, "page_token": token, "filter": "active = true"}, "PAGE_TOKEN_INVALID"),
    ):
        with pytest.raises(WaybillError) as refused:
            await listed(served, **wrong)
        assert refused.value.reason == reason


async def test_the_inspection_counts_every_product_and_finds_broken_ones(settings, app, monkeypatch):
    monkeypatch.setattr(census_store, "PART", 3)
    async with serving(app) as served:
        await create(served, *(product(f"p{i}", default_supplier_id="bolt") for i in range(7)))
        assert [record async for record in app.inspected()] == [Summary("catalog", 23, 29, 0)]
        database = await Database.open(settings.database_url, settings.database_schema)
        async with database.transaction() as tx:
            await tx.execute(sa.update(PRODUCTS).where(PRODUCTS.c.id == "p5").values(supplier_ids=["bolt"]))
        await database.close()
        found = [record async for record in app.inspected() if isinstance(record, Finding)]
    assert [(f.rule, f.subject) for f in found] == [
        ("stored_as_its_contract_allows", "product p5"),
        ("suppliers_stand_once", "product p5"),
    ]
