"""UserGroupService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.errors import Violations
from libs.idempotency.key import key_of
from libs.query.request import page_request
from libs.resource.contract import Items, Methods
from libs.rpc import current
from services import roles
from services.directory.application.people.user_groups import UserGroupMembers, check_groups
from services.directory.application.ports import DirectoryWork
from services.directory.application.reads import MembershipLists
from services.directory.contract.parties import party_text
from services.directory.domain.access import require_party
from services.directory.rpc.convert import BATCH, counted, group_out, id_in, member_in
from waybill.directory.v1 import user_group_service_pb2 as pb
from waybill.directory.v1 import user_group_service_pb2_grpc as pb_grpc


class UserGroupServicer(pb_grpc.UserGroupServiceServicer):
    """Groups of users, and who is in them."""

    def __init__(self, groups: Methods[DirectoryWork], members: UserGroupMembers, lists: MembershipLists) -> None:
        self._groups = groups
        self._members = members
        self._lists = lists

    async def CreateUserGroup(self, request: pb.CreateUserGroupRequest, context: Any) -> pb.CreateUserGroupResponse:
        (made,) = await self._create(request, [request.user_group], "user_group")
        return pb.CreateUserGroupResponse(user_group=made)

    async def BatchCreateUserGroups(
        self, request: pb.BatchCreateUserGroupsRequest, context: Any
    ) -> pb.BatchCreateUserGroupsResponse:
        made = await self._create(request, request.user_groups, "user_groups")
        return pb.BatchCreateUserGroupsResponse(user_groups=made)

    async def GetUserGroup(self, request: pb.GetUserGroupRequest, context: Any) -> pb.GetUserGroupResponse:
        return pb.GetUserGroupResponse(user_group=await self._groups.get(id_in("user_group_id", request.user_group_id)))

    async def ListUserGroups(self, request: pb.ListUserGroupsRequest, context: Any) -> pb.ListUserGroupsResponse:
        page = await self._groups.list(request)
        return pb.ListUserGroupsResponse(user_groups=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateUserGroup(self, request: pb.UpdateUserGroupRequest, context: Any) -> pb.UpdateUserGroupResponse:
        return pb.UpdateUserGroupResponse(user_group=await self._groups.update(request, request.user_group, "user_group"))

    async def DeleteUserGroup(self, request: pb.DeleteUserGroupRequest, context: Any) -> pb.DeleteUserGroupResponse:
        await self._groups.delete(request, id_in("user_group_id", request.user_group_id))
        return pb.DeleteUserGroupResponse()

    async def AddUserGroupMembers(self, request: pb.AddUserGroupMembersRequest, context: Any) -> pb.AddUserGroupMembersResponse:
        caller, found = current().principal, counted("members", request.members)
        members = [member_in(found, f"members[{i}]", item) for i, item in enumerate(request.members[:BATCH])]
        await self._members.add(caller, found, members, key_of(caller, current().method, request))
        return pb.AddUserGroupMembersResponse()

    async def RemoveUserGroupMembers(
        self, request: pb.RemoveUserGroupMembersRequest, context: Any
    ) -> pb.RemoveUserGroupMembersResponse:
        caller, found = current().principal, counted("members", request.members)
        members = [member_in(found, f"members[{i}]", item) for i, item in enumerate(request.members[:BATCH])]
        await self._members.remove(caller, found, members, key_of(caller, current().method, request))
        return pb.RemoveUserGroupMembersResponse()

    async def ListUserGroupMembers(
        self, request: pb.ListUserGroupMembersRequest, context: Any
    ) -> pb.ListUserGroupMembersResponse:
        id = id_in("user_group_id", request.user_group_id)
        page = await self._lists.members(current().principal, id, page_request(request))
        return pb.ListUserGroupMembersResponse(
            members=[pb.UserGroupMember(user_group_id=m.group_id, user_id=m.user_id) for m in page.items],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )

    async def ListGroupsOfUser(self, request: pb.ListGroupsOfUserRequest, context: Any) -> pb.ListGroupsOfUserResponse:
        caller = current().principal
        id = id_in("user_id", request.user_id or caller.user_id)
        if id != caller.user_id:
            caller.require(roles.USER_GROUP_READER, roles.USER_GROUP_ADMIN)
        page = await self._lists.groups(caller, id, page_request(request))
        return pb.ListGroupsOfUserResponse(
            user_groups=[group_out(group) for group in page.items],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )

    async def _create(self, request: Any, groups: Sequence[pb.UserGroup], where: str) -> list[Any]:
        for group in groups[:BATCH]:
            party = party_text(group.party)
            if party and group.party.id:
                require_party(current().principal, *party.split(":", 1))
        return await self._groups.create(request, groups, where, guard=_guard)


async def _guard(work: DirectoryWork, found: Violations, items: Items) -> None:
    await check_groups(work, found, [(where, values["party"]) for where, values in items])
