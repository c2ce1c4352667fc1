"""UserService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.errors import Violations, impersonated
from libs.idempotency.key import key_of
from libs.protoconv import mask_paths
from libs.resource.contract import Items, Methods
from libs.rpc import current
from services import roles
from services.directory.application.people.change_password import ChangePassword
from services.directory.application.people.users import SetPassword, UserRules, UserValues, check_password
from services.directory.application.ports import DirectoryWork
from services.directory.application.tokens.throttle import Origin
from services.directory.contract.parties import party_text
from services.directory.domain.access import require_managed
from services.directory.rpc.convert import id_in
from waybill.directory.v1 import reasons
from waybill.directory.v1 import user_service_pb2 as pb
from waybill.directory.v1 import user_service_pb2_grpc as pb_grpc

BATCH = 1_000
MINE = ("first_name", "last_name", "email", "phone", "xp")
"""What users change of themselves."""


class UserServicer(pb_grpc.UserServiceServicer):
    """Users of companies."""

    def __init__(
        self,
        users: Methods[DirectoryWork],
        me: Methods[DirectoryWork],
        rules: UserRules,
        set_password: SetPassword,
        change_password: ChangePassword,
    ) -> None:
        """`me` are methods of the caller alone."""
        self._users = users
        self._me = me
        self._rules = rules
        self._set_password = set_password
        self._change_password = change_password

    async def CreateUser(self, request: pb.CreateUserRequest, context: Any) -> pb.CreateUserResponse:
        bare = pb.CreateUserRequest(request_id=request.request_id)
        bare.user.CopyFrom(_without_password(request.user))
        (made,) = await self._create(bare, [bare.user], [request.user.password], "user")
        return pb.CreateUserResponse(user=made)

    async def BatchCreateUsers(self, request: pb.BatchCreateUsersRequest, context: Any) -> pb.BatchCreateUsersResponse:
        bare = pb.BatchCreateUsersRequest(
            request_id=request.request_id, users=[_without_password(user) for user in request.users]
        )
        passwords = [user.password for user in request.users]
        return pb.BatchCreateUsersResponse(users=await self._create(bare, bare.users, passwords, "users"))

    async def GetUser(self, request: pb.GetUserRequest, context: Any) -> pb.GetUserResponse:
        return pb.GetUserResponse(user=await self._users.get(id_in("user_id", request.user_id)))

    async def ListUsers(self, request: pb.ListUsersRequest, context: Any) -> pb.ListUsersResponse:
        page = await self._users.list(request)
        return pb.ListUsersResponse(users=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateUser(self, request: pb.UpdateUserRequest, context: Any) -> pb.UpdateUserResponse:
        caller = current().principal
        bare, password = _update_without_password(request)
        _require_own_hand("user.password", password)
        found = Violations()
        check_password(found, "user.password", password, required="password" in request.update_mask.paths)
        hashes = [] if found else await self._rules.hashes([password])

        async def guard(work: DirectoryWork, wrong: Violations, items: Items) -> None:
            (user,) = _values(items)
            await self._rules.of_changed(work, wrong, caller, user, bool(password))

        async def keep(work: DirectoryWork, rows: list[dict[str, Any]]) -> None:
            await self._rules.keep(work, _names(rows), hashes)
            if password:
                work.trail.note("user", rows[0]["id"], rows[0]["update_time"], fields=["password"])

        made = await self._users.update(bare, bare.user, "user", guard=guard, before=found, then=keep)
        return pb.UpdateUserResponse(user=made)

    async def DeleteUser(self, request: pb.DeleteUserRequest, context: Any) -> pb.DeleteUserResponse:
        caller, id = current().principal, id_in("user_id", request.user_id)

        # Of a user whom the caller may change: the rest is not there, the owner too.
        async def guard(work: DirectoryWork, wrong: Violations, _: Items) -> None:
            await self._rules.of_deleted(work, wrong, caller, id)

        await self._users.delete(request, id, guard=guard)
        return pb.DeleteUserResponse()

    async def SetPassword(self, request: pb.SetPasswordRequest, context: Any) -> pb.SetPasswordResponse:
        caller = current().principal
        bare = pb.SetPasswordRequest(user_id=request.user_id, request_id=request.request_id)
        key = key_of(caller, current().method, bare)
        await self._set_password(caller, request.user_id, request.password, key)
        return pb.SetPasswordResponse()

    async def GetMe(self, request: pb.GetMeRequest, context: Any) -> pb.GetMeResponse:
        return pb.GetMeResponse(user=await self._me.get(current().principal.user_id))

    async def UpdateMe(self, request: pb.UpdateMeRequest, context: Any) -> pb.UpdateMeResponse:
        caller, found = current().principal, Violations()
        found.require("user", request.HasField("user"), reasons.FIELD_REQUIRED, "is required")
        own = request.user.id in ("", caller.user_id)
        found.require("user.id", own, reasons.FIELD_INVALID, "is the caller's own, or empty")
        paths = mask_paths(found, request.update_mask, request.user, MINE)
        if set(paths) - {"xp"}:
            caller.require(roles.ME_ADMIN)
        bare = pb.UpdateMeRequest(request_id=request.request_id)
        bare.user.CopyFrom(_only(request.user, caller.user_id, paths))
        bare.update_mask.paths.extend(paths)
        return pb.UpdateMeResponse(user=await self._me.update(bare, bare.user, "user", before=found))

    async def ChangePassword(self, request: pb.ChangePasswordRequest, context: Any) -> pb.ChangePasswordResponse:
        caller = current().principal
        key = key_of(caller, current().method, pb.ChangePasswordRequest(request_id=request.request_id))
        origin = Origin(*current().source)
        await self._change_password(caller, request.old_password, request.new_password, key, origin)
        return pb.ChangePasswordResponse()

    async def _create(self, bare: Any, users: Sequence[pb.User], passwords: Sequence[str], where: str) -> list[Any]:
        caller = current().principal
        paths = [where if where == "user" else f"{where}[{i}]" for i in range(len(users))]
        found = Violations()
        for path, user, password in zip(paths[:BATCH], users, passwords, strict=False):
            party = party_text(user.party)
            if party and user.party.id:
                require_managed(caller, *party.split(":", 1))
            _require_own_hand(f"{path}.password", password)
            check_password(found, f"{path}.password", password)
        if len(users) > BATCH:
            found.add(where, reasons.TOO_MANY_ITEMS, f"1 to {BATCH:,} at a time")
            found.raise_if_any()
        # Nothing of what is refused is hashed.
        hashes = [] if found else await self._rules.hashes(passwords)

        async def guard(work: DirectoryWork, wrong: Violations, items: Items) -> None:
            await self._rules.of_new(work, wrong, caller, _values(items))

        async def keep(work: DirectoryWork, rows: list[dict[str, Any]]) -> None:
            await self._rules.keep(work, _names(rows), hashes)

        return await self._users.create(bare, users, where, guard=guard, before=found, then=keep)


def _require_own_hand(where: str, password: str) -> None:
    """Raises IMPERSONATED for a password that is set by somebody in the place of another."""
    impersonator = current().principal.impersonator_id
    if password and impersonator:
        raise impersonated(impersonator, where)


def _values(items: Items) -> list[UserValues]:
    return [UserValues(where, v["id"], v["party"], v["username"], v["active"], v["roles"]) for where, v in items]


def _names(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["id"], row["username"]) for row in rows]


def _without_password(user: pb.User) -> pb.User:
    """Passwords are no part of what a request id is bound to: their digest would be cheap to guess."""
    bare = pb.User()
    bare.CopyFrom(user)
    bare.password = ""
    return bare


def _only(user: pb.User, id: str, paths: Sequence[str]) -> pb.User:
    """Of a user these fields alone, so that an empty mask changes nothing else."""
    bare = pb.User(id=id, etag=user.etag)
    for path in paths:
        if path != "xp":
            setattr(bare, path, getattr(user, path))
        elif user.HasField("xp"):
            bare.xp.CopyFrom(user.xp)
    return bare


def _update_without_password(request: pb.UpdateUserRequest) -> tuple[pb.UpdateUserRequest, str]:
    """The update of the other fields, and the new password if the mask names it or is empty."""
    bare = pb.UpdateUserRequest(request_id=request.request_id)
    bare.user.CopyFrom(_without_password(request.user))
    paths = list(request.update_mask.paths)
    if not paths:
        return bare, request.user.password
    kept = [path for path in paths if path != "password"]
    if not kept:
        # An empty mask would mean every field that is set.
        bare.user.CopyFrom(pb.User(id=request.user.id, etag=request.user.etag))
    bare.update_mask.paths.extend(kept)
    return bare, request.user.password if len(kept) < len(paths) else ""
