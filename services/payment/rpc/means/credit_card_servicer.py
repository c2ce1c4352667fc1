"""CreditCardService."""

from __future__ import annotations

from typing import Any

from libs.auth import PartyKind
from libs.errors import Violations, missing
from libs.idempotency.key import RequestKey, key_of
from libs.query.request import page_request
from libs.resource.contract import Methods
from libs.rpc import current
from libs.rpc.call import calling_as
from services import roles
from services.payment.application.means.card_assignments import CardAssignments
from services.payment.application.means.payer_groups import PayerGroups
from services.payment.application.ports import AssignmentLists, PaymentWork
from services.payment.domain.means import cards
from services.payment.domain.means.assignments import Key
from waybill.payment.v1 import credit_card_service_pb2 as pb
from waybill.payment.v1 import credit_card_service_pb2_grpc as pb_grpc
from waybill.payment.v1 import reasons


class CreditCardServicer(pb_grpc.CreditCardServiceServicer):
    """Cards on file: tokens and what people recognize them by."""

    def __init__(
        self, standard: Methods[PaymentWork], cards: CardAssignments, groups: PayerGroups, lists: AssignmentLists
    ) -> None:
        self._standard = standard
        self._lists = lists
        self._assigning = cards
        self._groups = groups

    async def CreateCreditCard(self, request: pb.CreateCreditCardRequest, context: Any) -> pb.CreateCreditCardResponse:
        caller = current().principal
        card = pb.CreditCard()
        card.CopyFrom(request.credit_card)
        card.order_id = caller.order_id
        found = Violations()
        number = cards.is_number(card.id)
        found.require("credit_card.id", not number, reasons.CARD_NUMBER_REFUSED, "is a card number, which is never stored")
        if caller.party_kind is PartyKind.BUYER:
            if card.buyer_id not in ("", caller.party_id):
                raise missing("buyer", card.buyer_id)
            card.buyer_id = caller.party_id
            if not caller.has(roles.CREDIT_CARD_ADMIN):
                if card.user_id not in ("", caller.user_id):
                    raise missing("user", card.user_id)
                card.user_id = caller.user_id
        else:
            found.require("credit_card.buyer_id", bool(card.buyer_id), reasons.FIELD_REQUIRED, "is required")
        (made,) = await self._standard.create(request, [card], "credit_card", before=found)
        return pb.CreateCreditCardResponse(credit_card=made)

    async def GetCreditCard(self, request: pb.GetCreditCardRequest, context: Any) -> pb.GetCreditCardResponse:
        with calling_as(await self._groups.knowing(current().principal)):
            found = await self._standard.get(request.credit_card_id)
        return pb.GetCreditCardResponse(credit_card=found)

    async def ListCreditCards(self, request: pb.ListCreditCardsRequest, context: Any) -> pb.ListCreditCardsResponse:
        with calling_as(await self._groups.knowing(current().principal)):
            page = await self._standard.list(request)
        return pb.ListCreditCardsResponse(
            credit_cards=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateCreditCard(self, request: pb.UpdateCreditCardRequest, context: Any) -> pb.UpdateCreditCardResponse:
        card = pb.CreditCard()
        card.CopyFrom(request.credit_card)
        # Whose order a card is for is settled when it is made, and nothing that callers say.
        card.ClearField("order_id")
        made = await self._standard.update(request, card, "credit_card")
        return pb.UpdateCreditCardResponse(credit_card=made)

    async def DeleteCreditCard(self, request: pb.DeleteCreditCardRequest, context: Any) -> pb.DeleteCreditCardResponse:
        await self._standard.delete(request, request.credit_card_id)
        return pb.DeleteCreditCardResponse()

    async def AssignCreditCards(self, request: pb.AssignCreditCardsRequest, context: Any) -> pb.AssignCreditCardsResponse:
        keys = [_assignment(item) for item in request.assignments]
        await self._assigning.assign(current().principal, keys, _key(request))
        return pb.AssignCreditCardsResponse()

    async def UnassignCreditCards(self, request: pb.UnassignCreditCardsRequest, context: Any) -> pb.UnassignCreditCardsResponse:
        keys = [_assignment(item) for item in request.assignments]
        await self._assigning.unassign(current().principal, keys, _key(request))
        return pb.UnassignCreditCardsResponse()

    async def ListCreditCardAssignments(
        self, request: pb.ListCreditCardAssignmentsRequest, context: Any
    ) -> pb.ListCreditCardAssignmentsResponse:
        page = await self._lists.cards(current().principal, page_request(request))
        return pb.ListCreditCardAssignmentsResponse(
            assignments=[
                pb.CreditCardAssignment(credit_card_id=id, user_id=user, user_group_id=group) for id, user, group in page.items
            ],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )


def _key(request: Any) -> RequestKey | None:
    return key_of(current().principal, current().method, request)


def _assignment(item: pb.CreditCardAssignment) -> Key:
    return item.credit_card_id, item.user_id, item.user_group_id
