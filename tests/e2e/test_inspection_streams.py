"""An inspection is sent as it goes: nobody waits for the end of somebody else's walk."""

from __future__ import annotations

import pytest

from libs.invariants import Fact
from services.order.adapters.db.invariants import walk
from tests.support.marketplace import Marketplace


async def test_facts_of_orders_are_sent_page_by_page_while_the_walk_goes_on(
    sqlite_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id in ("FIRST", "SECOND"):
        await sqlite_market.people.ada.place_order({"tape": 1}, id=id)
    pages, page = 0, walk.page_of_orders

    async def counted(*arguments: object) -> object:
        nonlocal pages
        pages += 1
        return await page(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(walk, "PAGE", 1)
    monkeypatch.setattr(walk, "page_of_orders", counted)
    seen = [
        (pages, record.values["id"])
        async for record in sqlite_market.host.apps["order"].inspected()
        if isinstance(record, Fact) and record.kind == "order"
    ]
    assert seen == [(1, "FIRST"), (2, "SECOND")]
