"""Orders that are submitted with promotions, and what is counted of these."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from libs.protoconv import time_out
from services.pricing.adapters.db.tables import REDEMPTIONS, USES
from tests.integration.pricing.test_promoted_orders import asking
from tests.integration.pricing.world import World, line, state, usd
from waybill.pricing.v1 import redemption_service_pb2 as pb

Tried = tuple[str, list[tuple[str, str, bool]]]
ADA, BOB = "ada", "bob"


def key(number: int) -> str:
    return str(uuid.UUID(int=number))


async def reserve(world: World, order: int, *promotions: tuple[str, str], **fields: Any) -> Tried:
    """Reserves one anvil with promotions, each with what it was shown to take off, all of which is borne by the line."""
    guest = fields.pop("guest", False)
    off = usd(str(sum(int(amount) for _, amount in promotions)))
    asked = {
        "order_key": key(order),
        "attempt": 1,
        "deadline": time_out(world.clock.now() + timedelta(minutes=1)),
        "buyer_id": "acme",
        "user_id": ADA,
        "currency": "USD",
        "lines": [line("l1")],
        "expected_prices": [pb.ExpectedPrice(line_item_id="l1", unit_price=usd("10"), promotion_discount=off)],
        "promotions": asking("l1", ids=[id for id, _ in promotions], guest=guest),
        "expected_promotions": [pb.ExpectedPromotion(promotion_id=id, amount=usd(amount)) for id, amount in promotions],
        **fields,
    }
    answer = await world.redemptions.ReserveRedemptions(pb.ReserveRedemptionsRequest(**asked))
    return state(answer), [(p.subject, p.reason, p.contended) for p in answer.problems]


async def confirm(world: World, order: int, attempt: int = 1) -> str:
    request = pb.ConfirmRedemptionsRequest(order_key=key(order), attempt=attempt)
    return state(await world.redemptions.ConfirmRedemptions(request))


async def release(world: World, order: int, attempt: int = 1) -> str:
    request = pb.ReleaseRedemptionsRequest(order_key=key(order), attempt=attempt)
    return state(await world.redemptions.ReleaseRedemptions(request))


async def void(world: World, order: int) -> None:
    await world.redemptions.VoidRedemptions(pb.VoidRedemptionsRequest(order_key=key(order)))


async def uses(world: World) -> dict[tuple[str, str], tuple[int, int]]:
    """Reserved and confirmed, by promotion and user; those that are not 0."""
    async with world.database.reading() as tx:
        rows = (await tx.execute(sa.select(USES))).all()
    found = {(row.promotion_id, row.user_key): (row.reserved, row.confirmed) for row in rows}
    return {of: counted for of, counted in found.items() if any(counted)}


async def redeemed(world: World) -> int:
    async with world.database.reading() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(REDEMPTIONS))).scalar_one())
