"""One outside call is one trace, whichever services it goes through."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from libs.obs.tracing import recording, work
from tests.bench import load
from tests.support.marketplace import lines, marketplace
from tests.support.ports import free_port
from tests.support.process import Served, served
from waybill.directory.v1 import buyer_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill_client import AsyncWaybill, WaybillError

PLACE = "waybill.order.v1.CheckoutService/PlaceOrder"


def service(span: ReadableSpan) -> str:
    """The service that made a span."""
    return str(span.resource.attributes["service.name"])


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


async def test_placing_an_order_is_one_trace_through_every_service(
    tmp_path: Path, database_url: str, exporter: InMemorySpanExporter
) -> None:
    async with marketplace(tmp_path, database_url) as market:
        with recording(SimpleSpanProcessor(exporter)):
            await market.people.ada.checkout.PlaceOrder(pb.PlaceOrderRequest(line_items=lines(anvil=2)))
    spans = exporter.get_finished_spans()
    (root,) = [s for s in spans if s.name == PLACE]
    assert root.parent is None
    trace = [s for s in spans if s.context.trace_id == root.context.trace_id]
    by_id = {s.context.span_id: s for s in trace}
    assert {service(s) for s in trace if s.kind is SpanKind.SERVER} == {
        f"waybill-{name}" for name in ("order", "directory", "catalog", "pricing", "shipping", "fulfillment", "payment")
    }
    for span in trace:
        if span is root:
            continue
        assert span.parent is not None
        parent = by_id[span.parent.span_id]
        if span.kind is SpanKind.SERVER:
            # Whoever is served was called by a span of the same name in the service that called.
            assert (parent.kind, parent.name) == (SpanKind.CLIENT, span.name)
            assert service(parent) != service(span)
        else:
            assert (parent.kind, service(parent)) == (SpanKind.SERVER, service(span))
    assert all((s.attributes or {})["rpc.response.status_code"] == "OK" for s in trace)


async def test_a_call_goes_on_with_the_trace_of_its_caller_and_shows_its_refusal(
    tmp_path: Path, exporter: InMemorySpanExporter
) -> None:
    async with marketplace(tmp_path) as market:
        with recording(SimpleSpanProcessor(exporter)):
            channel = grpc.aio.insecure_channel(market.address)
            with pytest.raises(grpc.aio.AioRpcError):
                await channel.unary_unary(f"/{PLACE}")(
                    b"", metadata=(("traceparent", f"00-{'a' * 32}-{'b' * 16}-01"), ("x-request-id", "mine"))
                )
            await channel.close()
    (span,) = [s for s in exporter.get_finished_spans() if s.name == PLACE]
    assert span.context.trace_id == int("a" * 32, 16)
    assert span.parent is not None
    assert span.parent.span_id == int("b" * 16, 16)
    assert dict(span.attributes or {}) | {"waybill.request_id": ""} == {
        "rpc.system": "grpc",
        "rpc.service": PLACE.split("/")[0],
        "rpc.method": "PlaceOrder",
        "rpc.response.status_code": "UNAUTHENTICATED",
        "waybill.reason": "TOKEN_MISSING",
        "waybill.request_id": "",
    }


def test_background_work_is_a_trace_of_its_own_that_shows_its_failure(exporter: InMemorySpanExporter) -> None:
    with recording(SimpleSpanProcessor(exporter)):
        with work("order", "outer"), work("order", "complete submission", order="k"):
            pass
        with pytest.raises(ValueError), work("order", "fails"):
            raise ValueError
    inner, outer, failed = exporter.get_finished_spans()
    assert inner.context.trace_id != outer.context.trace_id
    assert inner.parent is None
    assert inner.attributes == {"waybill.order": "k"}
    assert (failed.status.is_ok, failed.status.description) == (False, "ValueError")


def signed_in(server: Served) -> AsyncWaybill:
    """The owner of a process's marketplace."""
    return AsyncWaybill(server.address, "waybill-admin", server.client_secret)


@dataclass
class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    """An OTLP receiver."""

    address: str = ""
    spans: dict[bytes, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    """(service, name of the span) by trace."""

    async def Export(self, request: Any, context: Any) -> Any:
        for sent in request.resource_spans:
            names = [a.value.string_value for a in sent.resource.attributes if a.key == "service.name"]
            for span in (span for scope in sent.scope_spans for span in scope.spans):
                self.spans[span.trace_id].append((names[0], span.name))
        return trace_service_pb2.ExportTraceServiceResponse()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on the loopback."""
    server, receiver = grpc.aio.server(), Receiver()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(receiver, server)
    receiver.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield receiver
    finally:
        await server.stop(0.1)


async def test_a_process_sends_its_spans_to_the_receiver_that_a_variable_names(tmp_path: Path) -> None:
    async with receiving() as receiver:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address}
        async with served(tmp_path, variables=variables) as server, signed_in(server) as owner:
            await load.stock_up(owner)
            async with AsyncWaybill(server.address, load.SHOP, username="ada", password=load.PASSWORD) as ada:
                await load.place(ada, 3)()
        # A process that ends sends what it still has.
        (trace,) = [spans for spans in receiver.spans.values() if ("waybill-order", PLACE) in spans]
    assert {name for name, _ in trace} > {"waybill-fulfillment", "waybill-pricing", "waybill-payment"}


async def test_a_receiver_that_is_away_harms_no_call(tmp_path: Path) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
    async with served(tmp_path, only="directory", variables=variables) as server, signed_in(server) as owner:
        for _ in range(3):
            with pytest.raises(WaybillError, match="nobody"):
                await owner.buyers.GetBuyer(buyer_service_pb2.GetBuyerRequest(buyer_id="nobody"))


async def test_without_a_receiver_nothing_of_it_is_loaded() -> None:
    code = (
        "import services.host.cli, services.host.process.embedded, sys; print([m for m in sys.modules if 'opentelemetry' in m])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert said.decode().strip() == "[]"
