"""Between messages about the promotions of an order and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from libs.errors import Violations
from libs.protoconv import instant, money_out
from services.pricing.application.promotions.promote_order import OrderPromotions, Wanted
from services.pricing.contract.promotion_scene import judging
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.promotions.calculated import Placed
from services.pricing.domain.promotions.combination import MAX_PROMOTIONS, Origin
from services.pricing.domain.promotions.conditions import Shopper
from services.pricing.domain.promotions.terms import code_key
from waybill.pricing.v1 import order_pricing_service_pb2 as pb
from waybill.pricing.v1 import promotion_pb2, reasons

_UNKNOWN = datetime.min.replace(tzinfo=UTC)


def wanted_in(found: Violations, request: pb.CalculateOrderRequest, lines: Sequence[Line]) -> Wanted | None:
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
        shopper=Shopper(said.client_id, said.guest),
        placed=placed,
        suppliers={one.ship_estimate_id: one.supplier_id for one in request.shipments},
        judging=judging(said),
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
