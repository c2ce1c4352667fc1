"""Serves the inspections of the hosted apps."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

from libs.errors import invalid
from libs.invariants import Fact, Finding
from libs.service.app import ServiceApp
from waybill.inspection.v1 import inspection_service_pb2 as pb
from waybill.inspection.v1 import inspection_service_pb2_grpc as pb_grpc
from waybill.type.v1 import reasons

INSPECTION_SERVICE = "waybill.inspection.v1.InspectionService"
MAX_KEYS = 1_000


class InspectionServicer(pb_grpc.InspectionServiceServicer):
    """Every server answers for the contexts it hosts."""

    def __init__(self, apps: Sequence[ServiceApp]) -> None:
        self._apps = apps

    async def Inspect(self, request: pb.InspectRequest, context: Any) -> AsyncIterator[pb.InspectResponse]:
        """Streams findings, facts and one summary per context."""
        _require_keys(request.order_keys)
        for app in self._apps:
            if request.contexts and app.name not in request.contexts:
                continue
            async for record in app.inspected(request.order_keys):
                if isinstance(record, Finding):
                    yield pb.InspectResponse(
                        finding=pb.Finding(context=record.context, rule=record.rule, subject=record.subject, detail=record.detail)
                    )
                elif isinstance(record, Fact):
                    yield pb.InspectResponse(
                        fact=pb.Fact(
                            context=record.context, kind=record.kind, order_key=record.order_key, values=dict(record.values)
                        )
                    )
                else:
                    yield pb.InspectResponse(
                        summary=pb.Summary(
                            context=record.context,
                            rules=record.rules,
                            rows=record.rows,
                            findings=record.findings,
                            results=[pb.RuleResult(rule=r.rule, rows=r.rows, broken=r.broken) for r in record.results],
                        )
                    )


def _require_keys(keys: Sequence[str]) -> None:
    if len(keys) > MAX_KEYS:
        raise invalid("order_keys", reasons.TOO_MANY_ITEMS, f"at most {MAX_KEYS:,} orders")
    for i, key in enumerate(keys):
        try:
            uuid.UUID(key)
        except ValueError:
            raise invalid(f"order_keys[{i}]", reasons.FIELD_INVALID, "must be the key of an order") from None


def register_inspection(server: Any, apps: Sequence[ServiceApp]) -> None:
    """Adds the service to a server."""
    pb_grpc.add_InspectionServiceServicer_to_server(InspectionServicer(apps), server)
