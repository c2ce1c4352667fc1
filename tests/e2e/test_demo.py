"""PO9123 from cart to completed: the story of the demo, with exact figures."""

import pytest
from rich.console import Console

from services.host.demo.narrator import Narrator
from services.host.demo.play import perform
from tests.support.marketplace import Marketplace

TOTALS = {
    "subtotal": "2846.30 USD",
    "discount": "0.00 USD",
    "shipping_cost": "388.46 USD",
    "tax": "206.37 USD",
    "total": "3441.13 USD",
}


@pytest.mark.on_sqlite
async def test_the_order_completes_with_four_supplier_orders_and_exact_totals(market: Marketplace) -> None:
    story = await perform(market.cast, Narrator(Console(quiet=True), quiet=True))
    assert story["ok"]
    assert story["order"]["status"] == "COMPLETED"
    assert {name: story["order"][name] for name in TOTALS} == TOTALS
    assert [(s["supplier"], s["status"], s["total"]) for s in story["supplier_orders"]] == [
        ("northforge", "COMPLETED", "1034.88 USD"),
        ("lumenworks", "COMPLETED", "432.77 USD"),
        ("wh-east", "COMPLETED", "1019.63 USD"),
        ("wh-west", "COMPLETED", "953.85 USD"),
    ]


async def test_all_mistakes_are_named_at_once_and_nothing_is_held(market: Marketplace) -> None:
    story = await perform(market.cast, Narrator(Console(quiet=True), quiet=True))
    reasons = sorted(r["reason"] for r in story["refused_first_for"])
    assert reasons == ["INSUFFICIENT_INVENTORY", "ORDER_NOT_CALCULATED", *["SHIP_METHOD_MISSING"] * 6]
    assert story["order"]["attempt"] == 2
    assert story["check"]["findings"] == []


async def test_the_stream_sends_every_change_once_and_in_order(market: Marketplace) -> None:
    story = await perform(market.cast, Narrator(Console(quiet=True), quiet=True))
    assert [w["sequence"] for w in story["watched"]] == list(range(1, len(story["watched"]) + 1))
    types = [w["type"] for w in story["watched"]]
    assert types[0] == "order_created"
    assert types[-1] == "order_completed"
    assert types.count("order_submitted") == 1
    assert types.count("units_shipped") == 6


async def test_money_is_taken_from_the_gift_card_and_the_card_to_the_cent(market: Marketplace) -> None:
    story = await perform(market.cast, Narrator(Console(quiet=True), quiet=True))
    assert [(p["type"], p["amount"], p["state"]) for p in story["payments"]] == [
        ("spending_account", "300.00 USD", "CONFIRMED"),
        ("credit_card", "3141.13 USD", "CAPTURED"),
    ]
    receipts = [e["amount"] for e in story["ledger"] if e["account"] == "marketplace:receipts"]
    assert receipts == ["300.00 USD", "3141.13 USD"]
