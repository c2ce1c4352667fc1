"""Serves the outboxes of the hosted apps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.auth import roles
from libs.errors import denied, invalid, missing
from libs.protoconv import time_out
from libs.relay.marks import Entry, Outbox
from libs.rpc.call import current
from libs.service.app import ServiceApp
from waybill.operations.v1 import outbox_service_pb2 as pb
from waybill.operations.v1 import outbox_service_pb2_grpc as pb_grpc
from waybill.type.v1 import reasons

OUTBOX_SERVICE = "waybill.operations.v1.OutboxService"


def require_operator(role: str = roles.OPERATIONS_ADMIN) -> None:
    """Raises ROLE_MISSING unless the caller is a user of the marketplace's owner who holds the role.

    Another company's user who holds it is refused in the same words: within that company the role is worth nothing here.
    """
    caller = current().principal
    caller.require(role)
    if not caller.is_seller:
        raise denied(role)


class OutboxServicer(pb_grpc.OutboxServiceServicer):
    """Every server answers for the contexts it hosts."""

    def __init__(self, apps: Sequence[ServiceApp]) -> None:
        self._outboxes: dict[str, Outbox] = {app.name: app.outbox for app in apps if app.outbox is not None}

    async def ListOutboxEntries(self, request: pb.ListOutboxEntriesRequest, context: Any) -> pb.ListOutboxEntriesResponse:
        """Context after context: the token says which, and where in it."""
        require_operator()
        names = [name for name in sorted(self._outboxes) if not request.contexts or name in request.contexts]
        at, _, token = request.page_token.partition(".")
        if request.page_token and at not in names:
            raise invalid(
                "page_token", reasons.PAGE_TOKEN_INVALID, "the page token belongs to other arguments or is none of ours"
            )
        for name in names[names.index(at) if at else 0 :]:
            found, rest = await self._outboxes[name].list(request.filter, request.order_by, request.page_size, token)
            token = ""
            later = names[names.index(name) + 1 :]
            if found:
                following = f"{name}.{rest}" if rest else f"{later[0]}." if later else ""
                return pb.ListOutboxEntriesResponse(entries=[_entry(name, entry) for entry in found], next_page_token=following)
        return pb.ListOutboxEntriesResponse()

    async def RetryOutboxEntry(self, request: pb.RetryOutboxEntryRequest, context: Any) -> pb.RetryOutboxEntryResponse:
        """Due now."""
        require_operator()
        outbox = self._outboxes.get(request.context)
        if outbox is None:
            raise missing("outbox entry", f"{request.context}/{request.kind}/{request.id}")
        entry = await outbox.retry(request.kind, request.id)
        return pb.RetryOutboxEntryResponse(entry=_entry(request.context, entry))


def _entry(context: str, entry: Entry) -> pb.OutboxEntry:
    return pb.OutboxEntry(
        context=context,
        kind=entry.kind,
        id=entry.id,
        sequence=entry.sequence,
        delivered_sequence=entry.delivered,
        change_time=time_out(entry.change_time),
        due_time=time_out(entry.due_time),
        tries=entry.tries,
        parked_time=time_out(entry.parked_time),
        error=entry.error,
    )


def register_operations(server: Any, apps: Sequence[ServiceApp]) -> None:
    """Adds the service to a server."""
    pb_grpc.add_OutboxServiceServicer_to_server(OutboxServicer(apps), server)
