"""Pending changes of several contexts are one list: pages, skips and totals go on from one to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from libs.query.request import Page, PageRequest
from libs.relay.marks import Entry
from libs.rpc.call import CURRENT, Call
from libs.rpc.operations import OutboxServicer
from libs.service.app import ServiceApp
from tests.support.principals import seller
from waybill.operations.v1 import outbox_service_pb2 as pb

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Pending:
    """An outbox in memory, whose token is a place."""

    ids: list[str]

    async def list(self, request: PageRequest) -> Page[Entry]:
        start = int(request.page_token or 0) + request.skip
        end = start + request.page_size
        found = [Entry("order", id, 2, 1, NOON, NOON, 0, None, "") for id in self.ids[start:end]]
        return Page(found, str(end) if end < len(self.ids) else "")

    async def count(self, request: PageRequest) -> int:
        return len(self.ids) - int(request.page_token or 0)


@pytest.fixture(autouse=True)
def call() -> Iterator[None]:
    reset = CURRENT.set(Call("method", "request", seller(), None, None))
    yield
    CURRENT.reset(reset)


@pytest.mark.parametrize("skip", range(8))
@pytest.mark.parametrize("size", [1, 2, 5])
async def test_a_skip_goes_on_in_the_next_context(skip, size):
    held = {"a": ["a1", "a2", "a3"], "b": [], "c": ["c1", "c2", "c3"]}
    apps: list[Any] = [ServiceApp(name=name, registrations=[], outbox=Pending(ids)) for name, ids in held.items()]  # type: ignore[arg-type]
    servicer = OutboxServicer(apps)
    found: list[str] = []
    request = pb.ListOutboxEntriesRequest(page_size=size, skip=skip, include_total=True)
    for _ in range(10):
        answer = await servicer.ListOutboxEntries(request, None)
        assert answer.total_size == 6
        found += [entry.id for entry in answer.entries]
        request = pb.ListOutboxEntriesRequest(page_size=size, page_token=answer.next_page_token, include_total=True)
        if not answer.next_page_token:
            break

    assert found == [id for ids in held.values() for id in ids][skip:]
