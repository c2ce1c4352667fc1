"""ProviderCallbackService: open, as providers sign what they send."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from services.payment.application.redirects.provider_callbacks import HandleProviderCallback
from waybill.payment.v1 import provider_callback_service_pb2 as pb
from waybill.payment.v1 import provider_callback_service_pb2_grpc as pb_grpc
from waybill.payment.v1 import reasons

MAX_BODY = 65_536
MAX_HEADERS = 50
MAX_NAME, MAX_VALUE = 200, 4_000


class ProviderCallbackServicer(pb_grpc.ProviderCallbackServiceServicer):
    """Call-backs as an edge hands them on."""

    def __init__(self, handle: HandleProviderCallback) -> None:
        self._handle = handle

    async def HandleProviderCallback(
        self, request: pb.HandleProviderCallbackRequest, context: Any
    ) -> pb.HandleProviderCallbackResponse:
        found = Violations()
        found.check_id("provider", request.provider)
        found.require("body", len(request.body) <= MAX_BODY, reasons.VALUE_OUT_OF_RANGE, f"at most {MAX_BODY:,} bytes")
        few = len(request.headers) <= MAX_HEADERS
        found.require("headers", few, reasons.TOO_MANY_ITEMS, f"at most {MAX_HEADERS}")
        for i, header in enumerate(request.headers[:MAX_HEADERS]):
            for name, limit in (("name", MAX_NAME), ("value", MAX_VALUE)):
                short = len(getattr(header, name)) <= limit
                found.require(f"headers[{i}].{name}", short, reasons.VALUE_OUT_OF_RANGE, f"at most {limit:,} characters")
        found.raise_if_any()
        # The first of a name counts: what a proxy adds behind it was not signed.
        headers: dict[str, str] = {}
        for header in request.headers:
            headers.setdefault(header.name.lower(), header.value)
        await self._handle(request.provider, headers, request.body)
        return pb.HandleProviderCallbackResponse()
