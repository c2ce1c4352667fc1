"""What the people of the marketplace do in many tests, and what they were answered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from google.type.decimal_pb2 import Decimal

from services.host.sample.marketplace import CURRENCY, PASSWORD, PORTAL, SHOP, party
from tests.support.marketplace import ALL, Marketplace, create
from waybill.catalog.v1 import (
    product_assignment_pb2,
    product_assignment_service_pb2,
    product_facet_pb2,
    product_facet_service_pb2,
    product_pb2,
    product_service_pb2,
    spec_pb2,
    spec_service_pb2,
    supplier_permission_pb2,
    supplier_permission_service_pb2,
    variant_pb2,
    variant_service_pb2,
)
from waybill.directory.v1 import api_client_service_pb2, ordering_context_service_pb2, user_service_pb2
from waybill.fulfillment.v1 import shipment_pb2, shipment_service_pb2
from waybill.operations.v1 import outbox_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_service_pb2
from waybill.payment.v1 import credit_card_service_pb2, payment_pb2, spending_account_service_pb2
from waybill.pricing.v1 import cost_schedule_service_pb2, price_floor_service_pb2, promotion_pb2, promotion_service_pb2
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill, WaybillError, money

DEPOT = Address(company_name="Acme depot", lines=["2 Side St"], city="Reno", region="NV", postal_code="89501", country="US")


async def ready(client: AsyncWaybill, id: str, payments: list[payment_pb2.Payment], **quantities: int) -> None:
    """An order that only has to be submitted."""
    await create(client, id, **quantities)
    await checked_out(client, id, payments)


async def checked_out(client: AsyncWaybill, id: str, payments: list[payment_pb2.Payment]) -> None:
    """Takes an order with lines to where it only has to be submitted."""
    sheet = (await client.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id=id))).worksheet
    await client.checkout.SelectShipMethods(
        pb.SelectShipMethodsRequest(
            order_id=id,
            selections=[pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates],
        )
    )
    await client.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id=id))
    if payments:
        await client.checkout.AddPayments(pb.AddPaymentsRequest(order_id=id, payments=payments))


def promise() -> list[payment_pb2.Payment]:
    """Paid later, on a purchase order."""
    return [payment_pb2.Payment(type="purchase_order")]


TAKES = ("credit_card", "spending_account", "purchase_order")
"""Types of payment that the web shop takes."""


async def policy(market: Marketplace, **values: Any) -> None:
    """Changes the policy of the web shop."""
    made = ordering_context_service_pb2.OrderingPolicy(
        **{
            "auto_forward": ordering_context_service_pb2.AUTO_FORWARD_ALL,
            "require_ship_methods": True,
            "payment_types": TAKES,
            **values,
        }
    )
    await market.people.owner.api_clients.UpdateApiClient(
        api_client_service_pb2.UpdateApiClientRequest(
            api_client=api_client_service_pb2.ApiClient(id=SHOP, policy=made), update_mask={"paths": ["policy"]}
        )
    )


async def card(market: Marketplace, id: str, token: str) -> None:
    """A card of ada's."""
    await market.people.ada.credit_cards.CreateCreditCard(
        credit_card_service_pb2.CreateCreditCardRequest(
            credit_card=credit_card_service_pb2.CreditCard(id=id, token=token, card_type="visa", partial_number="1111")
        )
    )


async def ship(clerk: AsyncWaybill, supplier_order_id: str, line: str, quantity: int) -> None:
    """Units of a line, at once."""
    shipment = shipment_pb2.Shipment(
        items=[shipment_pb2.ShipmentItem(supplier_order_id=supplier_order_id, line_item_id=line, quantity=quantity)]
    )
    shipment.ship_time.GetCurrentTime()
    await clerk.shipments.CreateShipment(shipment_service_pb2.CreateShipmentRequest(shipment=shipment))


def xp(**values: Any) -> Struct:
    """Extended properties."""
    made = Struct()
    made.update(values)
    return made


async def until(client: AsyncWaybill, id: str, status: int) -> bool:
    """Waits on the stream, not on the clock."""
    request = order_service_pb2.WatchOrdersRequest(direction=ALL, order_ids=[id], from_start=True)
    async with asyncio.timeout(90):
        async for message in client.orders.WatchOrders(request):
            if message.HasField("event") and message.event.status == status:
                return True
    return False


async def until_parked(market: Marketplace, count: int) -> None:
    """Waits until nothing is pending but so many parked entries."""
    async with asyncio.timeout(30):
        while True:
            answer = await market.people.owner.outbox.ListOutboxEntries(outbox_service_pb2.ListOutboxEntriesRequest())
            if [e.HasField("parked_time") for e in answer.entries] == [True] * count:
                return
            await asyncio.sleep(0.05)


async def refused(call: Any) -> WaybillError:
    """The refusal of a call that must be refused."""
    with pytest.raises(WaybillError) as error:
        await call
    return error.value


def violations(error: WaybillError) -> set[tuple[str, str]]:
    """The fields that an error names, with their reasons."""
    return {(f.field, f.reason) for f in error.fields}


