"""MessageService."""

from __future__ import annotations

from typing import Any

from libs.idempotency.key import key_of
from libs.protoconv import time_out
from libs.query.request import page_request
from libs.rpc import current
from services.directory.application.people.messages import MarkMessagesSent
from services.directory.application.registration_ports import MessageLists
from services.directory.domain.people.registrations import Message
from services.directory.rpc.convert import BATCH, counted
from waybill.directory.v1 import message_service_pb2 as pb
from waybill.directory.v1 import message_service_pb2_grpc as pb_grpc


class MessageServicer(pb_grpc.MessageServiceServicer):
    """Messages that whoever runs the marketplace sends."""

    def __init__(self, lists: MessageLists, mark: MarkMessagesSent) -> None:
        self._lists = lists
        self._mark = mark

    async def ListMessages(self, request: pb.ListMessagesRequest, context: Any) -> pb.ListMessagesResponse:
        page = await self._lists.page(current().principal, page_request(request))
        return pb.ListMessagesResponse(
            messages=map(_message, page.items), next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def MarkMessagesSent(self, request: pb.MarkMessagesSentRequest, context: Any) -> pb.MarkMessagesSentResponse:
        found, ids = counted("message_ids", request.message_ids), list(dict.fromkeys(request.message_ids))
        for i, id in enumerate(request.message_ids[:BATCH]):
            found.check_id(f"message_ids[{i}]", id)
        found.raise_if_any()
        missing = await self._mark(ids, key_of(current().principal, current().method, request))
        return pb.MarkMessagesSentResponse(missing_message_ids=missing)


def _message(one: Message) -> pb.Message:
    return pb.Message(
        id=one.id,
        kind=pb.MessageKind.Value(f"MESSAGE_KIND_{one.kind}"),
        email=one.email,
        username=one.username,
        first_name=one.first_name,
        client_id=one.client_id,
        token=one.token,
        expire_time=time_out(one.expire_time) if one.token else None,
        create_time=time_out(one.create_time),
        sent_time=time_out(one.sent_time),
    )
