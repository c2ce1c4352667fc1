"""ApiClientService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.auth import roles
from libs.db import Database, Tx
from libs.errors import Violations, denied, missing
from libs.resource import StandardMethods
from libs.rpc import current
from services.directory.adapters.db.tables import CLIENTS, USERS
from services.directory.adapters.passwords import Argon2, new_secret
from services.directory.domain.access import grantable
from waybill.directory.v1 import api_client_service_pb2 as pb
from waybill.directory.v1 import api_client_service_pb2_grpc as pb_grpc


def _admin() -> None:
    caller = current().principal
    caller.require(roles.API_CLIENT_ADMIN)
    if not caller.is_seller:
        raise denied(roles.API_CLIENT_ADMIN)


class ApiClientServicer(pb_grpc.ApiClientServiceServicer):
    """Channels."""

    def __init__(self, clients: StandardMethods, database: Database, secrets: Argon2) -> None:
        self._clients = clients
        self._db = database
        self._secrets = secrets

    async def CreateApiClient(
        self, request: pb.CreateApiClientRequest, context: Any
    ) -> pb.CreateApiClientResponse:
        _admin()
        (made,) = await self._clients.create(request, [request.api_client], "api_client", guard=self._guard)
        return pb.CreateApiClientResponse(api_client=made)

    async def BatchCreateApiClients(
        self, request: pb.BatchCreateApiClientsRequest, context: Any
    ) -> pb.BatchCreateApiClientsResponse:
        _admin()
        made = await self._clients.create(request, request.api_clients, "api_clients", guard=self._guard)
        return pb.BatchCreateApiClientsResponse(api_clients=made)

    async def GetApiClient(self, request: pb.GetApiClientRequest, context: Any) -> pb.GetApiClientResponse:
        _admin()
        return pb.GetApiClientResponse(api_client=await self._clients.get(request.api_client_id))

    async def ListApiClients(self, request: pb.ListApiClientsRequest, context: Any) -> pb.ListApiClientsResponse:
        _admin()
        page, token = await self._clients.list(request)
        return pb.ListApiClientsResponse(api_clients=page, next_page_token=token)

    async def UpdateApiClient(
        self, request: pb.UpdateApiClientRequest, context: Any
    ) -> pb.UpdateApiClientResponse:
        _admin()
        made = await self._clients.update(request, request.api_client, "api_client", guard=self._guard)
        return pb.UpdateApiClientResponse(api_client=made)

    async def RotateSecret(self, request: pb.RotateSecretRequest, context: Any) -> pb.RotateSecretResponse:
        _admin()
        secret = new_secret()
        hashed = await self._secrets.hash(secret)
        statement = sa.update(CLIENTS).where(CLIENTS.c.id == request.api_client_id).values(secret_hash=hashed)
        async with self._db.transaction() as tx:
            if (await tx.execute(statement)).rowcount == 0:
                raise missing("API client", request.api_client_id)
        return pb.RotateSecretResponse(client_secret=secret)

    async def _guard(self, tx: Tx, found: Violations, items: Sequence[tuple[str, dict[str, Any]]]) -> None:
        wanted = {values["default_user_id"] for _, values in items} - {""}
        known = set((await tx.execute(sa.select(USERS.c.id).where(USERS.c.id.in_(sorted(wanted))))).scalars())
        for where, values in items:
            user = values["default_user_id"]
            found.require(
                f"{where}.default_user_id", not user or user in known, "USER_NOT_FOUND", f"there is no user {user!r}"
            )
            grantable(found, f"{where}.roles", current().principal, values["roles"])
