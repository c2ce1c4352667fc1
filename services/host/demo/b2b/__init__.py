"""The story of a trade order: variants, tax inside prices, points and a card, a supplier that stays silent, parcels in parts."""

from __future__ import annotations

from typing import Any

from services.host.check import check
from services.host.demo.b2b import terms
from services.host.demo.b2b.build import ORDER, build, pay, store_card
from services.host.demo.b2b.figures import Figures
from services.host.demo.b2b.products import variants
from services.host.demo.b2b.settle import books, give_the_rest_up, points_come_back, show_tree, who_earns
from services.host.demo.b2b.setup import BUYER, CHANNEL, COMPANY, set_up_trade
from services.host.demo.b2b.ship import ship_in_parts, unanswered
from services.host.demo.narrator import Narrator
from services.host.demo.stage import Stage, checked
from services.host.sample.marketplace import PASSWORD
from waybill_client import money, text


async def perform(stage: Stage, narrator: Narrator) -> dict[str, Any]:
    """The whole story; returns it as data."""
    figures = Figures()
    narrator.chapter("A channel for trade")
    expected = await set_up_trade(stage.owner)
    _terms(narrator)
    narrator.table(
        ("variant", "name", "kg"),
        [
            (each.id, each.name, each.weight_kg.value or f"{terms.PLAIN_WEIGHT}, the product's")
            for each in await variants(stage.owner)
        ],
    )
    async with stage.person(CHANNEL, BUYER, PASSWORD) as hanna:
        narrator.chapter("What it costs, and why")
        await build(hanna, narrator, figures, expected)
        narrator.chapter("Points and a card")
        await store_card(hanna)
        await pay(hanna, ORDER, terms.BY_POINTS, narrator, figures)
        narrator.chapter("A supplier does not answer")
        await unanswered(stage, narrator, figures)
        narrator.chapter("Parcels, and what each of them charges")
        course = await ship_in_parts(stage, hanna, narrator, figures)
        narrator.chapter("The rest is given up")
        status = await give_the_rest_up(stage, hanna, course, narrator, figures)
        narrator.chapter("Points go back")
        await points_come_back(stage, hanna, narrator, figures)
    narrator.chapter("Who earns what")
    await who_earns(stage, course, narrator, figures)
    narrator.chapter("The order, and everything below it")
    await show_tree(stage, narrator, figures)
    narrator.chapter("The books")
    ledger = await books(stage, course, narrator, figures)
    report = await check(stage.owner, stage.servers)
    total, worth = (text(money(amount, terms.CURRENCY)) for amount in (terms.total(), terms.due(course.gone)))
    found = checked(report, narrator)
    narrator.end(
        f"[bold]{ORDER} {status.capitalize()}[/bold], {total} sold and {worth} shipped; {len(figures.made)} figures, "
        + ("each as worked out beforehand" if figures.right else f"[bold red]wrong: {', '.join(figures.wrong)}[/bold red]")
    )
    return {
        "ok": status == "COMPLETED" and figures.right and report.ok,
        "order": {"id": ORDER, "status": status, "total": total, "shipped": worth},
        "parcels": course.shown,
        "figures": figures.made,
        "wrong": figures.wrong,
        "ledger": ledger,
        "check": found,
    }


def _terms(narrator: Narrator) -> None:
    tax = f"{terms.TAX * 100:.0f} %"
    narrator.line(
        "seller owner", f"channel {CHANNEL} for {COMPANY}: cards are charged as parcels leave, suppliers have a minute to answer"
    )
    narrator.line(
        "seller owner",
        f"knives and boards at prices with {tax} of tax inside, whetstones with tax on top, freight with tax inside",
    )
    narrator.line(
        "seller owner", f"a knife has a blade, a handle, a mark and words; Northforge is paid {terms.KNIFE_COST} for one"
    )
    narrator.line(
        "seller owner", f"{terms.BOARDS_ON_HAND} boards in its own warehouse, and up to {terms.BOARDS_BEYOND} more may be sold"
    )
    narrator.line("seller owner", f"{terms.OPENING_POINTS} points for {COMPANY}, {terms.POINT} {terms.CURRENCY} each")
