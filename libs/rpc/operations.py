"""Serves the outboxes of the hosted apps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from libs.errors import invalid, missing
from libs.protoconv import time_out
from libs.query.request import PageRequest, page_request
from libs.relay.marks import Entry, Outbox
from libs.service.app import ServiceApp
from waybill.operations.v1 import outbox_service_pb2 as pb
from waybill.operations.v1 import outbox_service_pb2_grpc as pb_grpc
from waybill.type.v1 import reasons

OUTBOX_SERVICE = "waybill.operations.v1.OutboxService"


class OutboxServicer(pb_grpc.OutboxServiceServicer):
    """Every server answers for the contexts it hosts."""

    def __init__(self, apps: Sequence[ServiceApp]) -> None:
        self._outboxes: dict[str, Outbox] = {app.name: app.outbox for app in apps if app.outbox is not None}

    async def ListOutboxEntries(self, request: pb.ListOutboxEntriesRequest, context: Any) -> pb.ListOutboxEntriesResponse:
        """Context after context: the token says which, and where in it. What is skipped may end in a later one."""
        names = [name for name in sorted(self._outboxes) if not request.contexts or name in request.contexts]
        at, _, token = request.page_token.partition(".")
        if request.page_token and at not in names:
            raise invalid("page_token", reasons.PAGE_TOKEN_INVALID, "the page token belongs to other arguments or is not ours")
        asked = replace(page_request(request), page_token=token, include_total=False)
        total = await self._total(names, asked) if request.include_total else None
        for name in names[names.index(at) if at else 0 :]:
            page = await self._outboxes[name].list(asked)
            later = names[names.index(name) + 1 :]
            if page.items:
                rest = page.next_page_token
                following = f"{name}.{rest}" if rest else f"{later[0]}." if later else ""
                return pb.ListOutboxEntriesResponse(
                    entries=[_entry(name, entry) for entry in page.items], next_page_token=following, total_size=total
                )
            left_out = await self._outboxes[name].count(asked) if asked.skip else 0
            asked = replace(asked, page_token="", skip=max(0, asked.skip - left_out))
        return pb.ListOutboxEntriesResponse(total_size=total)

    async def _total(self, names: Sequence[str], asked: PageRequest) -> int:
        """Of all contexts, each at a moment of its own: they share no database."""
        return sum([await self._outboxes[name].count(replace(asked, page_token="")) for name in names])

    async def RetryOutboxEntry(self, request: pb.RetryOutboxEntryRequest, context: Any) -> pb.RetryOutboxEntryResponse:
        """Due now."""
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
