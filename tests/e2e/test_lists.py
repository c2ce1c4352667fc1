"""Lists of orders as whoever looks at them wants them: by page, by amount, by the number of what there is."""

from __future__ import annotations

from collections import Counter

from tests.support.marketplace import ALL, INCOMING, OUTGOING, Marketplace, create
from waybill.order.v1 import line_item_service_pb2, order_pb2, order_service_pb2
from waybill_client import AsyncWaybill, WaybillError

MINE = 'id = "LISTED-*"'
STATUSES = [s for s in order_pb2.OrderStatus.values() if s]


async def listed(client: AsyncWaybill, direction: int, **arguments: object) -> order_service_pb2.ListOrdersResponse:
    request = order_service_pb2.ListOrdersRequest(direction=direction, filter=MINE, **arguments)  # type: ignore[arg-type]
    return await client.orders.ListOrders(request)


async def counted(client: AsyncWaybill, direction: int, filter: str) -> dict[int, int]:
    request = order_service_pb2.CountOrdersRequest(direction=direction, filter=filter)  # type: ignore[arg-type]
    answer = await client.orders.CountOrders(request)
    assert [c.status for c in answer.counts] == STATUSES
    return {c.status: c.count for c in answer.counts}


async def test_orders_are_counted_skipped_and_ordered_by_amount_as_they_are_seen(shared_market: Marketplace) -> None:
    people = shared_market.people
    for n, quantities in enumerate(({"anvil": 1}, {"anvil": 3}, {"anvil": 2, "tape": 1})):
        await people.ada.place_order(quantities, id=f"LISTED-{n}")
    await create(people.ada, "LISTED-DRAFT", tape=1)

    for who in (people.ada, people.bob, people.sam, people.owner, *people.clerks.values()):
        for direction in (INCOMING, OUTGOING, ALL):
            page = await listed(who, direction, include_total=True)
            assert page.total_size == len(page.orders)
            found = Counter(order.status for order in page.orders)
            assert await counted(who, direction, MINE) == {status: found[status] for status in STATUSES}

    whole = list((await listed(people.owner, INCOMING)).orders)
    assert {o.id for o in whole} == {"LISTED-0", "LISTED-1", "LISTED-2", "LISTED-DRAFT"}
    for name, amount in (
        ("subtotal", lambda o: (o.subtotal.units, o.subtotal.nanos)),
        ("shipping_cost", lambda o: (o.shipping_cost.units, o.shipping_cost.nanos)),
        ("tax", lambda o: (o.tax.units, o.tax.nanos)),
        ("discount", lambda o: (o.discount.units, o.discount.nanos)),
        ("line_item_count", lambda o: o.line_item_count),
    ):
        wanted = [o.id for o in sorted(whole, key=lambda o: (amount(o), o.key), reverse=True)]
        page = await listed(people.owner, INCOMING, order_by=f"{name} desc", skip=1, page_size=2, include_total=True)
        assert ([o.id for o in page.orders], page.total_size) == (wanted[1:3], 4), name
    least = f"{MINE} AND line_item_count = 2"
    assert sum((await counted(people.owner, INCOMING, least)).values()) == 1


async def lines_of(client: AsyncWaybill, id: str, **arguments: object) -> line_item_service_pb2.ListLineItemsResponse:
    request = line_item_service_pb2.ListLineItemsRequest(order_id=id, direction=ALL, **arguments)  # type: ignore[arg-type]
    return await client.line_items.ListLineItems(request)


async def across(client: AsyncWaybill, direction: int, filter: str, order_by: str = "", size: int = 2) -> list[tuple[str, str]]:
    """(order, line) of all pages."""
    found: list[tuple[str, str]] = []
    request = line_item_service_pb2.ListLineItemsAcrossOrdersRequest(
        direction=direction,  # type: ignore[arg-type]
        filter=filter,
        order_by=order_by,
        page_size=size,
        include_total=True,
    )
    while True:
        page = await client.line_items.ListLineItemsAcrossOrders(request)
        found += [(one.order_id, one.line_item.id) for one in page.line_items]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            assert page.total_size == len(found)
            return found


async def test_the_lines_of_an_order_are_paged_filtered_and_ordered(shared_market: Marketplace) -> None:
    await lines_of_an_order(shared_market)


async def test_lines_across_orders_are_those_of_the_orders_that_are_listed(shared_market: Marketplace) -> None:
    await lines_across_orders(shared_market)


async def test_lines_are_listed_alike_on_sqlite(shared_sqlite_market: Marketplace) -> None:
    await lines_of_an_order(shared_sqlite_market)
    await lines_across_orders(shared_sqlite_market)


