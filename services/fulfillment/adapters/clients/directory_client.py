"""The directory: addresses of locations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from libs.protoconv import address_plain
from libs.rpc.peers import Peers
from services.fulfillment.domain.sourcing.model import Address
from waybill.directory.v1 import ordering_context_service_pb2, ordering_context_service_pb2_grpc
from waybill.type.v1 import party_pb2


class DirectoryClient:
    """Calls the directory on behalf of this service."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("directory", ordering_context_service_pb2_grpc.OrderingContextServiceStub)

    async def find(self, refs: Iterable[tuple[str, str]], seller_id: str) -> Mapping[tuple[str, str], Address]:
        """Addresses by (supplier id, address id); the empty supplier id is the seller."""
        request = ordering_context_service_pb2.BatchGetPartyAddressesRequest(
            refs=[
                ordering_context_service_pb2.PartyAddressRef(party=_party(supplier_id, seller_id), address_id=address_id)
                for supplier_id, address_id in refs
            ]
        )
        answer = await self._stub.BatchGetPartyAddresses(request)
        return {
            (a.party.id if a.party.kind == party_pb2.PARTY_KIND_SUPPLIER else "", a.address.id): address_plain(a.address)
            for a in answer.addresses
        }


def _party(supplier_id: str, seller_id: str) -> party_pb2.Party:
    if supplier_id:
        return party_pb2.Party(kind=party_pb2.PARTY_KIND_SUPPLIER, id=supplier_id)
    return party_pb2.Party(kind=party_pb2.PARTY_KIND_SELLER, id=seller_id)
