"""Orders that use the same promotions at once."""

from __future__ import annotations

import asyncio

from tests.integration.pricing.redeeming import ADA, BOB, Tried, confirm, redeemed, release, reserve, uses, void
from tests.integration.pricing.test_promoted_orders import EVERYBODY
from tests.integration.pricing.test_promotions import create, promotion
from tests.integration.pricing.world import World


async def test_sixty_orders_at_once_use_a_promotion_as_often_as_they_may(shop: World) -> None:
    await create(
        shop,
        promotion("fifty", **EVERYBODY, redemption_limit=50, value_expression="money('1')"),
        promotion("any", **EVERYBODY, value_expression="money('1')"),
    )

    async def submit(n: int) -> Tried:
        order = ("fifty", "1"), ("any", "1")
        return await reserve(shop, n, *(order if n % 2 else reversed(order)), user_id=f"u{n % 7}")

    tried = await asyncio.gather(*(submit(n) for n in range(1, 61)))
    refused = [problems for state, problems in tried if state != "RESERVED"]
    assert refused == [[("promotions[fifty]", "PROMOTION_LIMIT_REACHED", True)]] * 10
    assert {id: counted for (id, of), counted in (await uses(shop)).items() if not of} == {"fifty": (50, 0), "any": (50, 0)}
    held = [n for n, (state, _) in enumerate(tried, 1) if state == "RESERVED"]
    await asyncio.gather(*(release(shop, n) for n in held[:10]), *(confirm(shop, n) for n in held[10:]))
    again = await asyncio.gather(*(submit(n) for n in range(101, 121)))
    assert sorted(state for state, _ in again) == ["RESERVED"] * 10 + ["UNSPECIFIED"] * 10
    assert (await uses(shop))["fifty", ""] == (10, 40)


async def test_a_user_who_submits_many_orders_at_once_uses_a_promotion_as_often_as_he_may(shop: World) -> None:
    await create(shop, promotion("twice", **EVERYBODY, redemption_limit_per_user=2))
    users = [ADA, BOB]
    tried = await asyncio.gather(*(reserve(shop, n, ("twice", "5"), user_id=users[n % 2]) for n in range(1, 13)))
    assert sorted(state for state, _ in tried) == ["RESERVED"] * 4 + ["UNSPECIFIED"] * 8
    assert await uses(shop) == {("twice", ""): (4, 0), ("twice", "acme:ada"): (2, 0), ("twice", "acme:bob"): (2, 0)}


async def test_the_same_attempt_at_once_counts_once_whatever_becomes_of_it(shop: World) -> None:
    await create(shop, promotion("five", **EVERYBODY))
    for n in range(1, 6):
        steps = [
            reserve(shop, n, ("five", "5")),
            reserve(shop, n, ("five", "5")),
            confirm(shop, n),
            void(shop, n),
            release(shop, n),
        ]
        await asyncio.gather(*steps)
        await void(shop, n)
    assert (await uses(shop), await redeemed(shop)) == ({}, 0)
