"""Which promotions an order that asks for them finds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from libs.protoconv import time_out
from services.pricing.adapters.db.promotions import asked_store
from services.pricing.domain.promotions.asked import Asked, matched
from services.pricing.domain.promotions.combination import Origin
from tests.integration.pricing.conftest import NOW
from tests.integration.pricing.test_promotions import assign, create, promotion
from tests.integration.pricing.world import World

HOUR = timedelta(hours=1)


async def found(world: World, **asked: Any) -> dict[str, Origin]:
    """How each that is found comes to an order of acme; codes and ids that lead nowhere are there, too."""
    wanted = Asked(**{"buyer_id": "acme", **asked})
    async with world.database.reading() as tx:
        known = await asked_store.SqlAskedPromotionStore(tx).known(wanted, NOW)
    made = matched(wanted, known)
    by_id = {each.promotion.id: each.origin for each in made.candidates}
    assert [each.promotion.id for each in known] == sorted(by_id)
    return by_id | dict.fromkeys([*made.lost_codes, *made.lost_ids], None)  # type: ignore[arg-type]


async def test_codes_lead_to_the_active_promotions_of_every_owner_and_ids_to_any(world: World) -> None:
    await create(
        world,
        promotion("ours", code="SPRING"),
        promotion("theirs", code="SPRING", supplier_id="bolt"),
        promotion("old", code="SPRING", active=False),
        promotion("other", code="FALL"),
    )
    assert await found(world) == {}
    asked = {"entered": frozenset({"SPRING", "NONE"}), "standing": frozenset({"theirs", "gone"})}
    assert await found(world, **asked) == {"ours": Origin.ENTERED, "theirs": Origin.STANDING, "NONE": None, "gone": None}
    assert await found(world, standing=frozenset({"old"})) == {"old": Origin.STANDING}


async def test_what_nobody_enters_is_found_where_it_holds_now_for_whoever_orders(world: World) -> None:
    by_itself = {"auto_apply": True, "code": "", "all_buyers": True}
    later, before = time_out(NOW + HOUR), time_out(NOW)
    await create(
        world,
        promotion("holds", **by_itself),
        promotion("inactive", **by_itself | {"active": False}),
        promotion("early", **by_itself, start_time=later),
        promotion("begun", **by_itself, start_time=before, end_time=later),
        promotion("over", **by_itself, end_time=before),
        promotion("bought", **by_itself | {"all_buyers": False}),
        promotion("grouped", **by_itself | {"all_buyers": False}),
        promotion("foreign", **by_itself | {"all_buyers": False}),
        promotion("code", all_buyers=True),
    )
    await assign(world, ("bought", "acme", ""), ("grouped", "acme", "staff"), ("foreign", "globex", "staff"))
    assert await found(world, automatic=True) == dict.fromkeys(["holds", "begun", "bought"], Origin.AUTOMATIC)
    of_group = await found(world, automatic=True, group_ids=frozenset({"staff"}))
    assert of_group == dict.fromkeys(["holds", "begun", "bought", "grouped"], Origin.AUTOMATIC)
    assert (await found(world, automatic=True, entered=frozenset({"CODE"})))["code"] is Origin.ENTERED


async def test_of_more_than_are_tried_on_an_order_those_of_the_lowest_priority_are_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked_store, "MAX_AUTOMATIC", 2)
    priorities = {"none": None, "high": 9, "low": 1, "zero": 0}
    fields = {"auto_apply": True, "code": "", "all_buyers": True}
    await create(world, *(promotion(id, **fields, priority=priority) for id, priority in priorities.items()))
    assert sorted(await found(world, automatic=True)) == ["low", "zero"]
    # What was entered takes no place of theirs.
    assert sorted(await found(world, automatic=True, standing=frozenset({"none"}))) == ["low", "none", "zero"]
