"""Variants of products: generated, changed, read and ended."""

from __future__ import annotations

import asyncio

from google.type.decimal_pb2 import Decimal

from libs.errors import Kind
from tests.integration.catalog.specs import (
    a_shirt,
    change,
    generate,
    give,
    make,
    refused,
    spec,
    switch,
    take,
    variants,
    violations,
)
from tests.integration.catalog.world import MAIN, World, ids
from tests.support.principals import buyer, supplier
from waybill.catalog.v1 import product_service_pb2 as products_pb
from waybill.catalog.v1 import variant_service_pb2 as pb
from waybill.catalog.v1.product_pb2 import Product
from waybill.catalog.v1.spec_pb2 import Spec, SpecOption
from waybill.catalog.v1.variant_pb2 import Variant

BOLT = supplier("ProductAdmin")


async def get(world: World, id: str, by=None) -> Variant:
    request = pb.GetVariantRequest(product_id="shirt", variant_id=id)
    return (await world.variants(by).GetVariant(request)).variant


async def update(world: World, variant: Variant, request_id: str = "") -> Variant:
    return (await world.variants().UpdateVariant(pb.UpdateVariantRequest(variant=variant, request_id=request_id))).variant


async def delete(world: World, id: str, etag: str = "", request_id: str = "") -> None:
    request = pb.DeleteVariantRequest(product_id="shirt", variant_id=id, etag=etag, request_id=request_id)
    await world.variants().DeleteVariant(request)


async def test_a_product_has_each_combination_once_and_what_is_missing_is_made_again(world: World) -> None:
    await a_shirt(world)
    made = await variants(world, "shirt")
    assert ids(made) == ["m-blue", "m-red", "s-blue", "s-red"]
    assert [(each.spec_id, each.option_id) for each in made[0].options] == [("color", "blue"), ("size", "m")]
    assert (made[0].name, made[0].active, made[0].etag) == ("M / Blue", True, "1")
    await delete(world, "m-red")
    await change(world, Spec(id="size", options=[SpecOption(id=id, name=id) for id in ("s", "m", "l")]))
    assert await generate(world, "shirt", request_id="once") == (3, 6)
    assert await generate(world, "shirt", request_id="once") == (3, 6)
    assert await generate(world, "shirt") == (0, 6)


async def test_variants_of_one_product_are_generated_once_by_many_calls(world: World) -> None:
    await a_shirt(world)
    await delete(world, "m-red")
    made = await asyncio.gather(*(generate(world, "shirt") for _ in range(4)))
    assert sorted(made) == [(0, 4), (0, 4), (0, 4), (1, 4)]


async def test_a_product_with_too_many_combinations_says_how_many(world: World) -> None:
    await world.make_products("shirt", "plain")
    for i in range(2):
        await make(world, spec(f"s{i}", *(f"o{n}" for n in range(100))))
    await give(world, "shirt", "s0", "s1")
    error = await refused(generate(world, "shirt"))
    assert (error.kind, error.reason) == (Kind.PRECONDITION, "TOO_MANY_VARIANTS")
    assert error.metadata == {"product": "shirt", "variants": "10000"}
    assert await variants(world, "shirt") == []
    assert (await refused(generate(world, "plain"))).reason == "VARIANT_SPECS_MISSING"
    assert (await refused(generate(world, "none"))).kind is Kind.MISSING


async def test_two_thousand_variants_cost_as_many_statements_as_four(world: World) -> None:
    await a_shirt(world)
    await world.make_products("many")
    await make(world, spec("a", *(f"o{n}" for n in range(50))))
    await make(world, spec("b", *(f"o{n}" for n in range(40))))
    await give(world, "many", "a", "b")
    await world.products().DeleteProduct(products_pb.DeleteProductRequest(product_id="shirt"))
    await world.make_products("few")
    await give(world, "few", "size", "color")
    before = world.app.statements()
    assert await generate(world, "few") == (4, 4)
    few = world.app.statements() - before
    assert await generate(world, "many") == (2_000, 2_000)
    assert world.app.statements() - before == 2 * few
    page = await variants(world, "many")
    off = [Variant(product_id="many", id=each.id) for each in page]
    before = world.app.statements()
    await switch(world, *off[:2])
    two = world.app.statements() - before
    await switch(world, *off)
    assert world.app.statements() - before == 2 * two
    assert len(await variants(world, "many", filter="active=false")) == 1_000


async def test_a_variant_says_what_differs_from_its_product(world: World) -> None:
    await a_shirt(world)
    changed = Variant(product_id="shirt", id="s-red", name="Small", description="", weight_kg=Decimal(value="0"))
    changed.xp.update({"ean": "123"})
    made = await update(world, changed, request_id="once")
    assert made == await update(world, changed, request_id="once") == await get(world, "s-red")
    assert (made.name, made.HasField("description"), made.weight_kg.value, made.etag) == ("Small", True, "0", "2")
    assert not made.HasField("length_cm")
    plain = Variant(product_id="shirt", id="s-red", etag="2")
    (again,) = await switch(world, plain, paths=["weight_kg", "description"])
    assert (again.HasField("weight_kg"), again.HasField("description")) == (False, False)
    stale = Variant(product_id="shirt", id="s-red", etag="1", name="Late")
    assert (await refused(update(world, stale))).kind is Kind.STALE
    assert (await refused(delete(world, "s-red", etag="2"))).kind is Kind.STALE
    await delete(world, "s-red", etag="3", request_id="gone")
    await delete(world, "s-red", etag="3", request_id="gone")
    assert (await refused(delete(world, "s-red"))).kind is Kind.MISSING
    assert (await refused(get(world, "s-red"))).kind is Kind.MISSING
    assert (await refused(update(world, stale))).kind is Kind.MISSING


