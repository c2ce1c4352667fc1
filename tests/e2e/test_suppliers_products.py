"""A supplier offers a product of its own, the seller lets it in, a buyer orders it, and it is the supplier's to deliver."""

from __future__ import annotations

from services.host.sample.marketplace import CURRENCY
from tests.e2e.steps import refused, set_floor, vendor_of
from tests.support.marketplace import Marketplace, create
from waybill.catalog.v1 import product_pb2, product_proposal_pb2, product_service_pb2, supplier_permission_pb2
from waybill.catalog.v1 import product_proposal_service_pb2 as proposals_pb
from waybill.catalog.v1 import supplier_permission_service_pb2 as permissions_pb
from waybill.fulfillment.v1 import inventory_pb2
from waybill.fulfillment.v1 import inventory_service_pb2 as stock_pb
from waybill.fulfillment.v1 import supplier_order_service_pb2 as supplier_pb
from waybill.pricing.v1 import price_schedule_service_pb2 as prices_pb
from waybill.type.v1.address_pb2 import Address
from waybill_client import money


def lying(product_id: str) -> inventory_pb2.InventoryRecord:
    """Stock in a place of its own."""
    shed = Address(id="shed", lines=["1 Shed St"], city="Reno", region="NV", postal_code="89501", country="US")
    return inventory_pb2.InventoryRecord(product_id=product_id, address=shed, active=True)


async def test_what_a_supplier_proposes_is_ordered_once_the_seller_lets_it_in(market: Marketplace) -> None:
    people = market.people
    vendor = await vendor_of(people.owner, market.address, "lumenworks")
    lantern = product_pb2.Product(id="lantern", name="Lantern", active=True, shippable=True)
    lantern.weight_kg.value = "1.2"
    offered = product_service_pb2.CreateProductRequest(product=lantern)
    assert (await refused(vendor.products.CreateProduct(offered))).reason == "SUPPLIER_NOT_ADMITTED"
    given = supplier_permission_pb2.SupplierPermission(supplier_id="lumenworks", catalog_id="main", needs_approval=True)
    given.may_set_prices = True
    permitting = permissions_pb.AssignSupplierPermissionsRequest(assignments=[given])
    await people.owner.supplier_permissions.AssignSupplierPermissions(permitting)
    assert (await vendor.products.CreateProduct(offered)).product.owner_supplier_id == "lumenworks"
    price = prices_pb.PriceSchedule(id="list-lantern", name="Lantern", currency=CURRENCY)
    price.price_breaks.add(quantity=1, price=money("19.90", CURRENCY))
    await vendor.price_schedules.CreatePriceSchedule(prices_pb.CreatePriceScheduleRequest(price_schedule=price))
    await set_floor(people.owner, "lantern", "19.91")
    pricing = prices_pb.AssignPriceSchedulesRequest()
    pricing.assignments.add(product_id="lantern", price_schedule_id="list-lantern")
    pricing.assignments.add(product_id="anvil", price_schedule_id="list-lantern")
    cheap = await refused(vendor.price_schedules.AssignPriceSchedules(pricing))
    assert sorted(f.reason for f in cheap.fields) == ["PRICE_BELOW_FLOOR", "PRODUCT_NOT_OWNED"]
    price.price_breaks[0].price.CopyFrom(money("20.90", CURRENCY))
    await vendor.price_schedules.UpdatePriceSchedule(prices_pb.UpdatePriceScheduleRequest(price_schedule=price))
    del pricing.assignments[1]
    await vendor.price_schedules.AssignPriceSchedules(pricing)
    stocking = stock_pb.BatchCreateInventoryRecordsRequest()
    stocking.inventory_records.add(opening_quantity=5).inventory_record.CopyFrom(lying("lantern"))
    stocking.inventory_records.add(opening_quantity=5).inventory_record.CopyFrom(lying("anvil"))
    stranger = await refused(vendor.inventory.BatchCreateInventoryRecords(stocking))
    assert [f.field for f in stranger.fields] == ["inventory_records[1].inventory_record.product_id"]
    del stocking.inventory_records[1]
    await vendor.inventory.BatchCreateInventoryRecords(stocking)
    hidden = await refused(create(people.ada, "EARLY", lantern=1))
    assert [f.reason for f in hidden.fields] == ["PRODUCT_NOT_FOUND"]

    approved = [product_proposal_pb2.ProductApproval(catalog_id="main", product_id="lantern")]
    await people.owner.product_proposals.ApproveProducts(proposals_pb.ApproveProductsRequest(assignments=approved))
    order = await people.ada.place_order({"lantern": 2}, id="LANTERNS")
    assert order.subtotal == money("41.80", CURRENCY)
    mine = await people.clerks["lumenworks"].supplier_orders.ListSupplierOrders(supplier_pb.ListSupplierOrdersRequest())
    assert [(line.product_id, line.quantity) for one in mine.supplier_orders for line in one.line_items] == [("lantern", 2)]
    await vendor.close()
