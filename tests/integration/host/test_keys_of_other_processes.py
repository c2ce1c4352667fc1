"""A process verifies tokens with the keys of a directory that another process serves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc

from services.host.process.embedded import Host, running
from services.host.process.settings import HostSettings
from tests.support.sealing import SEALING_KEY
from waybill.catalog.v1 import product_service_pb2, product_service_pb2_grpc
from waybill.directory.v1 import key_service_pb2, key_service_pb2_grpc, token_service_pb2, token_service_pb2_grpc

SECRET = "a-secret-that-only-this-test-has"


async def owners_token(directory: Host) -> tuple[tuple[str, str], ...]:
    """What a call of the owner carries."""
    assert directory.secret is not None
    request = token_service_pb2.IssueTokenRequest(
        client_id=directory.secret.client_id,
        client_secret=directory.secret.client_secret,
        client_credentials=token_service_pb2.ClientCredentialsGrant(),
    )
    async with grpc.aio.insecure_channel(directory.address) as channel:
        issued = await token_service_pb2_grpc.TokenServiceStub(channel).IssueToken(request)
    return (("authorization", f"Bearer {issued.access_token}"),)


async def code(catalog: Host, metadata: tuple[tuple[str, str], ...]) -> str:
    """How the catalog answers whoever carries that."""
    async with grpc.aio.insecure_channel(catalog.address) as channel:
        try:
            call = product_service_pb2_grpc.ProductServiceStub(channel).ListProducts
            await call(product_service_pb2.ListProductsRequest(), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return error.code().name
    return "OK"


async def test_a_withdrawn_key_ends_in_every_process_for_tokens_that_it_has_verified_before(tmp_path: Path) -> None:
    async with running(
        HostSettings(data=tmp_path, only="directory", sealing_key=SEALING_KEY, service_secret=SECRET)
    ) as directory:
        settings = HostSettings(
            data=tmp_path, only="catalog", service_secret=SECRET, addresses={"directory": directory.inner_address}, key_poll=0.1
        )
        async with running(settings) as catalog:
            former = await owners_token(directory)
            assert await code(catalog, former) == "OK"
            async with grpc.aio.insecure_channel(directory.address) as channel:
                keys = key_service_pb2_grpc.KeyServiceStub(channel)
                (key,) = (await keys.ListKeys(key_service_pb2.ListKeysRequest(), metadata=former)).keys
                await keys.WithdrawKey(key_service_pb2.WithdrawKeyRequest(kid=key.kid), metadata=former)
            async with asyncio.timeout(30):
                while await code(catalog, former) != "UNAUTHENTICATED":
                    await asyncio.sleep(0.05)
            assert await code(catalog, await owners_token(directory)) == "OK"
