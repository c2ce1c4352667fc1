"""A guest wants what is not its own: another guest's order, what the shared user keeps, somebody's order by a transfer."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass

from libs.auth import PartyKind
from tests.access.callers import Metadata
from tests.access.cells import guests
from tests.attacks.tally import Tally
from tests.attacks.target import EVERYTHING, Target, bare, carrying, claims_of, part
from tests.support.contracts import services
from tests.support.guests import WEB
from tests.support.marketplace import OUTGOING, lines
from waybill.directory.v1 import token_service_pb2, token_service_pb2_grpc
from waybill.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from waybill.payment.v1 import credit_card_service_pb2, credit_card_service_pb2_grpc
from waybill.type.v1.address_pb2 import Address
from waybill_client import WaybillError
from waybill_client.errors import from_rpc_error

METHODS = {f"/{m.containing_service.full_name}/{m.name}": m for s in services() for m in s.methods}
HOME = Address(lines=["1 Home St"], city="Reno", region="NV", postal_code="89501", country="US")


async def visitor(target: Target) -> tuple[str, Metadata]:
    """Another guest: the id of its order, and its token."""
    await target.callers.guest()
    request = token_service_pb2.IssueTokenRequest(client_id=WEB, guest=token_service_pb2.GuestGrant())
    issued = await token_service_pb2_grpc.TokenServiceStub(target.callers.outside).IssueToken(request)
    return issued.order_id, carrying(issued.access_token)


async def reason(call: Any) -> str:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error).reason
    return "OK"


async def begun(target: Target, metadata: Metadata) -> order_pb2.Order:
    orders = order_service_pb2_grpc.OrderServiceStub(target.callers.outside)
    request = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(shipping_address=HOME), line_items=lines(tongs=1))
    return (await orders.CreateOrder(request, metadata=metadata)).order


async def test_another_guests_order_is_answered_like_one_that_nobody_has(target_market: Target, tally: Tally) -> None:
    _, gwen = await visitor(target_market)
    order = await begun(target_market, gwen)
    _, other = await visitor(target_market)
    tried = 0
    for path in sorted(guests()):
        method = METHODS[path]
        for field in ("order_id", "order.id", "order_ids"):
            root = field.split(".")[0]
            if method.server_streaming or root not in method.input_type.fields_by_name:
                continue
            heard = []
            for id in (order.id, "cart_nobody"):
                request: Any = GetMessageClass(method.input_type)()
                if field == "order_ids":
                    request.order_ids.append(id)
                elif field == "order.id":
                    request.order.id = id
                else:
                    request.order_id = id
                if "direction" in method.input_type.fields_by_name:
                    request.direction = OUTGOING
                out = GetMessageClass(method.output_type).FromString
                call = target_market.callers.outside.unary_unary(
                    path, request_serializer=type(request).SerializeToString, response_deserializer=out
                )
                heard.append(await reason(call(request, metadata=other)))
                tried += 1
            assert heard[0] == heard[1], f"{path} by {field}"
    orders = order_service_pb2_grpc.OrderServiceStub(target_market.callers.outside)
    for stream in (order_service_pb2.WatchOrdersRequest(direction=OUTGOING, order_ids=[order.id], from_start=True),):
        call = orders.WatchOrders(stream, metadata=other, timeout=1.0)
        seen = [message async for message in _until_the_end(call)]
        assert not [message for message in seen if message.HasField("event")]
        tried += 1
    read = order_service_pb2.GetOrderRequest(order_id=order.id, direction=OUTGOING)
    assert (await orders.GetOrder(read, metadata=gwen)).order.id == order.id
    tally.count("orders of other guests", tried)


async def test_of_many_who_show_one_token_at_once_one_has_the_order_and_the_guest_nothing(
    target_market: Target, tally: Tally
) -> None:
    _, gwen = await visitor(target_market)
    order = await begun(target_market, gwen)
    people, outside = target_market.callers.market.people, target_market.callers.outside
    request = order_service_pb2.TransferOrderRequest(anonymous_token=bare(gwen))
    shown = [client.orders.TransferOrder(request) for client in (people.ada, people.bob) * 4]
    said = await asyncio.gather(*shown, return_exceptions=True)
    had = [each for each in said if not isinstance(each, BaseException)]
    assert len(had) == 1, said
    assert {each.reason for each in said if isinstance(each, WaybillError)} <= {"RESOURCE_NOT_FOUND", "STALE_VERSION"}, said
    owner = had[0].order.from_user.id
    tried = await _refused_everywhere(target_market, gwen, order.id)
    # Nor is a new one made under the id of the old.
    orders = order_service_pb2_grpc.OrderServiceStub(outside)
    again = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(shipping_address=HOME), line_items=lines(tongs=1))
    assert await reason(orders.CreateOrder(again, metadata=gwen)) == "RESOURCE_EXISTS"
    keeper = people.ada if owner == "ada" else people.bob
    kept = await keeper.orders.GetOrder(order_service_pb2.GetOrderRequest(order_id=order.id, direction=OUTGOING))
    assert (kept.order.from_user.id, kept.order.guest, kept.order.line_item_count) == (owner, False, 1)
    tally.count("transfers of one order at the same time, and its guest's token after it", len(shown) + tried + 1)


async def _refused_everywhere(target: Target, metadata: Metadata, order_id: str) -> int:
    """Whoever names an order at every method for guests that takes one hears of nothing; how many these are."""
    tried = 0
    for path in sorted(guests()):
        method = METHODS[path]
        fields = {*method.input_type.fields_by_name}
        if method.server_streaming or not {"order_id", "order"} & fields or method.name in ("CreateOrder", "PlaceOrder"):
            continue
        asked: Any = GetMessageClass(method.input_type)()
        if "order_id" in fields:
            asked.order_id = order_id
        else:
            asked.order.id = order_id
        if "direction" in fields:
            asked.direction = OUTGOING
        answer, given = await target.callers.call(method, asked, metadata)
        assert answer[0] != "OK" or (given is not None and not given.ListFields()), path
        tried += 1
    return tried


async def test_the_request_id_of_another_guest_replays_nothing_of_it(target_market: Target, tally: Tally) -> None:
    orders = order_service_pb2_grpc.OrderServiceStub(target_market.callers.outside)
    cards = credit_card_service_pb2_grpc.CreditCardServiceStub(target_market.callers.outside)
    made, noted = [], []
    for _ in range(2):
        _, guest = await visitor(target_market)
        order = order_service_pb2.CreateOrderRequest(
            order=order_pb2.Order(shipping_address=HOME), line_items=lines(tongs=1), request_id="same"
        )
        made.append((await orders.CreateOrder(order, metadata=guest)).order.id)
        card = credit_card_service_pb2.CreditCard(token="tok_approve", partial_number="4242")
        request = credit_card_service_pb2.CreateCreditCardRequest(credit_card=card, request_id="same-card")
        noted.append((await cards.CreateCreditCard(request, metadata=guest)).credit_card.id)
    assert len({*made}) == len({*noted}) == 2
    ada = target_market.callers.market.people.ada
    taken = order_service_pb2.TransferOrderRequest(anonymous_token=bare(guest), request_id="same")
    assert (await ada.orders.TransferOrder(taken)).order.id == made[1]
    # The card was the guest's, for the guest's order: it does not come along, nor is it kept for anybody.
    read = credit_card_service_pb2.GetCreditCardRequest(credit_card_id=noted[1])
    with pytest.raises(WaybillError) as error:
        await ada.credit_cards.GetCreditCard(read)
    assert error.value.reason == "RESOURCE_NOT_FOUND"
    assert await reason(cards.GetCreditCard(read, metadata=guest)) == "RESOURCE_NOT_FOUND"
    tally.count("request ids of other guests", 4)


async def _until_the_end(call: Any) -> Any:
    try:
        async for message in call:
            yield message
    except grpc.aio.AioRpcError:
        return


@pytest.mark.parametrize("change", ["another order", "no order", "another user"])
async def test_a_guests_token_that_was_rewritten_opens_nothing(target_market: Target, tally: Tally, change: str) -> None:
    _, metadata = await visitor(target_market)
    head, _, signature = bare(metadata).split(".")
    claims = claims_of(bare(metadata))
    if change == "no order":
        del claims["order"]
    elif change == "another order":
        claims["order"] = "cart_another"
    else:
        claims |= {"sub": "owner", "u": "owner"}
    forged = carrying(f"{head}.{part(claims)}.{signature}")
    orders = order_service_pb2_grpc.OrderServiceStub(target_market.callers.outside)
    listed = order_service_pb2.ListOrdersRequest(direction=OUTGOING)
    assert await reason(orders.ListOrders(listed, metadata=forged)) == "TOKEN_INVALID"
    tally.count("rewritten tokens of guests", 1)


async def test_nobodys_order_is_had_by_showing_something_else_than_its_guests_token(target_market: Target, tally: Tally) -> None:
    _, gwen = await visitor(target_market)
    order = await begun(target_market, gwen)
    orders = order_service_pb2_grpc.OrderServiceStub(target_market.callers.outside)
    head, body, signature = bare(gwen).split(".")
    claims = {**claims_of(bare(gwen)), "order": order.id}
    shopper = target_market.callers.of(PartyKind.BUYER, EVERYTHING)
    shown = {
        "the owner's token": target_market.token,
        "one's own": bare(shopper),
        "one that has ended": target_market.expired,
        "one for another audience": target_market.of_another_audience,
        "one of another marketplace": target_market.of_another_marketplace,
        "one without a signature": f"{head}.{body}.",
        "one with half a signature": f"{head}.{body}.{signature[: len(signature) // 2]}",
        "one signed by nobody": f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}.",
        "the id of the order": order.id,
        "a very long text": "x" * 100_000,
    }
    for name, token in shown.items():
        request = order_service_pb2.TransferOrderRequest(anonymous_token=token)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await orders.TransferOrder(request, metadata=shopper)
        known = from_rpc_error(error.value)
        assert [field.reason for field in known.fields] == ["GUEST_TOKEN_INVALID"], name
    read = order_service_pb2.GetOrderRequest(order_id=order.id, direction=OUTGOING)
    assert (await orders.GetOrder(read, metadata=gwen)).order.guest
    tally.count("transfers by a token that is no guest's", len(shown))
