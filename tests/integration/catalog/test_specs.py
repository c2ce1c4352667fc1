"""Specs of products: who writes them, and what they can be."""

from __future__ import annotations

from libs.errors import Kind
from tests.integration.catalog.specs import change, delete, give, given, listed, make, refused, spec, take, violations
from tests.integration.catalog.world import MAIN, World
from tests.support.principals import seller, supplier
from waybill.catalog.v1 import product_service_pb2 as products_pb
from waybill.catalog.v1 import spec_service_pb2 as pb
from waybill.catalog.v1.product_pb2 import Product
from waybill.catalog.v1.spec_pb2 import Spec, SpecOption
from waybill.type.v1.price_mark_up_pb2 import PRICE_MARK_UP_TYPE_AMOUNT_PER_QUANTITY as EACH
from waybill.type.v1.price_mark_up_pb2 import PRICE_MARK_UP_TYPE_PERCENTAGE as PART
from waybill.type.v1.price_mark_up_pb2 import PriceMarkUp

BOLT, NUT = supplier("ProductAdmin"), supplier("ProductAdmin", party="nut", user="nora")


def marked(id: str = "gold", units: int = 2, **fields) -> SpecOption:
    mark_up = PriceMarkUp(type=EACH)
    mark_up.amounts.add(currency_code="EUR", units=units)
    return SpecOption(id=id, name=id.title(), mark_up=mark_up, **fields)


async def test_a_spec_is_read_as_it_was_written_and_a_repeat_of_its_request_makes_no_second(world: World) -> None:
    wanted = spec("finish", list_order=3, defines_variant=False, required=False, default_option_id="gold", options=[marked()])
    wanted.options[0].xp.update({"shade": 1})
    wanted.xp.update({"unit": "mm"})
    made = await make(world, wanted, request_id="once")
    again = await make(world, wanted, request_id="once")
    read = (await world.specs(seller("ProductReader")).GetSpec(pb.GetSpecRequest(spec_id="finish"))).spec
    assert made == again == read
    wanted.etag, read_back = made.etag, Spec()
    read_back.CopyFrom(read)
    read_back.ClearField("create_time")
    read_back.ClearField("update_time")
    assert read_back == wanted


async def test_everything_that_is_wrong_with_a_spec_is_said_at_once(world: World) -> None:
    bad = spec("size", "s", open_text=True, defines_variant=True, default_option_id="xl", default_value="any", list_order=-1)
    bad.options.add(id="s", name="", list_order=-1)
    bad.options[1].mark_up.percentage.value = "1001"
    bad.options.add(id="a b", name="x").mark_up.type = PART
    bad.options[2].mark_up.amounts.add(currency_code="EUR", units=1)
    found = await violations(make(world, bad))
    assert found == [
        ("spec.default_option_id", "SPEC_OPTION_NOT_FOUND"),
        ("spec.default_value", "FIELD_INVALID"),
        ("spec.list_order", "VALUE_OUT_OF_RANGE"),
        ("spec.open_text", "FIELD_INVALID"),
        ("spec.options[1].id", "DUPLICATE_ITEM"),
        ("spec.options[1].list_order", "VALUE_OUT_OF_RANGE"),
        ("spec.options[1].mark_up.percentage", "FIELD_INVALID"),
        ("spec.options[1].mark_up.percentage", "VALUE_OUT_OF_RANGE"),
        ("spec.options[1].mark_up.type", "FIELD_REQUIRED"),
        ("spec.options[1].name", "FIELD_REQUIRED"),
        ("spec.options[2].id", "ID_INVALID"),
        ("spec.options[2].mark_up.amounts", "FIELD_INVALID"),
        ("spec.required", "FIELD_INVALID"),
    ]
    assert await violations(make(world, spec("none", open_text=False))) == [("spec.options", "SPEC_OPTIONS_MISSING")]
    long = spec("long", options=[SpecOption(id="a", name="x" * 101)], required=True, defines_variant=True, open_text=False)
    assert await violations(make(world, long)) == [("spec.options[0].name", "VALUE_OUT_OF_RANGE")]
    many = spec("many", *(f"o{i}" for i in range(101)))
    assert await violations(make(world, many)) == [("spec.options", "TOO_MANY_ITEMS")]


async def test_products_have_specs_and_a_spec_in_use_is_not_deleted(world: World) -> None:
    await world.make_products("shirt", "mug")
    await make(world, spec("size", "s", "m"))
    await make(world, spec("text"))
    await give(world, "shirt", "size", "text")
    await give(world, "shirt", "size")
    await give(world, "mug", "text")
    assert await given(world) == [("mug", "text"), ("shirt", "size"), ("shirt", "text")]
    assert (await refused(delete(world, "size"))).reason == "RESOURCE_IN_USE"
    await take(world, "shirt", "size")
    await take(world, "shirt", "size")
    await delete(world, "size")
    await world.products().DeleteProduct(products_pb.DeleteProductRequest(product_id="shirt"))
    assert await given(world) == [("mug", "text")]


