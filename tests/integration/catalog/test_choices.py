"""What can be chosen of products, as customers and other services read it."""

from __future__ import annotations

from typing import Any

from tests.integration.catalog.shops import shop
from tests.integration.catalog.specs import a_shirt, change, give, make, spec, switch, violations
from tests.integration.catalog.world import World, ids
from tests.support.principals import buyer, seller
from waybill.catalog.v1 import my_product_service_pb2 as shop_pb
from waybill.catalog.v1 import product_service_pb2 as pb
from waybill.catalog.v1 import product_service_pb2_grpc as pb_grpc
from waybill.catalog.v1.product_specs_pb2 import VariantChoice
from waybill.catalog.v1.spec_pb2 import Spec, SpecOption
from waybill.catalog.v1.variant_pb2 import Variant, VariantOption


def choice(variant: str = "", product: str = "shirt", **options: str) -> VariantChoice:
    chosen = [VariantOption(spec_id=spec, option_id=option) for spec, option in options.items()]
    return VariantChoice(product_id=product, variant_id=variant, options=chosen)


async def looked_up(world: World, *products: str, service: str = "order", **asked: Any) -> pb.BatchGetProductsResponse:
    stub = world.served.service_stub(pb_grpc.ProductServiceStub, service, seller())
    return await stub.BatchGetProducts(pb.BatchGetProductsRequest(product_ids=products, **asked))


async def test_a_service_reads_products_with_their_specs_and_variants_by_id_or_by_options(world: World) -> None:
    await a_shirt(world)
    await world.make_products("mug")
    await switch(world, Variant(product_id="shirt", id="s-red"))
    wanted = [
        choice("m-red"),
        choice(size="s", color="red", text="any"),
        choice(size="s"),
        choice("none"),
        choice("m-red", "mug"),
        choice(size="x", color="red"),
    ]
    answer = await looked_up(world, "shirt", "mug", "lost", with_specs=True, variants=wanted)
    assert sorted(ids(answer.variants)) == ["m-red", "s-red"]
    (specs,) = answer.product_specs
    assert (specs.product_id, ids(specs.specs), specs.variant_count) == ("shirt", ["size", "color"], 4)
    assert list(answer.missing_product_ids) == ["lost"]
    plain = await looked_up(world, "shirt", "mug")
    assert (list(plain.product_specs), list(plain.variants)) == ([], [])


async def test_a_buyer_looks_up_active_variants_of_what_it_sees(world: World) -> None:
    await a_shirt(world)
    await switch(world, Variant(product_id="shirt", id="s-red"))
    request = pb.BatchGetProductsRequest(product_ids=["shirt"], with_specs=True, variants=[choice("s-red"), choice("m-red")])
    answer = await world.products(buyer()).BatchGetProducts(request)
    assert (ids(answer.variants), answer.product_specs[0].variant_count) == (["m-red"], 3)
    await world.close_main()
    answer = await world.products(buyer()).BatchGetProducts(request)
    assert (list(answer.variants), list(answer.product_specs)) == ([], [])


async def test_everything_that_is_wrong_with_choices_is_said_at_once(world: World) -> None:
    twice = VariantChoice(product_id="a b", options=[VariantOption(spec_id="s", option_id="")] * 2)
    many = choice(**{f"s{i}": "o" for i in range(21)})
    assert await violations(looked_up(world, "shirt", variants=[twice, many])) == [
        ("variants[0].options[0].option_id", "FIELD_REQUIRED"),
        ("variants[0].options[1].option_id", "FIELD_REQUIRED"),
        ("variants[0].options[1].spec_id", "DUPLICATE_ITEM"),
        ("variants[0].product_id", "ID_INVALID"),
        ("variants[1].options", "TOO_MANY_ITEMS"),
    ]
    assert await violations(looked_up(world, variants=[choice("x")] * 5_001)) == [("variants", "TOO_MANY_ITEMS")]


async def test_many_products_and_choices_cost_as_many_statements_as_one(world: World) -> None:
    await a_shirt(world)
    many = [f"p{i}" for i in range(50)]
    await world.make_products(*many)
    await make(world, spec("fit", "slim", "wide"))
    for id in many[:5]:
        await give(world, id, "fit", "size")
    costs = []
    for products, chosen in (
        (["shirt"], [choice("m-red")]),
        ([*many, "shirt"], [choice("m-red"), choice(size="s", color="red")]),
    ):
        before = world.app.statements()
        await looked_up(world, *products, with_specs=True, variants=chosen * 100)
        costs.append(world.app.statements() - before)
    assert costs[0] == costs[1]


async def test_a_shop_shows_what_can_be_chosen_and_all_active_variants_of_one_product(world: World) -> None:
    await a_shirt(world)
    await world.make_products("mug")
    options = [SpecOption(id="m", name="M", list_order=2), SpecOption(id="s", name="S", list_order=1)]
    await change(world, Spec(id="size", options=options), "options")
    await switch(world, Variant(product_id="shirt", id="s-red"))
    one = (await shop(world).GetMyProduct(shop_pb.GetMyProductRequest(product_id="shirt"))).product
    assert [(each.id, ids(each.options)) for each in one.specs] == [("size", ["s", "m"]), ("color", ["blue", "red"])]
    assert (ids(one.variants), one.variant_count) == (["m-blue", "m-red", "s-blue"], 3)
    page = (await shop(world).ListMyProducts(shop_pb.ListMyProductsRequest(order_by="id"))).products
    assert [(p.product.id, ids(p.specs), list(p.variants), p.variant_count) for p in page] == [
        ("mug", [], [], 0),
        ("shirt", ["size", "color"], [], 3),
    ]
