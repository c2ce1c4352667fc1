"""The story of a catalog: who sees what and pays what, and a supplier's own product that the seller lets in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from services.host.check import check
from services.host.demo.narrator import Narrator
from services.host.demo.stage import Stage, checked
from services.host.sample.catalogs import TRADE
from services.host.sample.marketplace import CURRENCY, PASSWORD, PORTAL, party
from waybill.catalog.v1 import (
    catalog_pb2,
    catalog_service_pb2,
    my_product_service_pb2,
    product_assignment_pb2,
    product_assignment_service_pb2,
    product_facet_pb2,
    product_facet_service_pb2,
    product_pb2,
    product_proposal_pb2,
    product_proposal_service_pb2,
    product_service_pb2,
    reasons,
    supplier_permission_pb2,
    supplier_permission_service_pb2,
)
from waybill.directory.v1 import user_group_service_pb2, user_service_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2
from waybill.order.v1 import reasons as order_reasons
from waybill.pricing.v1 import price_floor_service_pb2, price_schedule_service_pb2
from waybill.pricing.v1 import reasons as pricing_reasons
from waybill_client import AsyncWaybill, WaybillError, money, text

RETAIL, WORKSHOP, VENDOR, LANTERN = "retail", "workshop", "vendor", "lantern"
Shelf = dict[str, str]
"""By product, its price; empty for none."""


async def perform(stage: Stage, narrator: Narrator) -> dict[str, Any]:
    """The whole story; returns it as data."""
    people, owner = stage.people, stage.owner
    narrator.chapter("Two catalogs, two companies, two groups")
    await _catalogs(owner)
    narrator.line("seller owner", f"shows {TRADE} to acme and {RETAIL} to globex, and to nobody what is in neither")
    narrator.line("seller owner", f"prices the anvil for ada's group purchasing, and for bob's group {WORKSHOP}")
    shelves = {name: await _shelf(client) for name, client in (("ada", people.ada), ("bob", people.bob), ("gil", people.gil))}
    _show(shelves, narrator)
    unseen = await _order(people.gil, "anvil")
    narrator.line("buyer gil", f"orders an anvil all the same: {unseen}")
    narrator.chapter("A supplier offers a product of its own")
    vendor = await _vendor(stage)
    try:
        uninvited = await _offer(vendor)
        narrator.line(f"supplier {VENDOR}", f"of lumenworks offers a lantern: {uninvited}")
        await _invite(owner)
        narrator.line("seller owner", f"lets lumenworks offer products for {RETAIL}, which wait for approval")
        offered = await _offer(vendor)
        cheaper = await _priced(owner, vendor)
        waiting = LANTERN in await _shelf(people.gil)
        narrator.line(f"supplier {VENDOR}", f"offers it again: {offered}; gil {'SEES IT' if waiting else 'does not see it yet'}")
        narrator.line(f"supplier {VENDOR}", f"prices it at 19.90; at 14.90, below the seller's floor of 15.00: {cheaper}")
        approval = product_proposal_pb2.ProductApproval(catalog_id=RETAIL, product_id=LANTERN)
        approving = product_proposal_service_pb2.ApproveProductsRequest(assignments=[approval])
        await owner.product_proposals.ApproveProducts(approving)
        after = await _shelf(people.gil)
        narrator.line("seller owner", f"lets the lantern in, at {after.get(LANTERN, 'NO PRICE')}")
        shades = await _shades(owner, people.gil)
        choice = ", ".join(f"{value} {count}" for value, count in shades.items())
        narrator.line("buyer gil", f"chooses by shade, which the seller has made a facet: {choice}")
        narrator.chapter("It sells")
        order = await people.gil.place_order({LANTERN: 2}, id="LANTERNS")
        sold = await _sold(people.clerks["lumenworks"])
        narrator.line("buyer gil", f"orders two lanterns: {text(order.total)}")
        narrator.line("supplier clerk", f"of lumenworks has them to deliver: {sold[0][1] if sold else 'NONE'}")
    finally:
        await vendor.close()
    report = await check(owner, stage.servers)
    ok = (
        len({tuple(sorted(shelf.items())) for shelf in shelves.values()}) == len(shelves)
        and (unseen, uninvited, offered) == (order_reasons.PRODUCT_NOT_FOUND, reasons.SUPPLIER_NOT_ADMITTED, "OK")
        and (waiting, cheaper) == (False, pricing_reasons.PRICE_BELOW_FLOOR)
        and shades == {"amber": 2, "clear": 1}
        and sold == [(LANTERN, 2)]
        and report.ok
    )
    narrator.end(f"[bold]{len(shelves)} customers, {len(shelves)} shops[/bold], and a supplier's product sold in one of them")
    return {
        "ok": ok,
        "shelves": shelves,
        "unseen_product": unseen,
        "offer": {"uninvited": uninvited, "invited": offered, "seen_while_it_waits": waiting, "price": after.get(LANTERN, "")},
        "facet": shades,
        "below_the_floor": cheaper,
        "order": {"id": order.id, "total": text(order.total)},
        "supplier_order_lines": [{"product": product, "quantity": quantity} for product, quantity in sold],
        "check": checked(report, narrator),
    }


def _show(shelves: Mapping[str, Shelf], narrator: Narrator) -> None:
    products = sorted({product for shelf in shelves.values() for product in shelf})
    rows = [(product, *(shelf.get(product, "-") for shelf in shelves.values())) for product in products]
    narrator.table(("product", *shelves), rows, right=tuple(range(1, len(shelves) + 1)))


async def _catalogs(owner: AsyncWaybill) -> None:
    """The catalog that is everyone's is closed, and another one is opened to Globex; two groups have prices of their own."""
    closed = catalog_pb2.Catalog(id="main", active=False)
    only = FieldMask(paths=["active"])
    await owner.catalogs.UpdateCatalog(catalog_service_pb2.UpdateCatalogRequest(catalog=closed, update_mask=only))
    retail = catalog_pb2.Catalog(id=RETAIL, name="Retail", active=True)
    await owner.catalogs.CreateCatalog(catalog_service_pb2.CreateCatalogRequest(catalog=retail))
    shown = catalog_pb2.CatalogAssignment(catalog_id=RETAIL, buyer_id="globex", view_all_categories=True, view_all_products=True)
    await owner.catalogs.AssignCatalogs(catalog_service_pb2.AssignCatalogsRequest(assignments=[shown]))
    standing = [product_assignment_pb2.CatalogProduct(catalog_id=RETAIL, product_id=id) for id in ("lamp", "crate", "tape")]
    await owner.product_assignments.AssignCatalogProducts(
        product_assignment_service_pb2.AssignCatalogProductsRequest(assignments=standing)
    )
    group = user_group_service_pb2.UserGroup(id=WORKSHOP, name="Workshop", party=party("BUYER", "acme"))
    await owner.user_groups.CreateUserGroup(user_group_service_pb2.CreateUserGroupRequest(user_group=group))
    moved = user_group_service_pb2.UserGroupMember(user_group_id="purchasing", user_id="bob")
    await owner.user_groups.RemoveUserGroupMembers(user_group_service_pb2.RemoveUserGroupMembersRequest(members=[moved]))
    joined = user_group_service_pb2.UserGroupMember(user_group_id=WORKSHOP, user_id="bob")
    await owner.user_groups.AddUserGroupMembers(user_group_service_pb2.AddUserGroupMembersRequest(members=[joined]))
    await _price(owner, "anvil", "purchasing-anvil", "175.00", "purchasing")
    await _price(owner, "anvil", "workshop-anvil", "180.00", WORKSHOP)


