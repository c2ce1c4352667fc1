"""ApprovalService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.errors import Violations
from libs.protoconv import time_out
from libs.query.request import page_request
from libs.rpc import current
from services.order.application.approval.decide_approvals import DecideApprovals, Decision
from services.order.application.approval.read_approvals import ReadApprovals
from services.order.domain.approval.rounds import Approval
from services.order.rpc.convert_out import order_out
from services.order.rpc.order_servicer import check_comment, request_key
from waybill.order.v1 import approval_pb2, reasons
from waybill.order.v1 import approval_service_pb2 as pb
from waybill.order.v1 import approval_service_pb2_grpc as pb_grpc

MAX_RULES = 100
"""Rules that one call names."""


class ApprovalServicer(pb_grpc.ApprovalServiceServicer):
    """What waits for an approver, and what they decide."""

    def __init__(self, decide: DecideApprovals, read: ReadApprovals) -> None:
        self._decide = decide
        self._read = read

    async def ApproveOrder(self, request: pb.ApproveOrderRequest, context: Any) -> pb.ApproveOrderResponse:
        said, (caller, key) = _decision(request), request_key(request)
        return pb.ApproveOrderResponse(order=order_out(await self._decide.approve(caller, request.order_id, said, key)))

    async def DeclineOrder(self, request: pb.DeclineOrderRequest, context: Any) -> pb.DeclineOrderResponse:
        said, (caller, key) = _decision(request, request.allow_resubmit), request_key(request)
        return pb.DeclineOrderResponse(order=order_out(await self._decide.decline(caller, request.order_id, said, key)))

    async def RecallOrder(self, request: pb.RecallOrderRequest, context: Any) -> pb.RecallOrderResponse:
        found = Violations()
        found.check_id("order_id", request.order_id)
        check_comment(found, request.comment)
        found.raise_if_any()
        caller, key = request_key(request)
        made = await self._decide.recall(caller, request.order_id, request.comment, request.etag, key)
        return pb.RecallOrderResponse(order=order_out(made))

    async def ListApprovals(self, request: pb.ListApprovalsRequest, context: Any) -> pb.ListApprovalsResponse:
        found = Violations()
        found.check_id("order_id", request.order_id)
        found.raise_if_any()
        order, approvals = await self._read.of_order(current().principal, request.order_id)
        return pb.ListApprovalsResponse(approvals=[approval_out(order.id, round, one) for round, one in approvals])

    async def ListPendingApprovals(
        self, request: pb.ListPendingApprovalsRequest, context: Any
    ) -> pb.ListPendingApprovalsResponse:
        page = await self._read.waiting(current().principal, page_request(request))
        shown = [
            pb.PendingApproval(approval=approval_out(one.order.id, one.round, one.approval), order=order_out(one.order))
            for one in page.items
        ]
        return pb.ListPendingApprovalsResponse(
            pending_approvals=shown, next_page_token=page.next_page_token, total_size=page.total_size
        )


def approval_out(order_id: str, round: int, a: Approval) -> approval_pb2.Approval:
    """An approval as a message."""
    return approval_pb2.Approval(
        order_id=order_id,
        round=round,
        approval_rule_id=a.rule_id,
        approving_group_id=a.group_id,
        status=approval_pb2.ApprovalStatus.Value(f"APPROVAL_STATUS_{a.status.value}"),
        auto=a.auto,
        error=a.error,
        user_id=a.user_id,
        comment=a.comment,
        create_time=time_out(a.create_time),
        complete_time=time_out(a.complete_time),
    )


def _decision(request: pb.ApproveOrderRequest | pb.DeclineOrderRequest, resubmit: bool = False) -> Decision:
    found = Violations()
    found.check_id("order_id", request.order_id)
    _rules_in(found, request.approval_rule_ids)
    check_comment(found, request.comment)
    found.raise_if_any()
    return Decision(tuple(request.approval_rule_ids), request.comment, request.etag, resubmit)


def _rules_in(found: Violations, ids: Sequence[str]) -> None:
    found.require("approval_rule_ids", len(ids) <= MAX_RULES, reasons.TOO_MANY_ITEMS, f"at most {MAX_RULES} rules")
    seen: set[str] = set()
    for i, id in enumerate(ids[:MAX_RULES]):
        found.check_id(f"approval_rule_ids[{i}]", id)
        found.require(f"approval_rule_ids[{i}]", id not in seen, reasons.DUPLICATE_ITEM, f"rule {id!r} stands twice")
        seen.add(id)
