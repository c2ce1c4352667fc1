"""Fulfillment, as the catalog asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libs.protoconv import instant
from libs.rpc.peers import Peers
from services.catalog.domain.catalogs.visibility import Customer
from services.catalog.domain.shop.shop import Availability
from waybill.fulfillment.v1 import inventory_service_pb2 as pb
from waybill.fulfillment.v1 import inventory_service_pb2_grpc as pb_grpc


class FulfillmentStock:
    """CheckAvailability."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("fulfillment", pb_grpc.InventoryServiceStub)

    async def of(self, customer: Customer, product_ids: Sequence[str]) -> Mapping[str, Availability]:
        """What the customer can have of each."""
        answer: pb.CheckAvailabilityResponse = await self._stub.CheckAvailability(
            pb.CheckAvailabilityRequest(
                product_ids=product_ids, totals_only=True, buyer_id=customer.buyer_id, user_id=customer.user_id
            )
        )
        return {found.product_id: _availability(found) for found in answer.products}


def _availability(found: pb.ProductAvailability) -> Availability:
    return Availability(
        found.available,
        found.can_exceed,
        found.backorderable if found.HasField("backorderable") else None,
        instant(found.expected_time) if found.HasField("expected_time") else None,
    )