async def _price(owner: AsyncWaybill, product: str, id: str, amount: str, group: str = "") -> None:
    schedule = price_schedule_service_pb2.PriceSchedule(id=id, name=id, currency=CURRENCY)
    schedule.price_breaks.add(quantity=1, price=money(amount, CURRENCY))
    await owner.price_schedules.CreatePriceSchedule(
        price_schedule_service_pb2.CreatePriceScheduleRequest(price_schedule=schedule)
    )
    assignment = price_schedule_service_pb2.PriceAssignment(
        product_id=product, price_schedule_id=id, buyer_id="acme" if group else "", user_group_id=group
    )
    await owner.price_schedules.AssignPriceSchedules(
        price_schedule_service_pb2.AssignPriceSchedulesRequest(assignments=[assignment])
    )


async def _sold(clerk: AsyncWaybill) -> list[tuple[str, int]]:
    """What a supplier has to deliver."""
    mine = await clerk.supplier_orders.ListSupplierOrders(supplier_order_service_pb2.ListSupplierOrdersRequest())
    return [(line.product_id, line.quantity) for one in mine.supplier_orders for line in one.line_items]


async def _priced(owner: AsyncWaybill, vendor: AsyncWaybill) -> str:
    """The lantern has a floor and its supplier's price; what was answered to a price below the floor."""
    floor = price_floor_service_pb2.PriceFloor(product_id=LANTERN, currency=CURRENCY, unit_price=money("15.00", CURRENCY))
    await owner.price_floors.CreatePriceFloor(price_floor_service_pb2.CreatePriceFloorRequest(price_floor=floor))
    await _price(vendor, LANTERN, "list-lantern", "19.90")
    return await _reprice(vendor, "list-lantern", "14.90")


