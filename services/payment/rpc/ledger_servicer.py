"""LedgerService."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.db import Database
from libs.errors import denied
from libs.protoconv import money_out, time_out
from libs.query import Field, Listing
from libs.rpc import current
from services import roles
from services.payment.adapters.db.tables import LEDGER
from waybill.payment.v1 import ledger_service_pb2 as pb
from waybill.payment.v1 import ledger_service_pb2_grpc as pb_grpc

C = LEDGER.c
LISTING = Listing(
    {
        "account": Field(C.account),
        "order_id": Field(C.order_id),
        "payment_id": Field(C.payment_id),
        "transaction_id": Field(C.transaction_id),
        "entry_time": Field(C.entry_time, "time"),
        "number": Field(C.number, "int"),
    },
    C.number,
    default_order="number",
)


class LedgerServicer(pb_grpc.LedgerServiceServicer):
    """Reads the ledger."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def ListLedgerEntries(self, request: pb.ListLedgerEntriesRequest, context: Any) -> pb.ListLedgerEntriesResponse:
        caller = current().principal
        caller.require(roles.PAYMENT_ADMIN, roles.SPENDING_ACCOUNT_ADMIN)
        if not caller.is_seller:
            raise denied(roles.PAYMENT_ADMIN)
        plan = LISTING.plan(self._db.dialect, filter=request.filter, page_size=request.page_size, page_token=request.page_token)
        async with self._db.reading() as tx:
            rows = (await tx.execute(plan.apply(sa.select(LEDGER)))).all()
        page = plan.page(rows)
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
                )
                for r in page.rows
            ],
            next_page_token=page.next_page_token,
        )