async def test_a_product_has_at_most_twenty_specs_and_five_that_define_variants(world: World) -> None:
    await world.make_products("shirt")
    for i in range(6):
        await make(world, spec(f"v{i}", "a", "b"))
    for i in range(16):
        await make(world, spec(f"t{i:02}"))
    six = await violations(give(world, "shirt", *(f"v{i}" for i in range(6)), "nothing"))
    assert six == [("assignments[5].spec_id", "TOO_MANY_VARIANT_SPECS"), ("assignments[6].spec_id", "SPEC_NOT_FOUND")]
    await give(world, "shirt", *(f"v{i}" for i in range(5)), *(f"t{i:02}" for i in range(15)))
    more = await violations(give(world, "shirt", "v0", "t15"))
    assert more == [("assignments[1].spec_id", "TOO_MANY_PRODUCT_SPECS")]
    turned = spec("t00", "a", defines_variant=True)
    assert await violations(change(world, turned, "required", "open_text", "options", "defines_variant")) == [
        ("spec.defines_variant", "TOO_MANY_VARIANT_SPECS")
    ]


async def test_suppliers_write_their_own_specs_for_their_own_products(world: World) -> None:
    await world.make_products("anvil")
    assert (await refused(make(world, spec("size", "s"), by=BOLT))).reason == "SUPPLIER_NOT_ADMITTED"
    await world.permit(MAIN)
    made = await make(world, spec("size", "s"), by=BOLT)
    assert made.owner_supplier_id == "bolt"
    await make(world, spec("color", "red"))
    assert (await listed(world, BOLT), await listed(world, NUT), await listed(world)) == (["size"], [], ["color", "size"])
    assert (await refused(change(world, Spec(id="color", name="Hue"), by=BOLT))).kind is Kind.MISSING
    hammer = Product(id="hammer", name="Hammer", active=True)
    await world.products(BOLT).CreateProduct(products_pb.CreateProductRequest(product=hammer))
    strange = await violations(give(world, "hammer", "size", "color", by=BOLT))
    assert strange == [("assignments[1].spec_id", "SPEC_NOT_FOUND")]
    assert await violations(give(world, "anvil", "size", by=BOLT)) == [("assignments[0].product_id", "PRODUCT_NOT_FOUND")]
    assert await violations(give(world, "anvil", "size")) == [("assignments[0].spec_id", "SPEC_NOT_FOUND")]
    await give(world, "hammer", "size", by=BOLT)
    await give(world, "hammer", "color")
    assert await given(world, BOLT) == [("hammer", "color"), ("hammer", "size")]
    moved = Product(id="hammer", owner_supplier_id="nut", default_supplier_id="nut")
    moving = world.products().UpdateProduct(products_pb.UpdateProductRequest(product=moved))
    assert await violations(moving) == [("product.owner_supplier_id", "SPECS_OF_OTHER_OWNER")]


async def test_a_supplier_whose_products_need_approval_leaves_specs_alone_unless_it_is_let(world: World) -> None:
    await world.permit(MAIN, approval=True)
    assert await violations(make(world, spec("size", "s"), by=BOLT)) == [("spec", "FIELD_NOT_ADMITTED")]
    await world.permit(MAIN, "bolt", "name", "specs", approval=True)
    await make(world, spec("size", "s"), by=BOLT)
    await world.permit(MAIN, "bolt", "name")
    assert await violations(change(world, Spec(id="size", name="S"), by=BOLT)) == [("spec", "FIELD_NOT_ADMITTED")]
    assert await violations(delete(world, "size", by=BOLT)) == [("specs", "FIELD_NOT_ADMITTED")]
    assert ("assignments", "FIELD_NOT_ADMITTED") in await violations(give(world, "none", "size", by=BOLT))
    assert await violations(take(world, "none", "size", by=BOLT)) == [("assignments", "FIELD_NOT_ADMITTED")]


async def test_a_supplier_sets_mark_ups_only_where_it_may_set_prices(world: World) -> None:
    await world.permit(MAIN)
    bad = spec("finish", "raw", options=[SpecOption(id="raw", name="Raw"), marked()])
    assert await violations(make(world, bad, by=BOLT)) == [("spec.options[1].mark_up", "FIELD_NOT_ADMITTED")]
    await world.permit(MAIN, prices=True)
    await make(world, bad, by=BOLT)
    await world.permit(MAIN)
    kept = await change(world, Spec(id="finish", options=[marked(list_order=7)]), "options", by=BOLT)
    assert kept.options[0].list_order == 7
    dearer = Spec(id="finish", options=[marked(units=3)])
    assert await violations(change(world, dearer, by=BOLT)) == [("spec.options[0].mark_up", "FIELD_NOT_ADMITTED")]
    gone = Spec(id="finish", options=[SpecOption(id="gold", name="Gold")])
    assert await violations(change(world, gone, by=BOLT)) == [("spec.options[0].mark_up", "FIELD_NOT_ADMITTED")]
