"""PromotionService."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from libs.errors import Violations
from libs.idempotency.key import RequestKey, key_of
from libs.query.request import page_request
from libs.resource.contract import Methods
from libs.rpc import current
from services.pricing.application.access import supplier_of
from services.pricing.application.ports import PricingWork, PromotionAssignmentLists, UseCounts
from services.pricing.application.promotions.assign_promotions import AssignPromotions
from services.pricing.application.promotions.promotions import Promotions
from services.pricing.contract.promotion_expressions import looked_through
from services.pricing.domain.promotions.assignment import BATCH, PromotionAssignment
from services.pricing.rpc.promotions import trials
from waybill.pricing.v1 import promotion_pb2, reasons
from waybill.pricing.v1 import promotion_service_pb2 as pb
from waybill.pricing.v1 import promotion_service_pb2_grpc as pb_grpc


def _request(message: Any) -> RequestKey | None:
    return key_of(current().principal, current().method, message)


def _supplier() -> str:
    """The supplier that the caller is of; empty for others."""
    return supplier_of(current().principal)


def _owned(found: Violations, messages: Iterable[promotion_pb2.Promotion], path: str) -> list[promotion_pb2.Promotion]:
    """The promotions with their owner, who for a supplier is the caller; notes those that name another. `path` has `{}` for an
    index, if there is one."""
    made: list[promotion_pb2.Promotion] = []
    owner = _supplier()
    for i, (message, _) in enumerate(zip(messages, range(BATCH + 1), strict=False)):
        promotion = promotion_pb2.Promotion()
        promotion.CopyFrom(message)
        if owner:
            own = message.supplier_id in ("", owner)
            found.require(f"{path.format(i)}.supplier_id", own, reasons.FIELD_INVALID, "follows from who makes the promotion")
            promotion.supplier_id = owner
        made.append(promotion)
    return made


class PromotionServicer(pb_grpc.PromotionServiceServicer):
    """Promotions, and who may use them."""

    def __init__(
        self,
        promotions: Methods[PricingWork],
        saving: Promotions,
        assigning: AssignPromotions,
        assignments: PromotionAssignmentLists,
        uses: UseCounts,
    ) -> None:
        self._promotions = promotions
        self._saving = saving
        self._assigning = assigning
        self._assignments = assignments
        self._uses = uses

    async def _counted(self, *promotions: promotion_pb2.Promotion) -> Sequence[promotion_pb2.Promotion]:
        """The same, with how many orders have used each: one statement for all."""
        used = await self._uses.confirmed({promotion.id for promotion in promotions})
        for promotion in promotions:
            promotion.redemption_count = used.get(promotion.id, 0)
        return promotions

    async def _create(self, request: Any, messages: Iterable[promotion_pb2.Promotion], field: str, path: str) -> list[Any]:
        wrong = Violations()
        made = _owned(wrong, messages, path)
        await looked_through(made[:BATCH])
        guard = await self._saving.saved_by(_supplier())
        return await self._promotions.create(request, made, field, guard=guard, before=wrong)

    async def CreatePromotion(self, request: pb.CreatePromotionRequest, context: Any) -> pb.CreatePromotionResponse:
        (made,) = await self._create(request, [request.promotion], "promotion", "promotion")
        return pb.CreatePromotionResponse(promotion=made)

    async def BatchCreatePromotions(
        self, request: pb.BatchCreatePromotionsRequest, context: Any
    ) -> pb.BatchCreatePromotionsResponse:
        made = await self._create(request, request.promotions, "promotions", "promotions[{}]")
        return pb.BatchCreatePromotionsResponse(promotions=made)

    async def GetPromotion(self, request: pb.GetPromotionRequest, context: Any) -> pb.GetPromotionResponse:
        (found,) = await self._counted(await self._promotions.get(request.promotion_id))
        return pb.GetPromotionResponse(promotion=found)

    async def ListPromotions(self, request: pb.ListPromotionsRequest, context: Any) -> pb.ListPromotionsResponse:
        page = await self._promotions.list(request)
        found = await self._counted(*page.items)
        return pb.ListPromotionsResponse(promotions=found, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdatePromotion(self, request: pb.UpdatePromotionRequest, context: Any) -> pb.UpdatePromotionResponse:
        guard = await self._saving.saved_by(_supplier())
        made = await self._promotions.update(request, request.promotion, "promotion", guard=guard)
        (counted,) = await self._counted(made)
        return pb.UpdatePromotionResponse(promotion=counted)

    async def DeletePromotion(self, request: pb.DeletePromotionRequest, context: Any) -> pb.DeletePromotionResponse:
        await self._promotions.delete(request, request.promotion_id)
        return pb.DeletePromotionResponse()

    async def AssignPromotions(self, request: pb.AssignPromotionsRequest, context: Any) -> pb.AssignPromotionsResponse:
        await self._assigning.assign(_request(request), _assignments(request), _supplier())
        return pb.AssignPromotionsResponse()

    async def UnassignPromotions(self, request: pb.UnassignPromotionsRequest, context: Any) -> pb.UnassignPromotionsResponse:
        await self._assigning.unassign(_request(request), _assignments(request), _supplier())
        return pb.UnassignPromotionsResponse()

    async def ListPromotionAssignments(
        self, request: pb.ListPromotionAssignmentsRequest, context: Any
    ) -> pb.ListPromotionAssignmentsResponse:
        caller = current().principal
        bound = {"party": caller.party_id, "user": caller.identity}
        page = await self._assignments.page(page_request(request), bound, _supplier())
        made = [
            pb.PromotionAssignment(promotion_id=a.promotion_id, buyer_id=a.buyer_id, user_group_id=a.group_id) for a in page.items
        ]
        return pb.ListPromotionAssignmentsResponse(
            assignments=made, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def TryExpression(self, request: pb.TryExpressionRequest, context: Any) -> pb.TryExpressionResponse:
        return trials.tried(request)


def _assignments(request: pb.AssignPromotionsRequest | pb.UnassignPromotionsRequest) -> Sequence[PromotionAssignment]:
    return [PromotionAssignment(a.promotion_id, a.buyer_id, a.user_group_id) for a in request.assignments]
