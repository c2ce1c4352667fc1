"""Every pair of party and direction: each sees exactly its own view of PO9123."""

from __future__ import annotations

import pytest
from rich.console import Console

from services.host.demo import checkout
from services.host.demo.narrator import Narrator
from tests.support.marketplace import ALL, INCOMING, OUTGOING, Marketplace, create, get
from waybill.order.v1 import line_item_service_pb2, order_service_pb2
from waybill_client import AsyncWaybill, WaybillError

QUIET = Narrator(Console(quiet=True), quiet=True)
CHILDREN = ["PO9123-1", "PO9123-2", "PO9123-3", "PO9123-4"]
OF_SUPPLIER = dict(zip(("northforge", "lumenworks", "wh-east", "wh-west"), CHILDREN, strict=True))
EXPECTED = {
    "ada": {INCOMING: [], OUTGOING: ["PO9123"], ALL: ["PO9123"]},
    "bob": {INCOMING: [], OUTGOING: [], ALL: []},
    "gil": {INCOMING: [], OUTGOING: [], ALL: []},
    "sam": {INCOMING: ["PO9123"], OUTGOING: CHILDREN, ALL: ["PO9123", *CHILDREN]},
    **{s: {INCOMING: [child], OUTGOING: [], ALL: [child]} for s, child in OF_SUPPLIER.items()},
}


def client_of(market: Marketplace, who: str) -> AsyncWaybill:
    clerk = market.cast.clerks.get(who)
    return clerk if clerk is not None else getattr(market.cast, who)


async def submitted(market: Marketplace) -> None:
    await checkout.build(market.cast, QUIET)
    await checkout.ship_and_price(market.cast, QUIET)
    await checkout.pay_and_submit(market.cast, QUIET)


async def listed(client: AsyncWaybill, direction: int) -> list[str]:
    answer = await client.orders.ListOrders(
        order_service_pb2.ListOrdersRequest(direction=direction, order_by="id")  # type: ignore[arg-type]
    )
    return [o.id for o in answer.orders]


async def test_each_party_lists_and_reads_exactly_its_own_view_in_every_direction(market: Marketplace) -> None:
    await submitted(market)
    for who, by_direction in EXPECTED.items():
        client = client_of(market, who)
        for direction, expected in by_direction.items():
            assert await listed(client, direction) == expected, (who, direction)
            for id in ("PO9123", *CHILDREN):
                if id in expected:
                    assert (await get(client, id, direction)).id == id
                else:
                    with pytest.raises(WaybillError) as refused:
                        await get(client, id, direction)
                    assert refused.value.reason == "RESOURCE_NOT_FOUND", (who, direction, id)


async def test_the_buyers_outgoing_order_is_the_sellers_incoming_one(market: Marketplace) -> None:
    await submitted(market)
    ours = await get(market.cast.ada, "PO9123", OUTGOING)
    theirs = await get(market.cast.sam, "PO9123", INCOMING)
    assert ours == theirs


async def test_fulfillment_and_the_read_model_agree_on_what_a_supplier_sees(market: Marketplace) -> None:
    from waybill.fulfillment.v1 import supplier_order_service_pb2

    await submitted(market)
    for supplier, clerk in market.cast.clerks.items():
        answer = await clerk.supplier_orders.ListSupplierOrders(
            supplier_order_service_pb2.ListSupplierOrdersRequest()
        )
        assert [s.id for s in answer.supplier_orders] == await listed(clerk, INCOMING)
        (own,) = answer.supplier_orders
        seen = await get(clerk, own.id, INCOMING)
        assert (seen.total, seen.source_version) == (own.total, own.version), supplier


async def test_unsubmitted_orders_of_others_are_invisible(market: Marketplace) -> None:
    await create(market.cast.ada, "DRAFT", anvil=1)
    assert await listed(market.cast.ada, OUTGOING) == ["DRAFT"]
    for who in ("bob", "gil", "sam", *market.cast.clerks):
        client = client_of(market, who)
        assert await listed(client, ALL) == [], who
        with pytest.raises(WaybillError) as refused:
            await get(client, "DRAFT")
        assert refused.value.reason == "RESOURCE_NOT_FOUND"
    # The owner has every role, UnsubmittedOrderReader among them.
    assert await listed(market.cast.owner, INCOMING) == ["DRAFT"]


async def test_a_stranger_cannot_change_an_order_and_learns_nothing_of_it(market: Marketplace) -> None:
    await create(market.cast.ada, "MINE", anvil=1)
    for who in ("bob", "gil", "northforge"):
        with pytest.raises(WaybillError) as refused:
            await client_of(market, who).line_items.RemoveLineItems(
                line_item_service_pb2.RemoveLineItemsRequest(order_id="MINE", line_item_ids=["l1"])
            )
        assert refused.value.reason in ("RESOURCE_NOT_FOUND", "ROLE_MISSING")
        assert "anvil" not in refused.value.message
    assert (await get(market.cast.ada, "MINE")).line_item_count == 1