async def lines_of_an_order(market: Marketplace) -> None:
    """Every kind of field filters them, and pages follow their order."""
    people = market.people
    await people.ada.place_order({"anvil": 3, "tape": 7, "lamp": 5}, id="LINED")
    whole = list((await lines_of(people.sam, "LINED")).line_items)
    assert [line.product_id for line in whole] == ["anvil", "tape", "lamp"]
    assert all(line.allocations for line in whole)

    first = await lines_of(people.ada, "LINED", order_by="quantity desc", page_size=2, include_total=True)
    assert ([line.product_id for line in first.line_items], first.total_size) == (["tape", "lamp"], 3)
    rest = await lines_of(people.ada, "LINED", order_by="quantity desc", page_token=first.next_page_token)
    assert ([line.product_id for line in rest.line_items], rest.next_page_token) == (["anvil"], "")
    for filter, products in (
        ('product_id = "*a*p*"', ["tape", "lamp"]),
        ("quantity > 3 AND quantity < 7", ["lamp"]),
        ("NOT date_needed:*", ["anvil", "tape", "lamp"]),
        ("quantity_shipped = 1", []),
        (f"total = {whole[0].total.units}.{whole[0].total.nanos // 1_000:06}", ["anvil"]),
        (f'product.default_supplier_id = "{whole[0].product.default_supplier_id}" AND position = 1', ["anvil"]),
    ):
        found = await lines_of(people.ada, "LINED", filter=filter)
        assert [line.product_id for line in found.line_items] == products, filter


async def test_the_lines_of_a_supplier_order_are_paged(shared_market: Marketplace) -> None:
    people = shared_market.people
    await people.ada.place_order({"anvil": 1, "tape": 1}, id="REPORTED")
    orders = await people.owner.orders.ListOrders(
        order_service_pb2.ListOrdersRequest(direction=ALL, filter='parent_order_id = "REPORTED"')
    )
    for order in orders.orders:
        found, token = [], ""
        for _ in range(order.line_item_count):
            page = await lines_of(people.owner, order.id, page_size=1, page_token=token, include_total=True)
            assert page.total_size == order.line_item_count
            found += [line.id for line in page.line_items]
            token = page.next_page_token
        assert token == ""
        assert found == [line.id for line in (await lines_of(people.owner, order.id)).line_items]


async def lines_across_orders(market: Marketplace) -> None:
    """For everyone and in every direction; fields of their orders filter and order them."""
    people = market.people
    for n, quantities in enumerate(({"anvil": 1, "tape": 2}, {"anvil": 3})):
        await people.ada.place_order(quantities, id=f"ACROSS-{n}")
    await create(people.ada, "ACROSS-DRAFT", tape=1)
    mine = 'order_id = "ACROSS-*"'
    every = {("ACROSS-0", "l1"), ("ACROSS-0", "l2"), ("ACROSS-1", "l1"), ("ACROSS-DRAFT", "l1")}

    for who in (people.ada, people.bob, people.sam, people.owner, *people.clerks.values()):
        for direction in (INCOMING, OUTGOING, ALL):
            request = order_service_pb2.ListOrdersRequest(direction=direction, filter='id = "ACROSS-*"')
            orders = {order.id for order in (await who.orders.ListOrders(request)).orders}
            found = await across(who, direction, mine)
            assert len(found) == len(set(found))
            assert set(found) == {line for line in every if line[0] in orders}

    by_quantity = await across(people.owner, INCOMING, f'{mine} AND product_id = "anvil"', "quantity desc")
    assert by_quantity == [("ACROSS-1", "l1"), ("ACROSS-0", "l1")]
    carts = await across(people.owner, INCOMING, f"{mine} AND order.status = UNSUBMITTED", "order.create_time desc")
    assert carts == [("ACROSS-DRAFT", "l1")]
    latest = await across(people.owner, INCOMING, f"{mine} AND order.is_submitted = true", "order.submit_time desc, position")
    assert latest == [("ACROSS-1", "l1"), ("ACROSS-0", "l1"), ("ACROSS-0", "l2")]


async def test_a_count_refuses_what_its_list_refuses(shared_market: Marketplace) -> None:
    for direction, filter, field in ((0, "", "direction"), (INCOMING, "nope = 1", "filter")):
        try:
            await counted(shared_market.people.owner, direction, filter)
        except WaybillError as error:
            assert [violation.field for violation in error.fields] == [field]
        else:
            raise AssertionError(f"{field} is taken")
