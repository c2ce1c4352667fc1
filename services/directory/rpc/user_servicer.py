"""UserService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.auth import roles
from libs.db import Tx
from libs.errors import Violations
from libs.resource import StandardMethods
from libs.rpc import current
from services.directory.adapters.db.tables import BUYERS, SELLERS, SUPPLIERS, USERS, party_text, visible_users
from services.directory.adapters.passwords import Argon2
from services.directory.domain.access import grantable, require_party
from waybill.directory.v1 import user_service_pb2 as pb
from waybill.directory.v1 import user_service_pb2_grpc as pb_grpc


class UserServicer(pb_grpc.UserServiceServicer):
    """Users of companies."""

    def __init__(self, users: StandardMethods, passwords: Argon2) -> None:
        self._users = users
        self._passwords = passwords

    async def CreateUser(self, request: pb.CreateUserRequest, context: Any) -> pb.CreateUserResponse:
        (made,) = await self._create(request, [request.user], "user")
        return pb.CreateUserResponse(user=made)

    async def BatchCreateUsers(
        self, request: pb.BatchCreateUsersRequest, context: Any
    ) -> pb.BatchCreateUsersResponse:
        made = await self._create(request, request.users, "users")
        return pb.BatchCreateUsersResponse(users=made)

    async def GetUser(self, request: pb.GetUserRequest, context: Any) -> pb.GetUserResponse:
        return pb.GetUserResponse(user=await self._users.get(request.user_id, visible_users(current().principal)))

    async def ListUsers(self, request: pb.ListUsersRequest, context: Any) -> pb.ListUsersResponse:
        page, token = await self._users.list(request, visible_users(current().principal))
        return pb.ListUsersResponse(users=page, next_page_token=token)

    async def UpdateUser(self, request: pb.UpdateUserRequest, context: Any) -> pb.UpdateUserResponse:
        caller = current().principal
        caller.require(roles.USER_ADMIN)
        password = request.user.password
        _password(found := Violations(), "user.password", password)
        found.raise_if_any()
        hashed = await self._passwords.hash(password) if password else None

        async def keep(tx: Tx, row: dict[str, Any]) -> None:
            values: dict[str, Any] = {"username_key": row["username"].casefold()}
            if hashed:
                values["password_hash"] = hashed
            await tx.execute(sa.update(USERS).where(USERS.c.id == row["id"]).values(**values))

        made = await self._users.update(
            request, request.user, "user", visible=visible_users(caller), guard=self._guard, then=keep
        )
        return pb.UpdateUserResponse(user=made)

    async def _create(self, request: Any, users: Sequence[pb.User], where: str) -> list[Any]:
        caller = current().principal
        caller.require(roles.USER_ADMIN)
        found = Violations()
        hashes: list[str | None] = []
        for i, user in enumerate(users):
            party = party_text(user.party)
            if party:
                require_party(caller, *party.split(":", 1))
            _password(found, f"{where}[{i}].password" if where == "users" else "user.password", user.password)
        found.raise_if_any()
        for user in users:
            hashes.append(await self._passwords.hash(user.password) if user.password else None)

        async def keep(tx: Tx, rows: list[dict[str, Any]]) -> None:
            updates = [
                {"b_id": row["id"], "b_key": row["username"].casefold(), "b_hash": hashed}
                for row, hashed in zip(rows, hashes, strict=True)
            ]
            statement = sa.update(USERS).where(USERS.c.id == sa.bindparam("b_id"))
            await tx.execute(
                statement.values(username_key=sa.bindparam("b_key"), password_hash=sa.bindparam("b_hash")), updates
            )

        return await self._users.create(request, users, where, guard=self._guard, then=keep)

    async def _guard(self, tx: Tx, found: Violations, items: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Companies exist, names are free, roles may be given."""
        parties = {values["party"] for _, values in items if values["party"]}
        known: set[str] = set()
        for kind, table in (("BUYER", BUYERS), ("SUPPLIER", SUPPLIERS), ("SELLER", SELLERS)):
            wanted = sorted(p.split(":", 1)[1] for p in parties if p.startswith(kind + ":"))
            if wanted:
                rows = await tx.execute(sa.select(table.c.id).where(table.c.id.in_(wanted)))
                known |= {f"{kind}:{id}" for id in rows.scalars()}
        names = {values["username"].casefold(): values["id"] for _, values in items}
        taken_rows = await tx.execute(
            sa.select(USERS.c.username_key, USERS.c.id).where(USERS.c.username_key.in_(sorted(names)))
        )
        taken = {row.username_key: row.id for row in taken_rows}
        seen: set[str] = set()
        for where, values in items:
            name = values["username"].casefold()
            found.require(
                f"{where}.party", not values["party"] or values["party"] in known, "PARTY_NOT_FOUND",
                "the company does not exist",
            )  # fmt: skip
            free = taken.get(name, values["id"]) == values["id"] and name not in seen
            found.require(f"{where}.username", free, "USERNAME_TAKEN", "the user name is taken")
            seen.add(name)
            grantable(found, f"{where}.roles", current().principal, values["roles"])


def _password(found: Violations, where: str, password: str) -> None:
    if password:
        found.require(where, 8 <= len(password) <= 200, "VALUE_OUT_OF_RANGE", "8 to 200 characters")
