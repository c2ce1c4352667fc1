"""ApiClientService."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from libs.errors import Violations
from libs.idempotency.key import key_of
from libs.protoconv import text_in, time_in, time_out
from libs.resource.contract import Items, Methods
from libs.rpc import current
from services.directory.application.channels.api_clients import ClientValues, check_clients, client_may_go
from services.directory.application.channels.secrets import ClientSecretUseCases
from services.directory.application.ports import DirectoryWork
from services.directory.application.tokens.revocations import EndTokens
from services.directory.contract.access import access_of
from services.directory.domain.tokens.client_secrets import ClientSecret
from services.directory.rpc.convert import id_in
from waybill.directory.v1 import api_client_service_pb2 as pb
from waybill.directory.v1 import api_client_service_pb2_grpc as pb_grpc


class ApiClientServicer(pb_grpc.ApiClientServiceServicer):
    """Channels."""

    def __init__(self, clients: Methods[DirectoryWork], secrets: ClientSecretUseCases, ending: EndTokens) -> None:
        self._clients = clients
        self._secrets = secrets
        self._ending = ending

    async def CreateApiClient(self, request: pb.CreateApiClientRequest, context: Any) -> pb.CreateApiClientResponse:
        (made,) = await self._clients.create(request, [request.api_client], "api_client", guard=_guard)
        return pb.CreateApiClientResponse(api_client=made)

    async def BatchCreateApiClients(
        self, request: pb.BatchCreateApiClientsRequest, context: Any
    ) -> pb.BatchCreateApiClientsResponse:
        made = await self._clients.create(request, request.api_clients, "api_clients", guard=_guard)
        return pb.BatchCreateApiClientsResponse(api_clients=made)

    async def GetApiClient(self, request: pb.GetApiClientRequest, context: Any) -> pb.GetApiClientResponse:
        found = await self._clients.get(id_in("api_client_id", request.api_client_id))
        return pb.GetApiClientResponse(api_client=found)

    async def ListApiClients(self, request: pb.ListApiClientsRequest, context: Any) -> pb.ListApiClientsResponse:
        page = await self._clients.list(request)
        return pb.ListApiClientsResponse(api_clients=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateApiClient(self, request: pb.UpdateApiClientRequest, context: Any) -> pb.UpdateApiClientResponse:
        async def guard(work: DirectoryWork, found: Violations, items: Items) -> None:
            await _guard(work, found, items)
            ((_, values),) = items
            if not found:
                await self._ending.of_changed_client(work, values["id"], access_of(values))

        made = await self._clients.update(request, request.api_client, "api_client", guard=guard)
        return pb.UpdateApiClientResponse(api_client=made)

    async def DeleteApiClient(self, request: pb.DeleteApiClientRequest, context: Any) -> pb.DeleteApiClientResponse:
        id = id_in("api_client_id", request.api_client_id)
        client_may_go(current().principal, id)

        async def guard(work: DirectoryWork, _: Violations, __: Items) -> None:
            await self._ending.of_deleted_client(work, id)

        await self._clients.delete(request, id, guard=guard)
        return pb.DeleteApiClientResponse()

    async def RotateSecret(self, request: pb.RotateSecretRequest, context: Any) -> pb.RotateSecretResponse:
        caller, end = current().principal, secret_in(request, "others_end_time")
        key = key_of(caller, current().method, request)
        secret, made = await self._secrets.rotate(caller, request.api_client_id, request.name, end, key)
        return pb.RotateSecretResponse(client_secret=secret, secret=_secret_out(made))

    async def CreateSecret(self, request: pb.CreateSecretRequest, context: Any) -> pb.CreateSecretResponse:
        caller, end = current().principal, secret_in(request, "end_time")
        key = key_of(caller, current().method, request)
        secret, made = await self._secrets.create(caller, request.api_client_id, request.name, end, key)
        return pb.CreateSecretResponse(client_secret=secret, secret=_secret_out(made))

    async def ListSecrets(self, request: pb.ListSecretsRequest, context: Any) -> pb.ListSecretsResponse:
        found = await self._secrets.list(id_in("api_client_id", request.api_client_id))
        return pb.ListSecretsResponse(secrets=[_secret_out(each) for each in found])

    async def EndSecret(self, request: pb.EndSecretRequest, context: Any) -> pb.EndSecretResponse:
        found = Violations()
        found.check_id("api_client_id", request.api_client_id)
        found.check_id("secret_id", request.secret_id)
        found.raise_if_any()
        key = key_of(current().principal, current().method, request)
        await self._secrets.end(request.api_client_id, request.secret_id, key)
        return pb.EndSecretResponse()


def secret_in(request: pb.CreateSecretRequest | pb.RotateSecretRequest, ends: str) -> datetime | None:
    """The time in the field `ends`, if there is one. Raises with everything that the request breaks by itself."""
    found = Violations()
    found.check_id("api_client_id", request.api_client_id)
    text_in(found, "name", request.name, 100)
    end = time_in(found, ends, getattr(request, ends)) if request.HasField(ends) else None  # type: ignore[arg-type]
    found.raise_if_any()
    return end


def _secret_out(secret: ClientSecret) -> pb.ApiClientSecret:
    return pb.ApiClientSecret(
        id=secret.id, name=secret.name, create_time=time_out(secret.create_time), end_time=time_out(secret.end_time)
    )


async def _guard(work: DirectoryWork, found: Violations, items: Items) -> None:
    clients = [
        ClientValues(
            where,
            default_user_id=v["default_user_id"],
            roles=v["roles"],
            buyer_ids=v["buyer_ids"],
            supplier_ids=v["supplier_ids"],
            any_buyer=v["allow_any_buyer"],
            anonymous_user_id=v["anonymous_user_id"],
            registration_buyer_id=v["registration_buyer_id"],
        )
        for where, v in items
    ]
    await check_clients(work, found, current().principal, clients)
