"""Orders hold what catalogs show to the buyer's user, from the first line to the submit."""

from __future__ import annotations

from google.protobuf.field_mask_pb2 import FieldMask

from tests.e2e.steps import promise, ready, refused
from tests.support.marketplace import Marketplace, create, lines
from waybill.catalog.v1 import catalog_pb2, catalog_service_pb2, product_assignment_pb2, product_service_pb2
from waybill.catalog.v1 import product_assignment_service_pb2 as placing_pb
from waybill.directory.v1 import user_group_service_pb2
from waybill.order.v1 import checkout_service_pb2, line_item_service_pb2, order_pb2, order_service_pb2
from waybill_client import AsyncWaybill


async def close_main(market: Marketplace) -> None:
    """From now on only the trade catalog shows something, and only to Acme."""
    request = catalog_service_pb2.UpdateCatalogRequest(
        catalog=catalog_pb2.Catalog(id="main", open_to_all_buyers=False), update_mask=FieldMask(paths=["open_to_all_buyers"])
    )
    await market.people.owner.catalogs.UpdateCatalog(request)


async def seen(person: AsyncWaybill) -> list[str]:
    page = await person.products.ListProducts(product_service_pb2.ListProductsRequest(order_by="id"))
    return [p.id for p in page.products]


async def test_two_buyers_see_and_order_different_things(market: Marketplace) -> None:
    people = market.people
    assert await seen(people.ada) == await seen(people.gil) == ["anvil", "crate", "lamp", "tape", "tarp", "tongs"]
    await close_main(market)

    assert await seen(people.ada) == ["anvil", "lamp", "tongs"]
    assert await seen(people.gil) == []
    await people.ada.place_order({"anvil": 1, "lamp": 1}, id="TRADE")
    hidden = await refused(create(people.gil, "NOT", anvil=1))
    unknown = await refused(create(people.gil, "NOT", nothing=1))
    assert [(f.field, f.reason) for f in hidden.fields] == [(f.field, f.reason) for f in unknown.fields]
    assert [f.reason for f in hidden.fields] == ["PRODUCT_NOT_FOUND"]


async def test_a_line_is_added_only_of_what_is_shown(market: Marketplace) -> None:
    ada = market.people.ada
    await close_main(market)
    await create(ada, "CART", anvil=1)
    added = line_item_service_pb2.AddLineItemsRequest(order_id="CART", line_items=lines(tape=1))
    error = await refused(ada.line_items.AddLineItems(added))

    assert [f.reason for f in error.fields] == ["PRODUCT_NOT_FOUND"]


async def test_a_product_that_leaves_the_catalog_while_it_is_in_a_cart_is_refused_at_submit(market: Marketplace) -> None:
    people = market.people
    await ready(people.ada, "LEFT", promise(), anvil=1, lamp=1)
    await close_main(market)
    gone = [product_assignment_pb2.CatalogProduct(catalog_id="trade", product_id="lamp")]
    await people.owner.product_assignments.UnassignCatalogProducts(placing_pb.UnassignCatalogProductsRequest(assignments=gone))
    checked = await people.ada.checkout.ValidateOrder(checkout_service_pb2.ValidateOrderRequest(order_id="LEFT"))
    error = await refused(people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="LEFT")))

    assert [(r.reason, r.subject) for r in checked.reasons] == [("PRODUCT_INACTIVE", "line_items[l2]")]
    assert [(r.reason, r.subject) for r in error.rules] == [("PRODUCT_INACTIVE", "line_items[l2]")]
    await people.owner.product_assignments.AssignCatalogProducts(placing_pb.AssignCatalogProductsRequest(assignments=gone))
    sold = (await people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="LEFT"))).order
    assert sold.status == order_pb2.ORDER_STATUS_OPEN


async def test_who_leaves_a_group_no_longer_orders_what_was_shown_to_it(market: Marketplace) -> None:
    people = market.people
    await close_main(market)
    await ready(people.ada, "GROUP", promise(), tongs=1)
    member = [user_group_service_pb2.UserGroupMember(user_group_id="purchasing", user_id="ada")]
    await people.owner.user_groups.RemoveUserGroupMembers(user_group_service_pb2.RemoveUserGroupMembersRequest(members=member))
    error = await refused(people.owner.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="GROUP")))

    assert [(r.reason, r.subject) for r in error.rules] == [("PRODUCT_INACTIVE", "line_items[l1]")]


async def test_the_seller_orders_for_a_buyer_what_the_buyer_sees(market: Marketplace) -> None:
    owner = market.people.owner
    await close_main(market)

    async def order(id: str, **wanted: int) -> order_pb2.Order:
        made = order_pb2.Order(id=id)
        made.from_party.id, made.from_user.id = "acme", "ada"
        request = order_service_pb2.CreateOrderRequest(order=made, line_items=lines(**wanted))
        return (await owner.orders.CreateOrder(request)).order

    assert (await order("FOR-ADA", tongs=1)).id == "FOR-ADA"
    error = await refused(order("FOR-ADA-2", tape=1))
    assert [f.reason for f in error.fields] == ["PRODUCT_NOT_FOUND"]
