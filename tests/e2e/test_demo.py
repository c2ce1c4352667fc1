"""PO9123 from cart to completed: the story of the demo, with exact figures."""

from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from libs.clock import ShiftedClock
from services.host.demo import b2b, catalog, guest
from services.host.demo.narrator import Narrator
from services.host.demo.play import perform
from services.host.demo.stage import Stage
from tests.support.loops import steps
from tests.support.marketplace import Marketplace, marketplace
from tests.support.prepared import Prepared

TOTALS = {
    "subtotal": "2846.30 USD",
    "discount": "0.00 USD",
    "shipping_cost": "388.46 USD",
    "tax": "206.37 USD",
    "total": "3441.13 USD",
}


@pytest.mark.on_sqlite
async def test_the_story_completes_to_the_cent_and_shows_every_mistake_change_and_payment(market: Marketplace) -> None:
    story = await perform(Stage(market.people, market.address), Narrator(Console(quiet=True), quiet=True))
    assert story["ok"]
    assert story["order"]["status"] == "COMPLETED"
    assert {name: story["order"][name] for name in TOTALS} == TOTALS
    assert [(s["supplier"], s["status"], s["total"]) for s in story["supplier_orders"]] == [
        ("northforge", "COMPLETED", "1034.88 USD"),
        ("lumenworks", "COMPLETED", "432.77 USD"),
        ("wh-east", "COMPLETED", "1019.63 USD"),
        ("wh-west", "COMPLETED", "953.85 USD"),
    ]

    # All mistakes are named at once, and nothing is held.
    reasons = sorted(r["reason"] for r in story["refused_first_for"])
    assert reasons == ["INSUFFICIENT_INVENTORY", "ORDER_NOT_CALCULATED", *["SHIP_METHOD_MISSING"] * 6]
    assert story["order"]["attempt"] == 2
    assert story["check"]["findings"] == []

    # The stream sends every change once and in order.
    assert [w["sequence"] for w in story["watched"]] == list(range(1, len(story["watched"]) + 1))
    types = [w["type"] for w in story["watched"]]
    assert types[0] == "order_created"
    assert types[-1] == "order_completed"
    assert types.count("order_submitted") == 1
    assert types.count("units_shipped") == 6

    # Money is taken from the gift card and the card to the cent.
    assert [(p["type"], p["amount"], p["state"]) for p in story["payments"]] == [
        ("spending_account", "300.00 USD", "CONFIRMED"),
        ("credit_card", "3141.13 USD", "CAPTURED"),
    ]
    receipts = [e["amount"] for e in story["ledger"] if e["account"] == "marketplace:receipts"]
    assert receipts == ["300.00 USD", "3141.13 USD"]


@pytest.mark.on_sqlite
async def test_a_visitors_cart_becomes_the_order_of_who_registers_at_that_ones_prices(market: Marketplace) -> None:
    story = await guest.perform(Stage(market.people, market.address), Narrator(Console(quiet=True), quiet=True))
    assert story["ok"]
    assert (story["total_as_guest"], story["total_as_member"]) == ("876.60 USD", "834.60 USD")
    assert story["registration"] == {"a name that is taken": "accepted", "a name that is free": "accepted"}
    assert story["messages"] == ["REGISTRATION_NAME_TAKEN", "REGISTRATION_CONFIRMATION"]
    assert (story["order"]["status"], story["order"]["guest"], story["order"]["total"]) == ("OPEN", False, "834.60 USD")
    assert not story["seen_by_another_guest"]
    assert not story["seen_by_the_guest_afterwards"]
    assert story["check"]["findings"] == []


@pytest.mark.on_sqlite
async def test_two_companies_and_two_groups_see_other_shops_and_a_suppliers_product_sells_in_one(market: Marketplace) -> None:
    story = await catalog.perform(Stage(market.people, market.address), Narrator(Console(quiet=True), quiet=True))
    assert story["ok"]
    assert story["shelves"] == {
        "ada": {"anvil": "175.00 USD", "lamp": "64.30 USD", "tongs": "24.95 USD"},
        "bob": {"anvil": "180.00 USD"},
        "gil": {"crate": "31.20 USD", "lamp": "64.30 USD", "tape": "3.333 USD"},
    }
    assert story["unseen_product"] == "PRODUCT_NOT_FOUND"
    assert story["offer"] == {
        "uninvited": "SUPPLIER_NOT_ADMITTED",
        "invited": "OK",
        "seen_while_it_waits": False,
        "price": "19.90 USD",
    }
    assert story["below_the_floor"] == "PRICE_BELOW_FLOOR"
    assert story["supplier_order_lines"] == [{"product": "lantern", "quantity": 2}]
    assert story["check"]["findings"] == []


@pytest.mark.on_sqlite
async def test_a_trade_order_comes_to_the_cent_at_every_step(tmp_path: Path, prepared: Prepared) -> None:
    clock = ShiftedClock()
    async with marketplace(tmp_path, prepared.database_url, clock, secret=prepared.secret) as market:

        async def advance(by: timedelta) -> None:
            clock.advance(by)
            await steps(market.host.apps["fulfillment"])["RejectUnanswered"]()

        stage = Stage(market.people, market.address, advance=advance)
        story = await b2b.perform(stage, Narrator(Console(quiet=True), quiet=True))
    assert story["ok"], story["wrong"]
    # 12 x (46.90 + 12.5 % + 6.40) + 25.00, 5 x 31.55 with 29.97 of tax on top, 7 x 24.95, and 29.95 of freight.
    assert story["order"] == {"id": "TRADE-1", "status": "COMPLETED", "total": "1127.27 EUR", "shipped": "918.58 EUR"}
    assert [(p["shipped"], p["points"], p["card"]) for p in story["parcels"]] == [
        ("111.25 EUR", "111.25 EUR", "0.00 EUR"),
        ("427.08 EUR", "250.00 EUR", "177.08 EUR"),
        ("623.70 EUR", "250.00 EUR", "373.70 EUR"),
        ("673.60 EUR", "250.00 EUR", "423.60 EUR"),
        ("918.58 EUR", "250.00 EUR", "668.58 EUR"),
    ]
    points = [e["amount"] for e in story["ledger"] if e["account"] == "spending_account:hansa-points"]
    assert points == ["40000 PTS", "-25000 PTS", "-8000 PTS", "2290 PTS"]
    assert story["check"]["findings"] == []
