"""MembershipService: for services only."""

from __future__ import annotations

from typing import Any

from services.directory.application.reads import MembershipLists
from services.directory.contract.parties import party_message
from services.directory.rpc.convert import counted, id_in
from waybill.directory.v1 import membership_service_pb2 as pb
from waybill.directory.v1 import membership_service_pb2_grpc as pb_grpc


class MembershipServicer(pb_grpc.MembershipServiceServicer):
    """Who is in which group, whatever tokens have room for."""

    def __init__(self, lists: MembershipLists) -> None:
        self._lists = lists

    async def ListUserGroupIds(self, request: pb.ListUserGroupIdsRequest, context: Any) -> pb.ListUserGroupIdsResponse:
        ids = await self._lists.group_ids(id_in("user_id", request.user_id))
        return pb.ListUserGroupIdsResponse(user_group_ids=ids)

    async def BatchGetGroupParties(
        self, request: pb.BatchGetGroupPartiesRequest, context: Any
    ) -> pb.BatchGetGroupPartiesResponse:
        counted("user_group_ids", request.user_group_ids).raise_if_any()
        found = await self._lists.parties(set(request.user_group_ids))
        return pb.BatchGetGroupPartiesResponse(
            groups=[pb.GroupParty(user_group_id=id, party=party_message(party)) for id, party in found]
        )
