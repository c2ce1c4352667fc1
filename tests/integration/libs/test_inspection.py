"""The inspection service over hosted apps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from libs.auth import Principal
from libs.errors import Kind, WaybillError
from libs.invariants import Fact, Finding, Record, Summary
from services import roles
from tests.support.echo import echo_app
from tests.support.principals import buyer, seller
from tests.support.server import Served, serving
from waybill.inspection.v1 import inspection_service_pb2 as pb
from waybill.inspection.v1 import inspection_service_pb2_grpc as pb_grpc


async def books(order_keys: Sequence[str]) -> AsyncIterator[Record]:
    yield Finding("echo", "counter_equals_ledger", "rec_1", "10 and 9")
    yield Fact("echo", "reservation", "k1", {"units": "3"})
    yield Summary("echo", 2, 5, 1)


@pytest.fixture
async def server() -> AsyncIterator[Served]:
    other = echo_app(name="other")
    other.registrations.clear()
    async with serving(echo_app(inspection=books), other) as running:
        yield running


async def inspection(server: Served, *contexts: str) -> list[pb.InspectResponse]:
    stub = server.stub(pb_grpc.InspectionServiceStub, seller(roles.INSPECTION_READER))
    return [record async for record in stub.Inspect(pb.InspectRequest(contexts=contexts))]


async def test_every_hosted_context_answers_and_ends_with_its_summary(server: Served) -> None:
    assert await inspection(server) == [
        pb.InspectResponse(finding=pb.Finding(context="echo", rule="counter_equals_ledger", subject="rec_1", detail="10 and 9")),
        pb.InspectResponse(fact=pb.Fact(context="echo", kind="reservation", order_key="k1", values={"units": "3"})),
        pb.InspectResponse(summary=pb.Summary(context="echo", rules=2, rows=5, findings=1)),
        pb.InspectResponse(summary=pb.Summary(context="other")),
    ]


async def test_only_the_named_contexts_answer(server: Served) -> None:
    assert [record.summary.context for record in await inspection(server, "other")] == ["other"]


@pytest.mark.parametrize(
    ("caller", "metadata"),
    [(seller(roles.OPERATIONS_ADMIN), {"role": roles.INSPECTION_READER}), (buyer(), {"parties": "SELLER"})],
)
async def test_it_needs_its_role_and_the_seller(server: Served, caller: Principal, metadata: dict[str, str]) -> None:
    with pytest.raises(WaybillError) as caught:
        await anext(server.stub(pb_grpc.InspectionServiceStub, caller).Inspect(pb.InspectRequest()))
    assert (caught.value.kind, caught.value.metadata) == (Kind.DENIED, metadata)