async def test_everything_that_is_wrong_with_many_changes_is_said_at_once(world: World) -> None:
    await a_shirt(world)
    bad = [
        Variant(product_id="shirt", id="s-red", name=""),
        Variant(product_id="shirt", id="nothing", name="x"),
        Variant(product_id="none", id="s-red", name="x"),
        Variant(product_id="shirt", id="s-blue", name="x" * 101, weight_kg=Decimal(value="-1")),
    ]
    assert await violations(switch(world, *bad, paths=["name", "weight_kg"])) == [
        ("variants[0].name", "FIELD_REQUIRED"),
        ("variants[1].id", "VARIANT_NOT_FOUND"),
        ("variants[2].id", "VARIANT_NOT_FOUND"),
        ("variants[3].name", "VALUE_OUT_OF_RANGE"),
        ("variants[3].weight_kg", "VALUE_OUT_OF_RANGE"),
    ]
    twice = [Variant(product_id="shirt", id="s-red")] * 2
    assert await violations(switch(world, *twice)) == [("variants[1]", "DUPLICATE_ITEM")]
    assert await violations(switch(world)) == [("variants", "FIELD_REQUIRED")]
    many = [Variant(product_id="shirt", id=f"v{i}") for i in range(1_001)]
    assert await violations(switch(world, *many)) == [("variants", "TOO_MANY_ITEMS")]
    options = Variant(product_id="shirt", id="s-red")
    assert await violations(switch(world, options, paths=["options"])) == [("update_mask.paths[0]", "FIELD_INVALID")]
    assert [each.etag for each in await variants(world, "shirt")] == ["1"] * 4


async def test_what_variants_are_made_of_stays_while_they_are_there(world: World) -> None:
    await a_shirt(world)
    await make(world, spec("fit", "slim"))
    only = Spec(id="size", options=[SpecOption(id="s", name="S")])
    assert await violations(change(world, only, "options")) == [("spec.options", "OPTION_IN_USE")]
    free = Spec(id="size")
    assert await violations(change(world, free, "defines_variant")) == [("spec.defines_variant", "VARIANTS_EXIST")]
    assert await violations(give(world, "shirt", "fit")) == [("assignments[0].spec_id", "VARIANTS_EXIST")]
    assert await violations(take(world, "shirt", "size")) == [("assignments[0].spec_id", "VARIANTS_EXIST")]
    await delete(world, "m-red")
    await delete(world, "m-blue")
    await change(world, only, "options")
    await delete(world, "s-red")
    await delete(world, "s-blue")
    await take(world, "shirt", "size")
    await change(world, free, "defines_variant")


async def test_a_product_that_goes_takes_its_variants_along(world: World) -> None:
    await a_shirt(world)
    await world.products().DeleteProduct(products_pb.DeleteProductRequest(product_id="shirt"))
    assert (await refused(variants(world, "shirt"))).kind is Kind.MISSING


async def test_buyers_read_active_variants_of_what_they_see(world: World) -> None:
    await a_shirt(world)
    await switch(world, Variant(product_id="shirt", id="s-red"))
    assert ids(await variants(world, "shirt", buyer())) == ["m-blue", "m-red", "s-blue"]
    assert (await refused(get(world, "s-red", buyer()))).kind is Kind.MISSING
    assert (await get(world, "m-red", buyer())).name == "M / Red"
    await world.close_main()
    assert (await refused(get(world, "m-red", buyer()))).kind is Kind.MISSING
    assert (await refused(variants(world, "shirt", buyer()))).kind is Kind.MISSING
    assert (await refused(variants(world, "shirt", BOLT))).kind is Kind.MISSING


async def test_a_supplier_writes_variants_of_its_own_products_where_it_may_set_specs(world: World) -> None:
    await a_shirt(world)
    await world.permit(MAIN)
    assert (await refused(generate(world, "shirt", BOLT))).kind is Kind.MISSING
    mine = Product(id="hammer", name="Hammer", active=True)
    await world.products(BOLT).CreateProduct(products_pb.CreateProductRequest(product=mine))
    await give(world, "hammer", "size")
    assert await generate(world, "hammer", BOLT) == (2, 2)
    off = Variant(product_id="hammer", id="s")
    assert [each.active for each in await switch(world, off, by=BOLT)] == [False]
    await world.permit(MAIN, "bolt", "name")
    assert await violations(generate(world, "hammer", BOLT)) == [("product_id", "FIELD_NOT_ADMITTED")]
    assert await violations(switch(world, off, by=BOLT)) == [("variants", "FIELD_NOT_ADMITTED")]
    await world.permit(MAIN)
    strange = Variant(product_id="shirt", id="s-red")
    assert await violations(switch(world, strange, by=BOLT)) == [("variants[0].id", "VARIANT_NOT_FOUND")]


async def test_a_walk_over_pages_finds_every_variant_once(world: World) -> None:
    await a_shirt(world)
    seen, token = list[str](), ""
    while True:
        request = pb.ListVariantsRequest(product_id="shirt", page_size=3, page_token=token, order_by="name desc")
        page = await world.variants().ListVariants(request)
        seen += ids(page.variants)
        if not (token := page.next_page_token):
            break
    assert seen == ["s-red", "s-blue", "m-red", "m-blue"]
