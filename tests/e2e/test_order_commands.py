"""`waybill order`, against a marketplace that is served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.steps import promise, ready
from tests.support.marketplace import Marketplace, create
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


async def test_lines_from_a_file_are_added_once_or_not_at_all(shared_sqlite_market: Marketplace, tmp_path: Path) -> None:
    market, file = shared_sqlite_market, tmp_path / "lines.csv"

    async def imports(*options: str) -> tuple[int, dict[str, Any]]:
        access = ("--server", market.address, "--client-secret", market.secret.client_secret)
        code, output, errors = await said("order", "import", str(file), "--order", "FILED", "--json", *options, *access)
        assert errors == ""
        return code, json.loads(output)

    await create(market.people.ada, "FILED", anvil=1)
    file.write_text("product_id,quantity,comments\nanvil,2,\n\nnothing,1,\nlamp,1,for the hall\n")
    code, refused = await imports()
    assert (code, refused["error"]["code"]) == (2, "INVALID_ARGUMENT")
    assert [(fault["row"], fault["column"], fault["reason"]) for fault in refused["faults"]] == [
        (4, "product_id", "PRODUCT_NOT_FOUND")
    ]

    file.write_text(file.read_text().replace("nothing", "anvil"))
    assert (await imports("--dry-run"))[1]["order"]["line_item_count"] == "1"
    code, added = await imports()
    assert (code, added["order"]["line_item_count"]) == (0, "4")
    assert added["line_items"][2]["comments"] == "for the hall"
    _, again = await imports()
    assert [line["id"] for line in again["line_items"]] == [line["id"] for line in added["line_items"]]
    assert again["order"]["line_item_count"] == "4"