async def vendor_of(owner: AsyncWaybill, address: str, supplier_id: str) -> AsyncWaybill:
    """Somebody who keeps the products of a supplier, signed in."""
    id = f"vendor-{supplier_id}"
    made = user_service_pb2.User(id=id, party=party("SUPPLIER", supplier_id), username=id, active=True, password=PASSWORD)
    made.roles.extend(["ProductAdmin", "PriceScheduleAdmin", "InventoryAdmin"])
    await owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=made))
    return await AsyncWaybill.connect(address, PORTAL, username=id, password=PASSWORD)


async def declare_facet(owner: AsyncWaybill, product_id: str, color: str) -> None:
    """A product has a color, and shops count by it."""
    facet = product_facet_pb2.ProductFacet(id="color", name="Color", xp_path="color")
    await owner.product_facets.CreateProductFacet(product_facet_service_pb2.CreateProductFacetRequest(product_facet=facet))
    colored = product_pb2.Product(id=product_id)
    colored.xp.update({"color": color})
    await owner.products.UpdateProduct(product_service_pb2.UpdateProductRequest(product=colored))


async def vary(owner: AsyncWaybill, product_id: str) -> None:
    """A product comes in two glasses, one of them heavier."""
    glass = spec_pb2.Spec(id="glass", name="Glass", defines_variant=True, required=True, default_option_id="clear")
    glass.options.add(id="clear", name="Clear")
    glass.options.add(id="red", name="Red")
    await owner.specs.CreateSpec(spec_service_pb2.CreateSpecRequest(spec=glass))
    given = [spec_pb2.ProductSpec(product_id=product_id, spec_id="glass")]
    await owner.specs.AssignProductSpecs(spec_service_pb2.AssignProductSpecsRequest(assignments=given))
    await owner.variants.GenerateVariants(variant_service_pb2.GenerateVariantsRequest(product_id=product_id))
    heavy = variant_pb2.Variant(product_id=product_id, id="red", weight_kg=Decimal(value="2"))
    await owner.variants.UpdateVariant(variant_service_pb2.UpdateVariantRequest(variant=heavy))


async def propose(owner: AsyncWaybill, address: str, supplier_id: str, product_id: str) -> None:
    """A supplier's own product waits for the seller, for the trade catalog, and has a floor of its id."""
    given = supplier_permission_pb2.SupplierPermission(supplier_id=supplier_id, catalog_id="trade", needs_approval=True)
    permitting = supplier_permission_service_pb2.AssignSupplierPermissionsRequest(assignments=[given])
    await owner.supplier_permissions.AssignSupplierPermissions(permitting)
    async with await vendor_of(owner, address, supplier_id) as vendor:
        made = product_pb2.Product(id=product_id, name="Proposed")
        await vendor.products.CreateProduct(product_service_pb2.CreateProductRequest(product=made))
        proposed = [product_assignment_pb2.CatalogProduct(catalog_id="trade", product_id=product_id)]
        request = product_assignment_service_pb2.AssignCatalogProductsRequest(assignments=proposed)
        await vendor.product_assignments.AssignCatalogProducts(request)
    await set_floor(owner, product_id, "9.90")


async def set_floor(owner: AsyncWaybill, product_id: str, price: str) -> None:
    """No supplier asks less for a product; the floor has the product's id."""
    floor = price_floor_service_pb2.PriceFloor(
        id=product_id, product_id=product_id, currency=CURRENCY, unit_price=money(price, CURRENCY)
    )
    await owner.price_floors.CreatePriceFloor(price_floor_service_pb2.CreatePriceFloorRequest(price_floor=floor))


async def set_cost(owner: AsyncWaybill, supplier_id: str, product_id: str, cost: str) -> None:
    """What a supplier is paid for a unit of a product; the schedule has both ids."""
    made = cost_schedule_service_pb2.CostSchedule(
        id=f"{supplier_id}-{product_id}", supplier_id=supplier_id, product_id=product_id, currency=CURRENCY
    )
    made.price_breaks.add(quantity=1, price=money(cost, CURRENCY))
    await owner.cost_schedules.CreateCostSchedule(cost_schedule_service_pb2.CreateCostScheduleRequest(cost_schedule=made))


async def promote(owner: AsyncWaybill, id: str, buyer_id: str, **fields: Any) -> None:
    """A buyer may use a promotion whose code is its id: five off the price of the goods, if the fields say nothing else."""
    plain = {"code": id, "active": True, "target": promotion_pb2.PROMOTION_TARGET_ORDER, "value_expression": "money('5')"}
    made = promotion_pb2.Promotion(id=id, **{**plain, **fields})
    await owner.promotions.CreatePromotion(promotion_service_pb2.CreatePromotionRequest(promotion=made))
    given = promotion_service_pb2.PromotionAssignment(promotion_id=id, buyer_id=buyer_id)
    await owner.promotions.AssignPromotions(promotion_service_pb2.AssignPromotionsRequest(assignments=[given]))


def cents(amount: Any) -> int:
    """An amount of the demo's currency."""
    return int(amount.units * 100 + amount.nanos // 10_000_000)


async def gift_card(market: Marketplace) -> int:
    """What is on ada's gift card."""
    answer = await market.people.owner.spending_accounts.GetSpendingAccount(
        spending_account_service_pb2.GetSpendingAccountRequest(spending_account_id="gift-ada")
    )
    return cents(answer.spending_account.balance)
