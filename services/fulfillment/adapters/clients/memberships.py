"""The directory: who is in which group."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from libs.rpc.peers import Peers
from waybill.directory.v1 import membership_service_pb2 as pb
from waybill.directory.v1 import membership_service_pb2_grpc as pb_grpc


class DirectoryMemberships:
    """ListUserGroupIds."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("directory", pb_grpc.MembershipServiceStub)

    async def group_ids(self, user_id: str) -> Collection[str]:
        """The groups that the user is in now."""
        answer: pb.ListUserGroupIdsResponse = await self._stub.ListUserGroupIds(pb.ListUserGroupIdsRequest(user_id=user_id))
        return frozenset(answer.user_group_ids)
