"""Traces: one for each outside call over all services, one for each piece of background work.

Off unless an OTLP endpoint is named: then nothing is imported, and a call pays for one look at `ACTIVE`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span, Tracer

ACTIVE: Tracing | None = None
"""Where spans of this process go; None when traces are off."""
Metadata = tuple[tuple[str, str], ...]
FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "CIRCUIT_OPEN"})
"""Codes that a server is to blame for; the others are answers."""
FLUSH_SECONDS = 3.0
"""How long a process that ends waits for its last spans to be taken."""


class Tracing:
    """Makes spans. Each service has a tracer with its own name, also when several share a process."""

    def __init__(self, processor: SpanProcessor) -> None:
        from opentelemetry import context, trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._context = context
        self._trace = trace
        self._propagator = TraceContextTextMapPropagator()
        self._processor = processor
        self._tracers: dict[str, Tracer] = {}

    def _tracer(self, service: str) -> Tracer:
        tracer = self._tracers.get(service)
        if tracer is None:
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider

            resource = Resource.create({"service.name": f"waybill-{service}", "service.namespace": "waybill"})
            provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            provider.add_span_processor(self._processor)
            tracer = self._tracers[service] = provider.get_tracer("waybill")
        return tracer

    def serve(self, service: str, method: str, metadata: Any) -> None:
        """Begins the span of a call that is served; it is the current one of this task until `served`."""
        carrier = {key: value for key, value in metadata or () if key in ("traceparent", "tracestate")}
        span = self._tracer(service).start_span(
            method.lstrip("/"),
            context=self._propagator.extract(carrier),
            kind=self._trace.SpanKind.SERVER,
            attributes=_method(method),
        )
        self._context.attach(self._trace.set_span_in_context(span))

    def served(self, code: str, reason: str, request_id: str) -> str:
        """Ends it; returns the trace's id."""
        span = self._trace.get_current_span()
        span.set_attribute("waybill.request_id", request_id)
        self._end(span, code, reason, code in FAULTS)
        return format(span.get_span_context().trace_id, "032x")

    def call(self, service: str, method: str) -> tuple[Span, Metadata]:
        """Begins the span of a call to another service; what the call carries so that the other goes on with it."""
        span = self._tracer(service).start_span(method.lstrip("/"), kind=self._trace.SpanKind.CLIENT, attributes=_method(method))
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, self._trace.set_span_in_context(span))
        return span, tuple(carrier.items())

    def called(self, span: Span, code: str) -> None:
        """Ends it."""
        self._end(span, code, "", code != "OK")

    def _end(self, span: Span, code: str, reason: str, failed: bool) -> None:
        span.set_attribute("rpc.response.status_code", code)
        if reason:
            span.set_attribute("waybill.reason", reason)
        if failed:
            span.set_status(self._trace.StatusCode.ERROR, reason or code)
        span.end()

    @contextmanager
    def work(self, service: str, name: str, attributes: Mapping[str, str]) -> Iterator[None]:
        """A trace of its own."""
        span = self._tracer(service).start_span(name, context=self._context.Context(), attributes=attributes)
        token = self._context.attach(self._trace.set_span_in_context(span))
        try:
            yield
        except BaseException as error:
            span.set_status(self._trace.StatusCode.ERROR, getattr(error, "reason", type(error).__name__))
            raise
        finally:
            self._context.detach(token)
            span.end()


def _method(method: str) -> dict[str, str]:
    service, _, name = method.lstrip("/").rpartition("/")
    return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": name}


@contextmanager
def work(service: str, name: str, **attributes: str) -> Iterator[None]:
    """A piece of background work: a trace of its own, if traces are on."""
    if ACTIVE is None:
        yield
        return
    with ACTIVE.work(service, name, {f"waybill.{key}": value for key, value in attributes.items()}):
        yield


@contextmanager
def recording(processor: SpanProcessor) -> Iterator[None]:
    """Spans of this process go to `processor` for the length of the block."""
    global ACTIVE
    before, ACTIVE = ACTIVE, Tracing(processor)
    try:
        yield
    finally:
        ACTIVE = before


@asynccontextmanager
async def exporting(endpoint: str) -> AsyncIterator[None]:
    """Spans go to an OTLP receiver over gRPC; the SDK's own OTEL_ variables rule sampling, batches and headers.

    Raises ValueError when another protocol is asked for. A receiver that is away costs spans, nothing else.
    """
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    if protocol != "grpc":
        raise ValueError(f"OTEL_EXPORTER_OTLP_PROTOCOL: traces are sent by grpc only, not {protocol!r}")
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint=endpoint)
    processor = BatchSpanProcessor(exporter)
    try:
        with recording(processor):
            yield
    finally:
        last = asyncio.create_task(asyncio.to_thread(processor.shutdown))
        _, late = await asyncio.wait({last}, timeout=FLUSH_SECONDS)
        if late:
            # It would repeat what a receiver does not take until its own time is over.
            exporter.shutdown()
        await last
