"""The directory, as the order service asks it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from libs.ids import valid_id
from libs.protoconv import address_plain, instant
from libs.rpc.peers import Peers
from services.order.application.peers import OrderingContext
from services.order.domain.building.cost_centers import CostCenters
from services.order.domain.exemptions import TaxExemption
from services.order.domain.model import Address, OrderUser
from services.order.domain.policy import AutoForward, Capture, Policy
from waybill.directory.v1 import membership_service_pb2 as memberships_pb
from waybill.directory.v1 import membership_service_pb2_grpc as memberships_grpc
from waybill.directory.v1 import ordering_context_service_pb2 as pb
from waybill.directory.v1 import ordering_context_service_pb2_grpc as pb_grpc
from waybill.type.v1 import party_pb2
from waybill.type.v1.tax_exemption_pb2 import TaxExemption as TaxExemptionMessage

_FORWARDS = {pb.AUTO_FORWARD_ALL: AutoForward.ALL, pb.AUTO_FORWARD_BY_PRODUCT: AutoForward.BY_PRODUCT}
_NEED_NOT_COVER = (pb.PAYMENT_COVERAGE_NONE, pb.PAYMENT_COVERAGE_ANY)
_MAY_EXCEED = (pb.PAYMENT_COVERAGE_AT_LEAST, pb.PAYMENT_COVERAGE_ANY)


class DirectoryClient:
    """GetOrderingContext, BatchGetPartyAddresses, BatchGetGroupParties and ListUserGroupIds."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("directory", pb_grpc.OrderingContextServiceStub)
        self._memberships: Any = peers.stub("directory", memberships_grpc.MembershipServiceStub)

    async def ordering_context(
        self,
        buyer_id: str,
        user_id: str,
        client_id: str,
        address_ids: Collection[str],
        guest: bool = False,
        admitting: str = "",
        cost_centers: Collection[str] = (),
    ) -> OrderingContext:
        """Who orders, how the channel wants it, and where to."""
        asked = pb.GetOrderingContextRequest(
            buyer_id=buyer_id,
            user_id=user_id,
            client_id=client_id,
            address_ids=sorted(address_ids),
            guest=guest,
            admitting_client_id=admitting,
            cost_center_ids=sorted({id for id in cost_centers if valid_id(id)}),
        )
        answer: pb.GetOrderingContextResponse = await self._stub.GetOrderingContext(asked)
        user = answer.user if answer.HasField("user") else None
        shipping = answer.default_shipping_address if answer.HasField("default_shipping_address") else None
        billing = answer.default_billing_address if answer.HasField("default_billing_address") else None
        return OrderingContext(
            seller_id=answer.seller_id,
            buyer_exists=answer.HasField("buyer"),
            buyer_active=answer.buyer.active,
            currency=answer.buyer.currency,
            restrict_addresses=answer.buyer.restrict_addresses,
            user=None if user is None else OrderUser(user.id, user.first_name, user.last_name, user.email),
            user_active=user is not None and user.active,
            channel_active=answer.channel_active,
            admitted=answer.buyer_admitted,
            channel_admits=not answer.channel_closed_to_buyer,
            policy=Policy(
                _FORWARDS.get(answer.policy.auto_forward, AutoForward.NONE),
                answer.policy.payment_coverage not in _NEED_NOT_COVER,
                answer.policy.require_ship_methods,
                answer.policy.sourcing_strategy,
                answer.policy.estimate_valid.seconds,
                tuple(answer.policy.payment_types),
                answer.policy.accept_within.seconds,
                Capture.ON_SHIPMENT if answer.policy.capture == pb.PAYMENT_CAPTURE_ON_SHIPMENT else Capture.MANUAL,
                answer.policy.payment_coverage in _MAY_EXCEED,
                tuple(answer.policy.sourcing_stages),
            ),
            default_shipping_address=None if shipping is None else address_plain(shipping),
            default_billing_address=None if billing is None else address_plain(billing),
            shipping_addresses={u.address.id: address_plain(u.address) for u in answer.addresses if u.shipping},
            billing_addresses={u.address.id: address_plain(u.address) for u in answer.addresses if u.billing},
            tax_exemptions=tuple(_exemption(m) for m in answer.buyer.tax_exemptions),
            allowed_origins=tuple(answer.allowed_origins),
            cost_centers=CostCenters(answer.has_cost_centers, frozenset(answer.cost_center_ids)),
        )

    async def buyers_of_groups(self, ids: Collection[str]) -> dict[str, str]:
        """Of these groups of users, at most 1,000, those that are of buyers, each with its buyer."""
        asked = memberships_pb.BatchGetGroupPartiesRequest(user_group_ids=sorted(ids))
        answer: memberships_pb.BatchGetGroupPartiesResponse = await self._memberships.BatchGetGroupParties(asked)
        return {g.user_group_id: g.party.id for g in answer.groups if g.party.kind == party_pb2.PARTY_KIND_BUYER}

    async def group_ids(self, user_id: str) -> Collection[str]:
        """The groups that the user is in now."""
        asked = memberships_pb.ListUserGroupIdsRequest(user_id=user_id)
        answer: memberships_pb.ListUserGroupIdsResponse = await self._memberships.ListUserGroupIds(asked)
        return frozenset(answer.user_group_ids)

    async def locations(self, seller_id: str, refs: Collection[tuple[str, str]]) -> dict[tuple[str, str], Address]:
        """Addresses by (supplier id, address id), as far as they exist; the empty supplier id is the seller."""
        answer: pb.BatchGetPartyAddressesResponse = await self._stub.BatchGetPartyAddresses(
            pb.BatchGetPartyAddressesRequest(
                refs=[pb.PartyAddressRef(party=_party(supplier, seller_id), address_id=id) for supplier, id in sorted(refs)]
            )
        )
        return {
            (a.party.id if a.party.kind == party_pb2.PARTY_KIND_SUPPLIER else "", a.address.id): address_plain(a.address)
            for a in answer.addresses
        }


def _exemption(m: TaxExemptionMessage) -> TaxExemption:
    start, end = (instant(getattr(m, name)) if m.HasField(name) else None for name in ("start_time", "end_time"))
    return TaxExemption(m.country, m.tax_class, m.certificate_id, start, end)


def _party(supplier_id: str, seller_id: str) -> party_pb2.Party:
    if supplier_id:
        return party_pb2.Party(kind=party_pb2.PARTY_KIND_SUPPLIER, id=supplier_id)
    return party_pb2.Party(kind=party_pb2.PARTY_KIND_SELLER, id=seller_id)
