"""The products of the trade story: a knife in variants with every kind of mark-up, a whetstone, a board."""

from __future__ import annotations

from decimal import Decimal

from google.type.decimal_pb2 import Decimal as Exact

from services.host.demo.b2b import terms
from services.host.demo.b2b.terms import BOARD, CURRENCY, FORGE, KNIFE, LIGHTS, STONE
from services.host.sample.marketplace import dock
from waybill.catalog.v1 import product_pb2, product_service_pb2, spec_pb2, spec_service_pb2, variant_pb2, variant_service_pb2
from waybill.pricing.v1 import price_schedule_service_pb2 as prices_pb
from waybill.type.v1 import price_mark_up_pb2 as mark_up_pb
from waybill_client import AsyncWaybill, money

BLADE, HANDLE, MARK, WORDS = "blade", "handle", "mark", "words"
VARIANT = "long-horn"
SPECS = (
    spec_pb2.Spec(
        id=BLADE,
        name="Blade",
        required=True,
        defines_variant=True,
        list_order=1,
        options=[
            spec_pb2.SpecOption(id="short", name="15 cm", list_order=1),
            spec_pb2.SpecOption(
                id="long",
                name="20 cm",
                list_order=2,
                mark_up=mark_up_pb.PriceMarkUp(
                    type=mark_up_pb.PRICE_MARK_UP_TYPE_PERCENTAGE, percentage=Exact(value=str(terms.LONGER_PERCENT))
                ),
            ),
        ],
    ),
    spec_pb2.Spec(
        id=HANDLE,
        name="Handle",
        required=True,
        defines_variant=True,
        list_order=2,
        options=[
            spec_pb2.SpecOption(
                id="oak", name="Oak", list_order=1, mark_up=mark_up_pb.PriceMarkUp(type=mark_up_pb.PRICE_MARK_UP_TYPE_NO_MARK_UP)
            ),
            spec_pb2.SpecOption(
                id="horn",
                name="Horn",
                list_order=2,
                mark_up=mark_up_pb.PriceMarkUp(
                    type=mark_up_pb.PRICE_MARK_UP_TYPE_AMOUNT_PER_QUANTITY, amounts=[money(terms.HORN, CURRENCY)]
                ),
            ),
        ],
    ),
    spec_pb2.Spec(
        id=MARK,
        name="Mark",
        list_order=3,
        default_option_id="none",
        options=[
            spec_pb2.SpecOption(id="none", name="None", list_order=1),
            spec_pb2.SpecOption(
                id="engraved",
                name="Engraved",
                list_order=2,
                mark_up=mark_up_pb.PriceMarkUp(
                    type=mark_up_pb.PRICE_MARK_UP_TYPE_AMOUNT_TOTAL, amounts=[money(terms.ENGRAVING, CURRENCY)]
                ),
            ),
        ],
    ),
    spec_pb2.Spec(id=WORDS, name="Words", list_order=4, open_text=True),
)


async def set_up_products(owner: AsyncWaybill) -> None:
    """Products, their variants and prices."""
    products = [
        product_pb2.Product(
            id=KNIFE,
            name="Kitchen knife",
            default_supplier_id=FORGE,
            ship_from_address_id=dock(FORGE),
            variant_stock=True,
            weight_kg=Exact(value=str(terms.PLAIN_WEIGHT)),
        ),
        product_pb2.Product(
            id=STONE,
            name="Whetstone",
            default_supplier_id=LIGHTS,
            supplier_ids=[FORGE],
            ship_from_address_id=dock(LIGHTS),
            weight_kg=Exact(value=str(terms.WEIGHTS[STONE])),
        ),
        product_pb2.Product(id=BOARD, name="Cutting board", weight_kg=Exact(value=str(terms.WEIGHTS[BOARD]))),
    ]
    for product in products:
        product.active = product.shippable = product.track_inventory = True
    await owner.products.BatchCreateProducts(product_service_pb2.BatchCreateProductsRequest(products=products))
    for spec in SPECS:
        await owner.specs.CreateSpec(spec_service_pb2.CreateSpecRequest(spec=spec))
    given = [spec_pb2.ProductSpec(product_id=KNIFE, spec_id=spec.id) for spec in SPECS]
    await owner.specs.AssignProductSpecs(spec_service_pb2.AssignProductSpecsRequest(assignments=given))
    await owner.variants.GenerateVariants(variant_service_pb2.GenerateVariantsRequest(product_id=KNIFE))
    own = variant_pb2.Variant(
        product_id=KNIFE, id=VARIANT, name="Chef's knife, horn", weight_kg=Exact(value=str(terms.WEIGHTS[KNIFE]))
    )
    await owner.variants.UpdateVariant(variant_service_pb2.UpdateVariantRequest(variant=own))
    await _price(owner, KNIFE, terms.KNIFE_BREAKS, tax_included=True)
    await _price(owner, STONE, ((1, terms.STONE_PRICE),), tax_included=False)
    await _price(owner, BOARD, ((1, terms.BOARD_PRICE),), tax_included=True)


async def variants(owner: AsyncWaybill) -> list[variant_pb2.Variant]:
    """Those of the knife."""
    return list((await owner.variants.ListVariants(variant_service_pb2.ListVariantsRequest(product_id=KNIFE))).variants)


async def _price(owner: AsyncWaybill, product: str, breaks: tuple[tuple[int, Decimal], ...], tax_included: bool) -> None:
    schedule = prices_pb.PriceSchedule(id=f"trade-{product}", name=product, currency=CURRENCY, tax_included=tax_included)
    for quantity, price in breaks:
        schedule.price_breaks.add(quantity=quantity, price=money(price, CURRENCY))
    await owner.price_schedules.CreatePriceSchedule(prices_pb.CreatePriceScheduleRequest(price_schedule=schedule))
    default = prices_pb.PriceAssignment(product_id=product, price_schedule_id=schedule.id)
    await owner.price_schedules.AssignPriceSchedules(prices_pb.AssignPriceSchedulesRequest(assignments=[default]))
