"""Serves the logs of administrative acts of the hosted apps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.audit.entry import AuditEntry, AuditLog
from libs.errors import Violations, missing
from libs.protoconv import time_out
from libs.query.request import page_request
from libs.rpc.call import current
from libs.service.app import ServiceApp
from waybill.audit.v1 import audit_service_pb2 as pb
from waybill.audit.v1 import audit_service_pb2_grpc as pb_grpc
from waybill.type.v1 import reasons
from waybill.type.v1.party_pb2 import Party, PartyKind

AUDIT_SERVICE = "waybill.audit.v1.AuditService"


class AuditServicer(pb_grpc.AuditServiceServicer):
    """Every server answers for the contexts it hosts."""

    def __init__(self, apps: Sequence[ServiceApp]) -> None:
        self._logs: dict[str, AuditLog] = {app.name: app.audit for app in apps if app.audit is not None}

    async def ListAuditEntries(self, request: pb.ListAuditEntriesRequest, context: Any) -> pb.ListAuditEntriesResponse:
        """A page of one context."""
        found = Violations()
        found.require("context", bool(request.context), reasons.FIELD_REQUIRED, "name the context")
        found.raise_if_any()
        log = self._logs.get(request.context)
        if log is None:
            raise missing("audit log", request.context[:100])
        page = await log.list(current().principal, page_request(request))
        entries = [_entry(request.context, entry) for entry in page.items]
        return pb.ListAuditEntriesResponse(entries=entries, next_page_token=page.next_page_token, total_size=page.total_size)


def _entry(context: str, entry: AuditEntry) -> pb.AuditEntry:
    kind, _, party_id = entry.party.partition(":")
    return pb.AuditEntry(
        id=entry.id,
        context=context,
        time=time_out(entry.time),
        action=entry.action,
        method=entry.method,
        resource=entry.resource,
        resource_id=entry.resource_id,
        fields=entry.fields,
        user_id=entry.user_id,
        party=Party(kind=PartyKind.Value(f"PARTY_KIND_{kind}"), id=party_id) if kind else None,
        impersonator_id=entry.impersonator_id,
        client_id=entry.client_id,
        request_id=entry.request_id,
    )


def register_audit(server: Any, apps: Sequence[ServiceApp]) -> None:
    """Adds the service to a server."""
    pb_grpc.add_AuditServiceServicer_to_server(AuditServicer(apps), server)
