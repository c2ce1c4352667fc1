"""Between messages about the promotions of an order and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from libs.errors import Violations
from libs.protoconv import instant, money_in, money_micros, money_out
from services.pricing.application.promotions.promote_order import OrderPromotions, Wanted
from services.pricing.application.promotions.redeem import OnOrder
from services.pricing.contract.promotion_scene import judging
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.promotions.calculated import Placed
from services.pricing.domain.promotions.combination import MAX_PROMOTIONS, Origin
from services.pricing.domain.promotions.conditions import Shopper
from services.pricing.domain.promotions.shown import Shown
from services.pricing.domain.promotions.terms import code_key
from services.pricing.rpc import convert
from waybill.pricing.v1 import order_pricing_service_pb2 as pb
from waybill.pricing.v1 import promotion_pb2, reasons
from waybill.pricing.v1 import redemption_service_pb2 as redemption_pb

_UNKNOWN = datetime.min.replace(tzinfo=UTC)


def wanted_in(
    found: Violations, request: pb.CalculateOrderRequest | redemption_pb.ReserveRedemptionsRequest, lines: Sequence[Line]
) -> Wanted | None:
    """The promotions that an order asks for, or none."""
    if not request.HasField("promotions"):
        return None
    said = request.promotions
    for name in ("codes", "promotion_ids"):
        text = f"at most {MAX_PROMOTIONS}"
        found.require(f"promotions.{name}", len(getattr(said, name)) <= MAX_PROMOTIONS, reasons.TOO_MANY_ITEMS, text)
    placed = {
        line.item.id: Placed(instant(line.create_time) if line.HasField("create_time") else _UNKNOWN, line.item.supplier_id)
        for line in said.lines
    }
    every = all(line.id in placed for line in lines)
    found.require("promotions.lines", every, reasons.FIELD_INVALID, "there is one for each line of the request")
    return Wanted(
        entered=frozenset(code_key(code) for code in said.codes if code),
        standing=frozenset(said.promotion_ids),
        automatic=said.automatic,
        unentered=frozenset(),
        shopper=Shopper(said.client_id, said.guest),
        placed=placed,
        suppliers={one.ship_estimate_id: one.supplier_id for one in request.shipments},
        judging=judging(said),
    )


def on_order_in(found: Violations, request: redemption_pb.ReserveRedemptionsRequest, lines: Sequence[Line]) -> OnOrder | None:
    """The promotions that were shown on an order, or none. No others are looked for."""
    wanted = wanted_in(found, request, lines)
    expected = request.expected_promotions
    if wanted is None:
        found.require("expected_promotions", not expected, reasons.FIELD_INVALID, "say what promotions see, in promotions")
        return None
    few = len(expected) <= MAX_PROMOTIONS
    found.require("expected_promotions", few, reasons.TOO_MANY_ITEMS, f"at most {MAX_PROMOTIONS}")
    amounts: dict[str, int] = {}
    for i, one in enumerate(expected[:MAX_PROMOTIONS]):
        where = f"expected_promotions[{i}]"
        found.check_id(f"{where}.promotion_id", one.promotion_id)
        found.require(f"{where}.promotion_id", one.promotion_id not in amounts, reasons.DUPLICATE_ITEM, "stands twice")
        off = money_in(found, f"{where}.amount", one.amount, request.currency) if one.HasField("amount") else 0
        amounts[one.promotion_id] = off
    known = not few or wanted.standing <= amounts.keys()
    found.require("promotions.promotion_ids", known, reasons.FIELD_INVALID, "each is one of expected_promotions")
    return OnOrder(
        replace(wanted, entered=frozenset(), automatic=False, unentered=frozenset(amounts) - wanted.standing),
        Shown(amounts, {p.line_item_id: money_micros(p.promotion_discount) for p in request.expected_prices}),
        convert.shipments_in(found, request.currency, request.shipments),
    )


def applied_out(promotions: OrderPromotions, currency: str) -> list[pb.AppliedPromotion]:
    """Those that are on the order."""
    return [
        pb.AppliedPromotion(
            promotion_id=each.candidate.promotion.id,
            code=each.candidate.code,
            target=promotion_pb2.PromotionTarget.Value(f"PROMOTION_TARGET_{each.candidate.promotion.target}"),
            amount=money_out(each.amount, currency),
        )
        for each in promotions.promoted.applied
    ]


def dropped_out(promotions: OrderPromotions) -> Iterator[pb.DroppedPromotion]:
    """Those that were asked for and are not on the order; of what nobody entered nothing is said."""
    for code in promotions.lost_codes:
        yield pb.DroppedPromotion(code=code, reason=pb.PROMOTION_DROP_REASON_NOT_FOUND)
    for id in promotions.lost_ids:
        yield pb.DroppedPromotion(promotion_id=id, reason=pb.PROMOTION_DROP_REASON_NOT_FOUND)
    for each in promotions.promoted.dropped:
        if each.candidate.origin is not Origin.AUTOMATIC:
            yield pb.DroppedPromotion(
                promotion_id=each.candidate.promotion.id,
                code=each.candidate.code,
                reason=pb.PromotionDropReason.Value(f"PROMOTION_DROP_REASON_{each.drop.reason}"),
                detail=each.drop.detail,
            )
