"""`waybill order`, against a marketplace that is served."""

from __future__ import annotations

import json

from tests.e2e.steps import promise, ready
from tests.support.marketplace import Marketplace
from tests.support.process import said
from waybill.order.v1 import checkout_service_pb2 as pb


async def test_orders_are_listed_shown_and_drawn(shared_sqlite_market: Marketplace) -> None:
    market = shared_sqlite_market

    async def order(*arguments: str) -> str:
        access = ("--server", market.address, "--client-secret", market.secret.client_secret)
        code, output, errors = await said("order", *arguments, *access)
        assert (code, errors) == (0, "")
        return output

    for id in ("SHOWN-1", "SHOWN-2"):
        await ready(market.people.ada, id, promise(), anvil=1, lamp=2)
        await market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id))

    chosen = ("list", "--filter", 'id = "SHOWN-1" OR id = "SHOWN-2"', "--order-by", "id", "--page-size", "1", "--json")
    first = json.loads(await order(*chosen))
    second = json.loads(await order(*chosen, "--page-token", first["next_page_token"]))
    assert [one["id"] for page in (first, second) for one in page["orders"]] == ["SHOWN-1", "SHOWN-2"]
    assert "total_size" not in first
    assert json.loads(await order(*chosen, "--total"))["total_size"] == 2

    shown = json.loads(await order("show", "SHOWN-1", "--json"))
    assert (shown["order"]["id"], len(shown["line_items"])) == ("SHOWN-1", 2)
    assert [payment["type"] for payment in shown["payments"]] == ["purchase_order"]
    assert "purchase_order" in await order("show", "SHOWN-1")
    drawn = await order("tree", "SHOWN-2")
    assert drawn.startswith("SHOWN-2  OPEN")
    assert "1 x anvil" in drawn


async def test_an_order_that_is_not_there_is_one_line(shared_sqlite_market: Marketplace) -> None:
    access = ("--server", shared_sqlite_market.address, "--client-secret", shared_sqlite_market.secret.client_secret)
    code, output, errors = await said("order", "show", "NONE", *access)
    assert (code, output) == (2, "")
    assert errors == "NOT_FOUND RESOURCE_NOT_FOUND: there is no order 'NONE'\n"
