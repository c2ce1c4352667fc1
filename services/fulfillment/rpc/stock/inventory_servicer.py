"""Serves waybill.fulfillment.v1.InventoryService: convert, call, convert."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.idempotency.key import key_of
from libs.query.request import page_request
from libs.rpc import current
from services.fulfillment.application.customers import customer_of
from services.fulfillment.application.sourcing.simulate_sourcing import SimulateSourcing
from services.fulfillment.application.stock.inventory_records import InventoryRecords
from services.fulfillment.application.stock.stock_book import StockBook
from services.fulfillment.rpc.requests import refuse_duplicates
from services.fulfillment.rpc.sourcing.reservation_requests import ranking_in
from services.fulfillment.rpc.sourcing.simulations import simulated_out, wanted_in
from services.fulfillment.rpc.stock.messages import alert_out, availability_out, movement_out, record_body, record_out
from services.fulfillment.rpc.stock.requests import adjustments_in, availability_in, customer_in, record_edit_in, record_in
from waybill.fulfillment.v1 import inventory_service_pb2 as pb
from waybill.fulfillment.v1 import inventory_service_pb2_grpc, reasons

MAX_RECORDS = 1_000


class InventoryServicer(inventory_service_pb2_grpc.InventoryServiceServicer):
    """Stock for its owners, and availability for everyone."""

    def __init__(self, records: InventoryRecords, book: StockBook, simulate: SimulateSourcing) -> None:
        self._records = records
        self._book = book
        self._simulate = simulate

    async def CreateInventoryRecord(
        self, request: pb.CreateInventoryRecordRequest, context: Any
    ) -> pb.CreateInventoryRecordResponse:
        """Creates one record."""
        call, found = current(), Violations()
        draft = record_in(found, "inventory_record", request.inventory_record, request.opening_quantity, "opening_quantity")
        found.raise_if_any()
        (record,) = await self._records.create(call.principal, [draft], key_of(call.principal, call.method, request))
        return pb.CreateInventoryRecordResponse(inventory_record=record_out(record))

    async def BatchCreateInventoryRecords(
        self, request: pb.BatchCreateInventoryRecordsRequest, context: Any
    ) -> pb.BatchCreateInventoryRecordsResponse:
        """Creates many: all or none."""
        call, found, items = current(), Violations(), request.inventory_records
        if not items:
            found.add("inventory_records", reasons.FIELD_REQUIRED, "at least one")
        if len(items) > MAX_RECORDS:
            found.add("inventory_records", reasons.TOO_MANY_ITEMS, f"at most {MAX_RECORDS:,}")
        fields = [f"inventory_records[{n}]" for n in range(min(len(items), MAX_RECORDS))]
        drafts = [
            record_in(found, f"{f}.inventory_record", m.inventory_record, m.opening_quantity, f"{f}.opening_quantity")
            for f, m in zip(fields, items, strict=False)
        ]
        refuse_duplicates(found, [(f"{d.field}.id", d.id) for d in drafts])
        found.raise_if_any()
        records = await self._records.create(call.principal, drafts, key_of(call.principal, call.method, request))
        return pb.BatchCreateInventoryRecordsResponse(inventory_records=[record_out(r) for r in records])

    async def GetInventoryRecord(self, request: pb.GetInventoryRecordRequest, context: Any) -> pb.GetInventoryRecordResponse:
        """Reads one."""
        record = await self._records.get(current().principal, request.inventory_record_id)
        return pb.GetInventoryRecordResponse(inventory_record=record_out(record))

    async def ListInventoryRecords(
        self, request: pb.ListInventoryRecordsRequest, context: Any
    ) -> pb.ListInventoryRecordsResponse:
        """Lists them."""
        page = await self._records.page(current().principal, page_request(request))
        return pb.ListInventoryRecordsResponse(
            inventory_records=[record_out(r) for r in page.items],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )

    async def UpdateInventoryRecord(
        self, request: pb.UpdateInventoryRecordRequest, context: Any
    ) -> pb.UpdateInventoryRecordResponse:
        """Changes one."""
        call, found = current(), Violations()
        edit = record_edit_in(found, request)
        found.raise_if_any()
        record = await self._records.update(
            call.principal,
            request.inventory_record.id,
            request.inventory_record.etag,
            edit,
            key_of(call.principal, call.method, request),
        )
        return pb.UpdateInventoryRecordResponse(inventory_record=record_out(record))

    async def DeleteInventoryRecord(
        self, request: pb.DeleteInventoryRecordRequest, context: Any
    ) -> pb.DeleteInventoryRecordResponse:
        """Deletes one."""
        call = current()
        key = key_of(call.principal, call.method, request)
        await self._records.delete(call.principal, request.inventory_record_id, request.etag, record_body, key)
        return pb.DeleteInventoryRecordResponse()

    async def AdjustStock(self, request: pb.AdjustStockRequest, context: Any) -> pb.AdjustStockResponse:
        """Books receipts and counts."""
        call, found = current(), Violations()
        adjustments = adjustments_in(found, request.adjustments)
        found.raise_if_any()
        records = await self._book.adjust(call.principal, adjustments, key_of(call.principal, call.method, request))
        return pb.AdjustStockResponse(inventory_records=[record_out(r) for r in records])

    async def SimulateSourcing(self, request: pb.SimulateSourcingRequest, context: Any) -> pb.SimulateSourcingResponse:
        """Where units would come from, and why."""
        found = Violations()
        wanted, ranking = wanted_in(found, request.lines), ranking_in(found, request.strategy, request.stages)
        for name in ("buyer_id", "user_id"):
            found.check_id(name, getattr(request, name), required=False)
        found.raise_if_any()
        customer = customer_of(None, request.buyer_id, request.user_id)
        return simulated_out(len(wanted), await self._simulate(customer, ranking, wanted))

    async def CheckAvailability(self, request: pb.CheckAvailabilityRequest, context: Any) -> pb.CheckAvailabilityResponse:
        """What can be had now."""
        found = Violations()
        asked, caller = availability_in(found, request), current().principal
        customer = customer_in(found, request, caller)
        found.raise_if_any()
        answers = await self._book.availability(caller, asked, customer)
        shown = [availability_out(each, answers[each], request.totals_only) for each in asked]
        return pb.CheckAvailabilityResponse(products=shown)

    async def ListStockMovements(self, request: pb.ListStockMovementsRequest, context: Any) -> pb.ListStockMovementsResponse:
        """Lists the ledger."""
        page = await self._book.movements(current().principal, page_request(request))
        return pb.ListStockMovementsResponse(
            stock_movements=[movement_out(m) for m in page.items],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )

    async def ListStockAlerts(self, request: pb.ListStockAlertsRequest, context: Any) -> pb.ListStockAlertsResponse:
        """Lists thresholds that were crossed."""
        page = await self._book.alerts(current().principal, page_request(request))
        return pb.ListStockAlertsResponse(
            stock_alerts=[alert_out(a) for a in page.items], next_page_token=page.next_page_token, total_size=page.total_size
        )
