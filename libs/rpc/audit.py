"""Serves the audits of the hosted apps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from libs.audit import Fact, Finding
from libs.auth import roles
from libs.rpc.call import current
from libs.service import ServiceApp
from waybill.audit.v1 import audit_service_pb2 as pb
from waybill.audit.v1 import audit_service_pb2_grpc as pb_grpc

AUDIT_SERVICE = "waybill.audit.v1.AuditService"


class AuditServicer(pb_grpc.AuditServiceServicer):
    """Every server answers for the contexts it hosts."""

    def __init__(self, apps: Sequence[ServiceApp]) -> None:
        self._apps = apps

    async def Audit(self, request: pb.AuditRequest, context: Any) -> AsyncIterator[pb.AuditResponse]:
        """Streams findings, facts and one summary per context."""
        current().principal.require(roles.AUDIT_READER)
        for app in self._apps:
            if request.contexts and app.name not in request.contexts:
                continue
            async for record in app.audited():
                if isinstance(record, Finding):
                    yield pb.AuditResponse(
                        finding=pb.Finding(
                            context=record.context,
                            rule=record.rule,
                            subject=record.subject,
                            detail=record.detail,
                        )
                    )
                elif isinstance(record, Fact):
                    yield pb.AuditResponse(
                        fact=pb.Fact(
                            context=record.context, kind=record.kind, order_key=record.order_key,
                            values=dict(record.values),
                        )
                    )  # fmt: skip
                else:
                    yield pb.AuditResponse(
                        summary=pb.Summary(
                            context=record.context,
                            rules=record.rules,
                            rows=record.rows,
                            findings=record.findings,
                        )
                    )


def register_audit(server: Any, apps: Sequence[ServiceApp]) -> None:
    """Adds the service to a server."""
    pb_grpc.add_AuditServiceServicer_to_server(AuditServicer(apps), server)
