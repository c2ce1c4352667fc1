"""SecurityProfileService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.idempotency.key import key_of
from libs.query.request import page_request
from libs.resource.contract import Items, Methods
from libs.rpc import current
from services.directory.application.people.security_profiles import (
    SecurityProfileAssignments,
    check_changed_profile,
    check_new_profiles,
)
from services.directory.application.ports import DirectoryWork
from services.directory.application.reads import MembershipLists
from services.directory.application.tokens.revocations import EndTokens
from services.directory.rpc.convert import BATCH, counted, id_in, profile_assignment_in, profile_assignment_out
from waybill.directory.v1 import security_profile_service_pb2 as pb
from waybill.directory.v1 import security_profile_service_pb2_grpc as pb_grpc


class SecurityProfileServicer(pb_grpc.SecurityProfileServiceServicer):
    """Security profiles, and who has them."""

    def __init__(
        self, profiles: Methods[DirectoryWork], assignments: SecurityProfileAssignments, lists: MembershipLists, ending: EndTokens
    ) -> None:
        self._profiles = profiles
        self._assignments = assignments
        self._lists = lists
        self._ending = ending

    async def CreateSecurityProfile(
        self, request: pb.CreateSecurityProfileRequest, context: Any
    ) -> pb.CreateSecurityProfileResponse:
        (made,) = await self._profiles.create(request, [request.security_profile], "security_profile", guard=_new)
        return pb.CreateSecurityProfileResponse(security_profile=made)

    async def BatchCreateSecurityProfiles(
        self, request: pb.BatchCreateSecurityProfilesRequest, context: Any
    ) -> pb.BatchCreateSecurityProfilesResponse:
        made = await self._profiles.create(request, request.security_profiles, "security_profiles", guard=_new)
        return pb.BatchCreateSecurityProfilesResponse(security_profiles=made)

    async def GetSecurityProfile(self, request: pb.GetSecurityProfileRequest, context: Any) -> pb.GetSecurityProfileResponse:
        found = await self._profiles.get(id_in("security_profile_id", request.security_profile_id))
        return pb.GetSecurityProfileResponse(security_profile=found)

    async def ListSecurityProfiles(
        self, request: pb.ListSecurityProfilesRequest, context: Any
    ) -> pb.ListSecurityProfilesResponse:
        page = await self._profiles.list(request)
        return pb.ListSecurityProfilesResponse(
            security_profiles=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateSecurityProfile(
        self, request: pb.UpdateSecurityProfileRequest, context: Any
    ) -> pb.UpdateSecurityProfileResponse:
        async def guard(work: DirectoryWork, found: Violations, items: Items) -> None:
            await _changed(work, found, items)
            ((_, values),) = items
            if not found:
                await self._ending.of_changed_profile(work, values["id"], values["roles"])

        made = await self._profiles.update(request, request.security_profile, "security_profile", guard=guard)
        return pb.UpdateSecurityProfileResponse(security_profile=made)

    async def DeleteSecurityProfile(
        self, request: pb.DeleteSecurityProfileRequest, context: Any
    ) -> pb.DeleteSecurityProfileResponse:
        await self._profiles.delete(request, id_in("security_profile_id", request.security_profile_id))
        return pb.DeleteSecurityProfileResponse()

    async def AssignSecurityProfiles(
        self, request: pb.AssignSecurityProfilesRequest, context: Any
    ) -> pb.AssignSecurityProfilesResponse:
        caller, found = current().principal, counted("assignments", request.assignments)
        items = [profile_assignment_in(found, f"assignments[{i}]", item) for i, item in enumerate(request.assignments[:BATCH])]
        await self._assignments.assign(caller, found, items, key_of(caller, current().method, request))
        return pb.AssignSecurityProfilesResponse()

    async def UnassignSecurityProfiles(
        self, request: pb.UnassignSecurityProfilesRequest, context: Any
    ) -> pb.UnassignSecurityProfilesResponse:
        caller, found = current().principal, counted("assignments", request.assignments)
        items = [profile_assignment_in(found, f"assignments[{i}]", item) for i, item in enumerate(request.assignments[:BATCH])]
        await self._assignments.unassign(found, items, key_of(caller, current().method, request))
        return pb.UnassignSecurityProfilesResponse()

    async def ListSecurityProfileAssignments(
        self, request: pb.ListSecurityProfileAssignmentsRequest, context: Any
    ) -> pb.ListSecurityProfileAssignmentsResponse:
        page = await self._lists.assignments(current().principal, page_request(request))
        return pb.ListSecurityProfileAssignmentsResponse(
            assignments=[profile_assignment_out(item) for item in page.items],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )


async def _new(_: DirectoryWork, found: Violations, items: Items) -> None:
    check_new_profiles(found, current().principal, [(where, values["roles"]) for where, values in items])


async def _changed(work: DirectoryWork, found: Violations, items: Items) -> None:
    ((where, values),) = items
    await check_changed_profile(work, found, current().principal, (where, values["id"], values["roles"]))
