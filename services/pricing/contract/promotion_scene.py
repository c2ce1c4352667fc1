"""What the expressions of promotions see of an order that is calculated."""

from __future__ import annotations

from collections.abc import Callable

from services.pricing.application.promotions.promote_order import Scene
from services.pricing.contract.promotion_expressions import expression_of
from services.pricing.contract.promotion_judge import ExpressionJudge
from services.pricing.domain.promotions.taking import GoodsLine
from waybill.pricing.v1 import order_pricing_service_pb2 as order_pb
from waybill.pricing.v1.promotion_expression_pb2 import PromotionItem, PromotionOrder


def judging(said: order_pb.OrderPromotions) -> Callable[[Scene], ExpressionJudge]:
    """Judges of an order by what its caller said of it."""
    return lambda scene: _judge(said, scene)


def _judge(said: order_pb.OrderPromotions, scene: Scene) -> ExpressionJudge:
    of_lines = {line.item.id: line.item for line in said.lines}
    items = [_item(of_lines[line.id], line) for line in scene.basis.lines]
    made: dict[str, PromotionOrder] = {}

    def order(supplier_id: str) -> PromotionOrder:
        if supplier_id not in made:
            made[supplier_id] = _order(said, scene, items, supplier_id)
        return made[supplier_id]

    return ExpressionJudge(lambda text, target, result: expression_of(text, target.value, result), order, items)


def _item(said: PromotionItem, line: GoodsLine) -> PromotionItem:
    made = PromotionItem()
    made.CopyFrom(said)
    made.quantity, made.unit_price, made.subtotal = line.quantity, line.unit_price, line.subtotal
    return made


def _order(said: order_pb.OrderPromotions, scene: Scene, items: list[PromotionItem], supplier_id: str) -> PromotionOrder:
    own = [item for item in items if supplier_id in ("", item.supplier_id)]
    return PromotionOrder(
        subtotal=sum(item.subtotal for item in own),
        shipping_cost=sum(freight.left for freight in scene.basis.freights if supplier_id in ("", freight.supplier_id)),
        currency=scene.currency,
        client_id=said.client_id,
        buyer_id=scene.customer.buyer_id,
        user_id=scene.customer.user_id,
        user_group_ids=scene.group_ids,
        promotion_codes=scene.codes,
        items=own,
        xp=said.xp,
    )