async def _reprice(vendor: AsyncWaybill, id: str, amount: str) -> str:
    """Another price; what was answered."""
    schedule = price_schedule_service_pb2.PriceSchedule(id=id)
    schedule.price_breaks.add(quantity=1, price=money(amount, CURRENCY))
    try:
        await vendor.price_schedules.UpdatePriceSchedule(
            price_schedule_service_pb2.UpdatePriceScheduleRequest(price_schedule=schedule)
        )
    except WaybillError as error:
        return error.reason
    return "OK"


async def _shelf(client: AsyncWaybill) -> Shelf:
    """What somebody sees, and what it costs, in one call."""
    page = await client.my_products.ListMyProducts(my_product_service_pb2.ListMyProductsRequest(order_by="id"))
    return {each.product.id: text(each.price.unit_price) if each.HasField("price") else "" for each in page.products}


async def _shades(owner: AsyncWaybill, client: AsyncWaybill) -> dict[str, int]:
    """Products get a shade, which becomes a facet; how many somebody finds of each."""
    facet = product_facet_pb2.ProductFacet(id="shade", name="Shade", xp_path="look.shade")
    await owner.product_facets.CreateProductFacet(product_facet_service_pb2.CreateProductFacetRequest(product_facet=facet))
    for id, shade in (("lamp", "amber"), (LANTERN, "amber"), ("tape", "clear"), ("anvil", "black")):
        shaded = product_pb2.Product(id=id)
        shaded.xp.update({"look": {"shade": shade}})
        await owner.products.UpdateProduct(product_service_pb2.UpdateProductRequest(product=shaded))
    page = await client.my_products.ListMyProducts(my_product_service_pb2.ListMyProductsRequest(include_facets=True))
    return {each.value: each.count for each in page.facets[0].values}


async def _order(client: AsyncWaybill, product: str) -> str:
    try:
        await client.place_order({product: 1}, id="UNSEEN")
    except WaybillError as error:
        return next((field.reason for field in error.fields), error.reason)
    return "OK"


async def _vendor(stage: Stage) -> AsyncWaybill:
    """Somebody who keeps the products of a supplier."""
    user = user_service_pb2.User(
        id=VENDOR, username=VENDOR, party=party("SUPPLIER", "lumenworks"), active=True, password=PASSWORD
    )
    user.roles.extend(["ProductAdmin", "PriceScheduleAdmin"])
    await stage.owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=user))
    return stage.person(PORTAL, VENDOR, PASSWORD)


async def _offer(vendor: AsyncWaybill) -> str:
    """A product for the retail catalog."""
    lantern = product_pb2.Product(id=LANTERN, name="Lantern", active=True, shippable=True)
    lantern.weight_kg.value = "1.2"
    try:
        await vendor.products.CreateProduct(product_service_pb2.CreateProductRequest(product=lantern))
        standing = [product_assignment_pb2.CatalogProduct(catalog_id=RETAIL, product_id=LANTERN)]
        await vendor.product_assignments.AssignCatalogProducts(
            product_assignment_service_pb2.AssignCatalogProductsRequest(assignments=standing)
        )
    except WaybillError as error:
        return error.reason
    return "OK"


async def _invite(owner: AsyncWaybill) -> None:
    given = supplier_permission_pb2.SupplierPermission(
        supplier_id="lumenworks", catalog_id=RETAIL, needs_approval=True, may_set_prices=True
    )
    await owner.supplier_permissions.AssignSupplierPermissions(
        supplier_permission_service_pb2.AssignSupplierPermissionsRequest(assignments=[given])
    )
