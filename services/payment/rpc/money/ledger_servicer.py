"""LedgerService."""

from __future__ import annotations

from typing import Any

from libs.protoconv import money_out, time_out
from libs.query.request import page_request
from services.payment.application.ports import LedgerEntries
from waybill.payment.v1 import ledger_service_pb2 as pb
from waybill.payment.v1 import ledger_service_pb2_grpc as pb_grpc


class LedgerServicer(pb_grpc.LedgerServiceServicer):
    """Reads the ledger."""

    def __init__(self, entries: LedgerEntries) -> None:
        self._entries = entries

    async def ListLedgerEntries(self, request: pb.ListLedgerEntriesRequest, context: Any) -> pb.ListLedgerEntriesResponse:
        page = await self._entries.page(page_request(request))
        return pb.ListLedgerEntriesResponse(
            entries=[
                pb.LedgerEntry(
                    number=r.number,
                    transaction_id=r.transaction_id,
                    account=r.account,
                    amount=money_out(r.amount, r.currency),
                    order_id=r.order_id,
                    payment_id=r.payment_id,
                    description=r.description,
                    entry_time=time_out(r.entry_time),
                    user_id=r.user_id,
                    request_id=r.request_id,
                )
                for r in page.items
            ],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )
