"""AddressService."""

from __future__ import annotations

from typing import Any

from libs import protoconv
from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey, key_of
from libs.ids import IdSource
from libs.query.request import page_request
from libs.rpc import current
from services.directory.application.address_book.address_assignments import AddressAssignments
from services.directory.application.address_book.addresses import Addresses, Change
from services.directory.application.reads import AddressLists
from services.directory.rpc.convert import BATCH, assignment_in, assignment_out, book_in, counted, entry_in, entry_out, id_in
from waybill.directory.v1 import address_service_pb2 as pb
from waybill.directory.v1 import address_service_pb2_grpc as pb_grpc
from waybill.directory.v1 import reasons


def _key(request: Any) -> RequestKey | None:
    return key_of(current().principal, current().method, request)


class AddressServicer(pb_grpc.AddressServiceServicer):
    """Address books."""

    def __init__(
        self, addresses: Addresses, assignments: AddressAssignments, books: AddressLists, clock: Clock, ids: IdSource
    ) -> None:
        self._addresses = addresses
        self._assignments = assignments
        self._books = books
        self._clock = clock
        self._ids = ids

    async def CreateAddresses(self, request: pb.CreateAddressesRequest, context: Any) -> pb.CreateAddressesResponse:
        caller, now = current().principal, self._clock.now()
        found = counted("entries", request.entries)
        entries = [
            entry_in(found, f"entries[{i}]", caller, entry, self._ids, now) for i, entry in enumerate(request.entries[:BATCH])
        ]
        stored = await self._addresses.create(caller, found, entries, _key(request))
        return pb.CreateAddressesResponse(entries=[entry_out(entry) for entry in stored])

    async def BatchGetAddresses(self, request: pb.BatchGetAddressesRequest, context: Any) -> pb.BatchGetAddressesResponse:
        found, caller, ids = Violations(), current().principal, list(dict.fromkeys(request.address_ids))
        book = book_in(found, "party", caller, request.party)
        found.require("address_ids", len(ids) <= BATCH, reasons.TOO_MANY_ITEMS, f"at most {BATCH:,}")
        for i, id in enumerate(ids[:BATCH]):
            found.check_id(f"address_ids[{i}]", id)
        found.raise_if_any()
        entries = await self._books.batch(caller, book, ids, BATCH)
        got = {entry.id for entry in entries}
        return pb.BatchGetAddressesResponse(
            entries=[entry_out(entry) for entry in entries], missing_address_ids=[id for id in ids if id not in got]
        )

    async def ListAddresses(self, request: pb.ListAddressesRequest, context: Any) -> pb.ListAddressesResponse:
        page = await self._books.page(current().principal, self._book(request), page_request(request))
        return pb.ListAddressesResponse(
            entries=[entry_out(entry) for entry in page.items], next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateAddress(self, request: pb.UpdateAddressRequest, context: Any) -> pb.UpdateAddressResponse:
        found, caller, entry = Violations(), current().principal, request.entry
        book = book_in(found, "entry.party", caller, entry.party)
        found.check_id("entry.address.id", entry.address.id)
        paths = protoconv.mask_paths(found, request.update_mask, entry, ("address", "xp"))
        if not request.update_mask.paths and not protoconv.address_plain(entry.address).keys() - {"id"}:
            # The id alone names the entry; it is not meant as an empty address.
            paths = [path for path in paths if path != "address"]
        address = protoconv.address_in(found, "entry.address", entry.address) if "address" in paths else None
        xp = protoconv.xp_in(found, "entry.xp", entry.xp) if "xp" in paths else None
        found.raise_if_any()
        change = Change(book, entry.address.id, entry.etag, address, xp)
        stored = await self._addresses.update(caller, change, _key(request))
        return pb.UpdateAddressResponse(entry=entry_out(stored))

    async def DeleteAddress(self, request: pb.DeleteAddressRequest, context: Any) -> pb.DeleteAddressResponse:
        book, id = self._book(request), id_in("address_id", request.address_id)
        await self._addresses.delete(current().principal, book, id, request.etag, _key(request))
        return pb.DeleteAddressResponse()

    async def AssignAddresses(self, request: pb.AssignAddressesRequest, context: Any) -> pb.AssignAddressesResponse:
        caller, found = current().principal, counted("assignments", request.assignments)
        items = [assignment_in(found, f"assignments[{i}]", caller, item) for i, item in enumerate(request.assignments[:BATCH])]
        await self._assignments.assign(caller, found, items, _key(request))
        return pb.AssignAddressesResponse()

    async def UnassignAddresses(self, request: pb.UnassignAddressesRequest, context: Any) -> pb.UnassignAddressesResponse:
        caller, found = current().principal, counted("assignments", request.assignments)
        items = [assignment_in(found, f"assignments[{i}]", caller, item) for i, item in enumerate(request.assignments[:BATCH])]
        await self._assignments.unassign(caller, found, items, _key(request))
        return pb.UnassignAddressesResponse()

    async def ListAddressAssignments(
        self, request: pb.ListAddressAssignmentsRequest, context: Any
    ) -> pb.ListAddressAssignmentsResponse:
        page = await self._books.assignments(current().principal, self._book(request), page_request(request))
        return pb.ListAddressAssignmentsResponse(
            assignments=[assignment_out(party, item) for party, item in page.items],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )

    def _book(self, request: Any) -> str:
        found = Violations()
        book = book_in(found, "party", current().principal, request.party)
        found.raise_if_any()
        return book
