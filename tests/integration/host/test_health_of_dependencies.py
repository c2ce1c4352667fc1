"""Health follows the database, and shows how the other services are."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy.engine import make_url

from libs.db import Database, Tuning
from libs.rpc.health import BUSY_LOOKS, DatabaseWatch
from libs.rpc.health_limits import HealthLimits
from services.host.process.embedded import Host, running
from services.host.process.settings import HostSettings
from tests.support.databases import Databases
from tests.support.gate import gate
from tests.support.ports import free_port
from tests.support.sealing import SEALING_KEY

ORDER, DIRECTORY = "waybill.order.v1.OrderService", "waybill.directory.v1.TokenService"
SECRET = "a-secret-that-only-this-test-has"


OFTEN = HealthLimits(health_pause=0.1, health_dependency_pause=0.1)


async def state(address: str, name: str = "") -> str:
    """What the server says of a name."""
    async with grpc.aio.insecure_channel(address) as channel:
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=name))
        except grpc.aio.AioRpcError as error:
            return error.code().name
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


async def turns(host: Host, name: str, expected: str) -> None:
    """Waits until it says so."""
    async with asyncio.timeout(30):
        while await state(host.address, name) != expected:
            await asyncio.sleep(0.05)


async def test_a_server_is_not_serving_while_postgresql_is_away_and_serves_again_when_it_is_back(
    tmp_path: Path, cluster_database: str
) -> None:
    url = make_url(cluster_database)
    async with gate(url.host or "127.0.0.1", url.port or 5432) as door:
        through = url.set(host="127.0.0.1", port=door.own).render_as_string(hide_password=False)
        settings = HostSettings(
            data=tmp_path,
            services={"order": {"database_url": through}},
            service_secret=SECRET,
            tuning=Tuning(pool_size=2),
            background=False,
            health=OFTEN,
        )
        async with running(settings) as host:
            assert await state(host.address) == "SERVING"
            await door.shut()
            await turns(host, "", "NOT_SERVING")
            assert await state(host.address, ORDER) == "NOT_SERVING"
            # The directory has a database of its own, and goes on.
            assert await state(host.address, DIRECTORY) == "SERVING"
            await door.open()
            await turns(host, "", "SERVING")
            assert await state(host.address, ORDER) == "SERVING"


async def test_a_service_that_is_away_is_shown_by_name_and_changes_nothing_else(tmp_path: Path) -> None:
    """Once it is known which tokens are revoked, that is what a process goes on with while the directory is away."""
    async with running(
        HostSettings(data=tmp_path, only="directory", sealing_key=SEALING_KEY, service_secret=SECRET)
    ) as directory:
        settings = HostSettings(
            data=tmp_path,
            only="order",
            service_secret=SECRET,
            health=OFTEN,
            addresses={"directory": directory.inner_address, "order": "127.0.0.1:1"},
        )
        async with running(settings) as order:
            await turns(order, "dependency/directory", "SERVING")
            await turns(order, "", "SERVING")
            await directory.server.stop(0)
            await turns(order, "dependency/directory", "NOT_SERVING")
            assert await state(order.address) == "SERVING"
            assert await state(order.address, ORDER) == "SERVING"
            assert await state(order.address, "dependency/order") == "NOT_FOUND"


async def test_a_process_serves_once_it_knows_which_tokens_are_revoked(tmp_path: Path) -> None:
    door = free_port()
    settings = HostSettings(
        data=tmp_path, only="order", service_secret=SECRET, health=OFTEN, addresses={"directory": f"127.0.0.1:{door}"}
    )
    async with running(settings) as order:
        await turns(order, "dependency/directory", "NOT_SERVING")
        assert await state(order.address, ORDER) == "NOT_SERVING"
        known = HostSettings(
            data=tmp_path, only="directory", sealing_key=SEALING_KEY, service_secret=SECRET, service_bind=f"127.0.0.1:{door}"
        )
        async with running(known):
            await turns(order, ORDER, "SERVING")


async def test_a_pool_that_is_all_in_use_is_no_database_that_is_away_for_a_while(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: Database) -> None:
        raise TimeoutError

    database = await Database.open(*await databases("full"), Tuning(pool_size=1))
    watch = DatabaseWatch(database)
    used = database.connections()
    busy = {name: (size, size) for name, (_, size) in used.items()}
    monkeypatch.setattr(Database, "connections", lambda _: busy)
    monkeypatch.setattr(Database, "ping", silent)
    assert [await watch.answers() for _ in range(BUSY_LOOKS)] == [True] * (BUSY_LOOKS - 1) + [False]
    monkeypatch.undo()
    assert await watch.answers()
    await database.close()


async def test_looking_at_a_database_is_no_statement_of_it(databases: Databases) -> None:
    database = await Database.open(*await databases("looked"), Tuning(pool_size=1))
    before = database.statements
    await database.ping()
    assert database.statements == before
    assert all(used == 0 for used, _ in database.connections().values())
    await database.close()
