"""OrderingContextService: for services only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format

from libs.clock import Clock
from libs.errors import Violations
from libs.protoconv import time_out
from services.directory.application.reads import Contexts
from services.directory.contract.parties import party_message, party_text
from services.directory.domain.channels.policy import ESTIMATE_VALID
from waybill.directory.v1 import ordering_context_service_pb2 as pb
from waybill.directory.v1 import ordering_context_service_pb2_grpc as pb_grpc
from waybill.directory.v1 import reasons
from waybill.type.v1.address_pb2 import Address

MAX_ADDRESSES = 10_000
"""Enough for an order whose 5,000 lines all go elsewhere, with its own two."""
MAX_COST_CENTERS = 5_000
"""As many as an order has lines."""


def _policy(stored: Mapping[str, Any] | None) -> pb.OrderingPolicy:
    policy = pb.OrderingPolicy()
    json_format.ParseDict(dict(stored or {}), policy)
    if not policy.auto_forward:
        policy.auto_forward = pb.AUTO_FORWARD_NONE
    if not policy.payment_coverage:
        policy.payment_coverage = pb.PAYMENT_COVERAGE_TOTAL
    if not policy.capture:
        policy.capture = pb.PAYMENT_CAPTURE_MANUAL
    if not policy.HasField("estimate_valid"):
        policy.estimate_valid.seconds = ESTIMATE_VALID
    return policy


class OrderingContextServicer(pb_grpc.OrderingContextServiceServicer):
    """What an order's header is made of."""

    def __init__(self, contexts: Contexts, clock: Clock) -> None:
        self._contexts = contexts
        self._clock = clock

    async def GetOrderingContext(self, request: pb.GetOrderingContextRequest, context: Any) -> pb.GetOrderingContextResponse:
        wrong = Violations()
        for field in ("buyer_id", "user_id", "client_id", "admitting_client_id"):
            wrong.check_id(field, getattr(request, field), required=field == "buyer_id")
        asked = request.address_ids
        wrong.require("address_ids", len(asked) <= MAX_ADDRESSES, reasons.TOO_MANY_ITEMS, f"at most {MAX_ADDRESSES:,}")
        few = len(request.cost_center_ids) <= MAX_COST_CENTERS
        wrong.require("cost_center_ids", few, reasons.TOO_MANY_ITEMS, f"at most {MAX_COST_CENTERS:,}")
        wrong.raise_if_any()
        found = await self._contexts.ordering(
            request.buyer_id,
            request.user_id,
            request.client_id,
            asked,
            request.guest,
            request.admitting_client_id,
            request.cost_center_ids,
        )
        answer = pb.GetOrderingContextResponse(
            seller_id=found.seller_id,
            policy=_policy(found.policy),
            channel_active=found.channel_active,
            buyer_admitted=found.buyer_admitted,
            channel_closed_to_buyer=not found.channel_admits,
            addresses=[
                pb.UsableAddress(address=Address(**u.address), shipping=u.shipping, billing=u.billing) for u in found.addresses
            ],
            missing_address_ids=found.missing,
            read_time=time_out(self._clock.now()),
            allowed_origins=found.allowed_origins,
            has_cost_centers=found.has_cost_centers,
            cost_center_ids=found.cost_centers,
        )
        if found.buyer is not None:
            b = found.buyer
            answer.buyer.CopyFrom(
                pb.OrderingBuyer(
                    id=b.id, name=b.name, active=b.active, currency=b.currency, restrict_addresses=b.restrict_addresses
                )
            )
            for stored in b.tax_exemptions or ():
                json_format.ParseDict(dict(stored), answer.buyer.tax_exemptions.add())
        if found.user is not None:
            u = found.user
            answer.user.CopyFrom(
                pb.OrderingUser(
                    id=u.id, username=u.username, first_name=u.first_name, last_name=u.last_name, email=u.email, active=u.active
                )
            )
        if found.shipping is not None:
            answer.default_shipping_address.CopyFrom(Address(**found.shipping))
        if found.billing is not None:
            answer.default_billing_address.CopyFrom(Address(**found.billing))
        return answer

    async def BatchGetPartyAddresses(
        self, request: pb.BatchGetPartyAddressesRequest, context: Any
    ) -> pb.BatchGetPartyAddressesResponse:
        wrong = Violations()
        wrong.require("refs", len(request.refs) <= MAX_ADDRESSES, reasons.TOO_MANY_ITEMS, f"at most {MAX_ADDRESSES:,}")
        wrong.raise_if_any()
        refs = {(party_text(ref.party), ref.address_id) for ref in request.refs}
        found = await self._contexts.addresses(refs)
        return pb.BatchGetPartyAddressesResponse(
            addresses=[pb.PartyAddress(party=party_message(p), address=Address(**a)) for p, a in found]
        )
