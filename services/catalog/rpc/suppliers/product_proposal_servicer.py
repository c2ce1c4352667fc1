"""ProductProposalService."""

from __future__ import annotations

from typing import Any

from libs.idempotency.key import key_of
from libs.query.request import page_request
from libs.rpc import current
from services.catalog.application.ports import AssignmentLists
from services.catalog.application.suppliers.deciding import Deciding
from services.catalog.contract.assignments import keys_in, proposal_out, rejections_in
from services.catalog.domain.catalogs.assignment import PRODUCT_PROPOSAL
from services.catalog.rpc.catalogs.assignments import supplier
from waybill.catalog.v1 import product_proposal_service_pb2 as pb
from waybill.catalog.v1 import product_proposal_service_pb2_grpc as pb_grpc


class ProductProposalServicer(pb_grpc.ProductProposalServiceServicer):
    """What suppliers propose, and what the seller says to it."""

    def __init__(self, deciding: Deciding, lists: AssignmentLists) -> None:
        self._deciding = deciding
        self._lists = lists

    async def ListProductProposals(
        self, request: pb.ListProductProposalsRequest, context: Any
    ) -> pb.ListProductProposalsResponse:
        caller = current().principal
        bound = {"party": caller.party_id, "user": caller.identity}
        page = await self._lists.page(PRODUCT_PROPOSAL, page_request(request), bound, supplier())
        return pb.ListProductProposalsResponse(
            proposals=[proposal_out(row) for row in page.items], next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def ApproveProducts(self, request: pb.ApproveProductsRequest, context: Any) -> pb.ApproveProductsResponse:
        key = key_of(current().principal, current().method, request)
        await self._deciding.approve(key, keys_in(PRODUCT_PROPOSAL, request.assignments))
        return pb.ApproveProductsResponse()

    async def RejectProducts(self, request: pb.RejectProductsRequest, context: Any) -> pb.RejectProductsResponse:
        key = key_of(current().principal, current().method, request)
        await self._deciding.reject(key, rejections_in(request.assignments))
        return pb.RejectProductsResponse()
