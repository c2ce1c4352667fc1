"""RevocationService."""

from __future__ import annotations

from typing import Any

from services.directory.application.tokens.ports import RevocationLists
from waybill.directory.v1 import revocation_service_pb2 as pb
from waybill.directory.v1 import revocation_service_pb2_grpc as pb_grpc


class RevocationServicer(pb_grpc.RevocationServiceServicer):
    """What was taken away from users, clients and companies, for those who verify their tokens."""

    def __init__(self, revocations: RevocationLists) -> None:
        self._revocations = revocations

    async def ListRevocations(self, request: pb.ListRevocationsRequest, context: Any) -> pb.ListRevocationsResponse:
        page = await self._revocations.after(request.after)
        answer = pb.ListRevocationsResponse(position=page.position, more=page.more, restart=page.restart)
        for each in page.revocations:
            kind, id = each.subject
            shown = answer.revocations.add(kind=kind, id=id, generation=each.generation)
            shown.time.FromMicroseconds(round(each.time * 1e6))
        return answer
