"""CreditCardService."""

from __future__ import annotations

from typing import Any

from libs.auth import PartyKind
from libs.errors import Violations, missing
from libs.resource.contract import Methods
from libs.rpc import current
from services import roles
from services.payment.application.ports import PaymentWork
from services.payment.domain import cards
from waybill.payment.v1 import credit_card_service_pb2 as pb
from waybill.payment.v1 import credit_card_service_pb2_grpc as pb_grpc
from waybill.payment.v1 import reasons


class CreditCardServicer(pb_grpc.CreditCardServiceServicer):
    """Cards on file: tokens and what people recognize them by."""

    def __init__(self, standard: Methods[PaymentWork]) -> None:
        self._standard = standard

    async def CreateCreditCard(self, request: pb.CreateCreditCardRequest, context: Any) -> pb.CreateCreditCardResponse:
        caller = current().principal
        card = pb.CreditCard()
        card.CopyFrom(request.credit_card)
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
        return pb.GetCreditCardResponse(credit_card=await self._standard.get(request.credit_card_id))

    async def ListCreditCards(self, request: pb.ListCreditCardsRequest, context: Any) -> pb.ListCreditCardsResponse:
        page = await self._standard.list(request)
        return pb.ListCreditCardsResponse(
            credit_cards=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def DeleteCreditCard(self, request: pb.DeleteCreditCardRequest, context: Any) -> pb.DeleteCreditCardResponse:
        await self._standard.delete(request, request.credit_card_id)
        return pb.DeleteCreditCardResponse()
