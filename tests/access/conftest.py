"""One marketplace for all tests of access, which run in the loop that serves it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from libs.auth import ServiceTokens
from libs.rpc.fairness.limits import OutsideLimits
from services.host.process.keys.service_keys import service_keys
from services.host.process.settings import HostSettings
from tests.access.callers import Callers
from tests.support.databases import run_folder
from tests.support.marketplace import marketplace
from tests.support.prepared import copied_files

PATIENT = OutsideLimits(refusals=1_000_000)
"""Every refusal is answered at once, though there are thousands."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests run in the loop that serves the marketplace."""
    for item in items:
        if "callers" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def callers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Callers]:
    """Everyone who calls. Nothing runs in the background, so that only calls change anything."""
    data = tmp_path_factory.mktemp("access")
    copy = await copied_files(run_folder(), data)
    tokens = ServiceTokens(service_keys(HostSettings(data=data)))
    async with (
        marketplace(data, secret=copy.secret, background=False, outside=PATIENT) as made,
        grpc.aio.insecure_channel(made.address) as outside,
        grpc.aio.insecure_channel(made.host.inner_address) as inside,
    ):
        yield Callers(made, tokens, outside, inside)
