"""The directory, as the catalog asks it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from libs.errors import missing
from libs.rpc.peers import Peers
from services.catalog.domain.catalogs.visibility import Customer
from waybill.directory.v1 import membership_service_pb2 as pb
from waybill.directory.v1 import membership_service_pb2_grpc as pb_grpc
from waybill.directory.v1 import ordering_context_service_pb2 as context_pb
from waybill.directory.v1 import ordering_context_service_pb2_grpc as context_grpc


class DirectoryMemberships:
    """ListUserGroupIds."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("directory", pb_grpc.MembershipServiceStub)

    async def group_ids(self, user_id: str) -> Collection[str]:
        """The groups that the user is in now."""
        answer: pb.ListUserGroupIdsResponse = await self._stub.ListUserGroupIds(pb.ListUserGroupIdsRequest(user_id=user_id))
        return frozenset(answer.user_group_ids)


class DirectoryBuyers:
    """GetOrderingContext."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("directory", context_grpc.OrderingContextServiceStub)

    async def currency(self, customer: Customer) -> str:
        """The currency that the buyer's orders are in."""
        asked = context_pb.GetOrderingContextRequest(buyer_id=customer.buyer_id, user_id=customer.user_id)
        answer: context_pb.GetOrderingContextResponse = await self._stub.GetOrderingContext(asked)
        if not answer.HasField("buyer"):
            raise missing("buyer", customer.buyer_id)
        if customer.user_id and not answer.HasField("user"):
            raise missing("user", customer.user_id)
        return answer.buyer.currency
