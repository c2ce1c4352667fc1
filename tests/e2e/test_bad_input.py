"""Bad input: each a typed error that names field and rule, all at once, and nothing stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from google.protobuf.struct_pb2 import Struct
from google.type.money_pb2 import Money

from libs.auth import PartyKind, Principal, TokenSigner
from libs.auth.user_tokens import claims_of
from libs.sealing import sealed_by
from services import roles
from services.host.process.keys.sealing_keys import sealing_keys
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, SHOP
from tests.support import keys
from tests.support.marketplace import ALL, Marketplace, create, get, lines
from waybill.directory.v1 import token_service_pb2
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, line_item_service_pb2, order_pb2, order_service_pb2
from waybill.order.v1.order_service_pb2_grpc import OrderServiceStub
from waybill.payment.v1 import payment_pb2
from waybill.type.v1.address_pb2 import Address
from waybill_client import WaybillError, money
from waybill_client.errors import from_rpc_error

Request = order_service_pb2.CreateOrderRequest


def with_lines(**quantities: int) -> Request:
    return Request(order=order_pb2.Order(id="BAD"), line_items=lines(**quantities))


def with_order(**fields: Any) -> Request:
    return Request(order=order_pb2.Order(id="BAD", **fields), line_items=lines(anvil=1))


def with_line(**fields: Any) -> Request:
    line = line_item_pb2.LineItem(product_id="anvil", quantity=1, **fields)
    return Request(order=order_pb2.Order(id="BAD"), line_items=[line])


def big_xp() -> Struct:
    xp = Struct()
    xp.update({"text": "x" * 8_001})
    return xp


FIELDS: dict[str, tuple[Callable[[], Request], str, str]] = {
    "an unknown product": (lambda: with_lines(unicorn=1), "line_items[0].product_id", "PRODUCT_NOT_FOUND"),
    "quantity zero": (lambda: with_lines(anvil=0), "line_items[0].quantity", "VALUE_OUT_OF_RANGE"),
    "a negative quantity": (lambda: with_lines(anvil=-3), "line_items[0].quantity", "VALUE_OUT_OF_RANGE"),
    "a quantity above the limit": (lambda: with_lines(anvil=1_000_001), "line_items[0].quantity", "VALUE_OUT_OF_RANGE"),
    "too many lines": (
        lambda: Request(
            order=order_pb2.Order(id="BAD"), line_items=[line_item_pb2.LineItem(product_id="anvil", quantity=1)] * 5_001
        ),
        "line_items",
        "TOO_MANY_ITEMS",
    ),
    "another currency": (lambda: with_order(currency="EUR"), "order.currency", "CURRENCY_MISMATCH"),
    "no currency at all": (lambda: with_order(currency="XXQ"), "order.currency", "FIELD_INVALID"),
    "an unknown address": (lambda: with_order(shipping_address_id="moon"), "order.shipping_address_id", "ADDRESS_NOT_FOUND"),
    "another buyer's address": (
        lambda: with_order(shipping_address_id="hq-globex"),
        "order.shipping_address_id",
        "ADDRESS_NOT_FOUND",
    ),
    "an address without a country": (
        lambda: with_order(shipping_address=Address(city="Oakland")),
        "order.shipping_address.country",
        "FIELD_REQUIRED",
    ),
    "an xp that is too large": (lambda: with_order(xp=big_xp()), "order.xp", "XP_TOO_LARGE"),
    "control characters in an id": (
        lambda: Request(order=order_pb2.Order(id="BAD\x07"), line_items=lines(anvil=1)),
        "order.id",
        "ID_INVALID",
    ),
    "control characters in a line's id": (lambda: with_line(id="a\nb"), "line_items[0].id", "ID_INVALID"),
}


async def newest(market: Marketplace) -> list[str]:
    """The id of the order that was made last, if there is any."""
    request = order_service_pb2.ListOrdersRequest(direction=ALL, order_by="create_time desc", page_size=1)
    return [order.id for order in (await market.people.owner.orders.ListOrders(request)).orders]


@pytest.mark.parametrize("case", FIELDS)
async def test_a_bad_field_is_named_with_its_rule_and_nothing_is_stored(shared_sqlite_market: Marketplace, case: str) -> None:
    request, field, reason = FIELDS[case]
    before = await newest(shared_sqlite_market)
    with pytest.raises(WaybillError) as refused:
        await shared_sqlite_market.people.ada.orders.CreateOrder(request())
    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert (field, reason) in [(f.field, f.reason) for f in refused.value.fields]
    assert refused.value.reason in (reason, "INVALID_REQUEST")
    assert await newest(shared_sqlite_market) == before


async def test_every_violation_is_named_at_once(shared_sqlite_market: Marketplace) -> None:
    request = Request(
        order=order_pb2.Order(id="B D", currency="EUR", shipping_address_id="moon"),
        line_items=[
            line_item_pb2.LineItem(product_id="unicorn", quantity=1),
            line_item_pb2.LineItem(product_id="anvil", quantity=0),
        ],
    )
    with pytest.raises(WaybillError) as refused:
        await shared_sqlite_market.people.ada.orders.CreateOrder(request)
    assert {(f.field, f.reason) for f in refused.value.fields} == {
        ("order.id", "ID_INVALID"),
        ("order.currency", "CURRENCY_MISMATCH"),
        ("order.shipping_address_id", "ADDRESS_NOT_FOUND"),
        ("line_items[0].product_id", "PRODUCT_NOT_FOUND"),
        ("line_items[1].quantity", "VALUE_OUT_OF_RANGE"),
    }
    assert refused.value.reason == "INVALID_REQUEST"


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (money("-1", "USD"), "AMOUNT_NEGATIVE"),
        (Money(currency_code="USD", units=1, nanos=1), "AMOUNT_TOO_PRECISE"),
        (money("1", "EUR"), "CURRENCY_MISMATCH"),
        (Money(currency_code="USD", units=1, nanos=-5), "FIELD_INVALID"),
    ],
)
async def test_a_bad_price_is_refused(shared_sqlite_market: Marketplace, amount: Money, reason: str) -> None:
    request = with_line(unit_price_override=amount)
    request.order.from_party.id = "acme"
    request.order.from_user.id = "ada"
    with pytest.raises(WaybillError) as refused:
        await shared_sqlite_market.people.owner.orders.CreateOrder(request)
    assert ("line_items[0].unit_price_override", reason) in [(f.field, f.reason) for f in refused.value.fields]


async def test_an_override_without_its_role_names_the_role(shared_sqlite_market: Marketplace) -> None:
    with pytest.raises(WaybillError) as refused:
        await shared_sqlite_market.people.ada.orders.CreateOrder(with_line(unit_price_override=money("1", "USD")))
    assert refused.value.metadata == {"role": "OverrideUnitPrice"}


async def test_an_inactive_product_is_not_there_for_a_buyer(sqlite_market: Marketplace) -> None:
    from waybill.catalog.v1 import product_pb2, product_service_pb2

    await sqlite_market.people.owner.products.UpdateProduct(
        product_service_pb2.UpdateProductRequest(
            product=product_pb2.Product(id="lamp", active=False), update_mask={"paths": ["active"]}
        )
    )
    with pytest.raises(WaybillError) as refused:
        await sqlite_market.people.ada.orders.CreateOrder(with_lines(lamp=1))
    assert refused.value.fields[0].reason in ("PRODUCT_INACTIVE", "PRODUCT_NOT_FOUND")


async def test_a_foreign_order_is_not_found(shared_sqlite_market: Marketplace) -> None:
    await create(shared_sqlite_market.people.ada, "OURS", anvil=1)
    with pytest.raises(WaybillError) as refused:
        await shared_sqlite_market.people.gil.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="OURS"))
    assert refused.value.code is grpc.StatusCode.NOT_FOUND
    assert refused.value.metadata == {"resource": "order", "id": "OURS"}


@pytest.mark.on_sqlite
async def test_a_nul_in_an_id_or_a_filter_is_named_on_both_databases(shared_market: Marketplace) -> None:
    with pytest.raises(WaybillError) as missing:
        await get(shared_market.people.ada, "a\x00b")
    assert missing.value.reason == "RESOURCE_NOT_FOUND"
    with pytest.raises(WaybillError) as wrong:
        await shared_market.people.ada.orders.ListOrders(
            order_service_pb2.ListOrdersRequest(direction=ALL, filter='comments = "a\x00b"')
        )
    assert wrong.value.reason == "FILTER_INVALID"


@pytest.mark.on_sqlite
async def test_a_nul_in_the_id_of_an_order_is_named_by_every_change_of_one(shared_market: Marketplace) -> None:
    sam, id, request_id = shared_market.people.sam, "a\x00b", "r-1"
    orders, checkout, items = order_service_pb2, checkout_service_pb2, line_item_service_pb2
    line = line_item_pb2.LineItem(id="l1", product_id="anvil", quantity=1)
    pair = checkout.ShipMethodSelection(ship_estimate_id="e", ship_method_id="ground")
    paid = payment_pb2.Payment(type="purchase_order")
    for call, request in (
        (sam.orders.CancelOrder, orders.CancelOrderRequest(order_id=id)),
        (sam.orders.CompleteOrder, orders.CompleteOrderRequest(order_id=id)),
        (sam.orders.ForwardOrder, orders.ForwardOrderRequest(order_id=id)),
        (sam.orders.HoldOrder, orders.HoldOrderRequest(order_id=id)),
        (sam.orders.ReleaseOrderHold, orders.ReleaseOrderHoldRequest(order_id=id, hold_id="h")),
        (sam.line_items.AddLineItems, items.AddLineItemsRequest(order_id=id, line_items=[line])),
        (sam.line_items.UpdateLineItems, items.UpdateLineItemsRequest(order_id=id, line_items=[line])),
        (sam.line_items.RemoveLineItems, items.RemoveLineItemsRequest(order_id=id, line_item_ids=["l1"])),
        (sam.checkout.EstimateShipping, checkout.EstimateShippingRequest(order_id=id)),
        (sam.checkout.SelectShipMethods, checkout.SelectShipMethodsRequest(order_id=id, selections=[pair])),
        (sam.checkout.CalculateOrder, checkout.CalculateOrderRequest(order_id=id)),
        (sam.checkout.AddPayments, checkout.AddPaymentsRequest(order_id=id, payments=[paid])),
        (sam.checkout.UpdatePayment, checkout.UpdatePaymentRequest(order_id=id, payment=payment_pb2.Payment(id="p"))),
        (sam.checkout.RemovePayments, checkout.RemovePaymentsRequest(order_id=id, payment_ids=["p"])),
        (sam.checkout.SubmitOrder, checkout.SubmitOrderRequest(order_id=id)),
    ):
        request.request_id = request_id
        with pytest.raises(WaybillError) as refused:
            await call(request)
        assert (refused.value.reason, refused.value.metadata["id"]) == ("RESOURCE_NOT_FOUND", id)


async def test_an_id_that_is_taken_is_refused(shared_sqlite_market: Marketplace) -> None:
    await create(shared_sqlite_market.people.ada, "SAME", anvil=1)
    with pytest.raises(WaybillError) as refused:
        await create(shared_sqlite_market.people.gil, "SAME", anvil=1)
    assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.ALREADY_EXISTS, "RESOURCE_EXISTS")


async def test_a_stale_etag_is_aborted_and_names_the_current_one(shared_sqlite_market: Marketplace) -> None:
    order = await create(shared_sqlite_market.people.ada, "ETAG", anvil=1)

    def update(etag: str, comments: str) -> order_service_pb2.UpdateOrderRequest:
        return order_service_pb2.UpdateOrderRequest(order=order_pb2.Order(id="ETAG", etag=etag, comments=comments))

    await shared_sqlite_market.people.ada.orders.UpdateOrder(update(order.etag, "one"))
    with pytest.raises(WaybillError) as refused:
        await shared_sqlite_market.people.ada.orders.UpdateOrder(update(order.etag, "two"))
    assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert refused.value.metadata["etag"] == "2"
    assert (await get(shared_sqlite_market.people.ada, "ETAG")).comments == "one"


async def test_a_request_id_with_another_body_is_refused(shared_sqlite_market: Marketplace) -> None:
    first = Request(order=order_pb2.Order(id="R1"), line_items=lines(anvil=1), request_id="r")
    other = Request(order=order_pb2.Order(id="R2"), line_items=lines(anvil=1), request_id="r")
    await shared_sqlite_market.people.ada.orders.CreateOrder(first)
    assert (await shared_sqlite_market.people.ada.orders.CreateOrder(first)).order.id == "R1"
    with pytest.raises(WaybillError) as refused:
        await shared_sqlite_market.people.ada.orders.CreateOrder(other)
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_payments_above_the_total_are_refused(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await create(ada, "RICH", tape=1)
    await ada.checkout.EstimateShipping(checkout_service_pb2.EstimateShippingRequest(order_id="RICH"))
    await ada.checkout.CalculateOrder(checkout_service_pb2.CalculateOrderRequest(order_id="RICH"))
    with pytest.raises(WaybillError) as refused:
        await ada.checkout.AddPayments(
            checkout_service_pb2.AddPaymentsRequest(
                order_id="RICH", payments=[payment_pb2.Payment(type="purchase_order", amount=money("99999", "USD"))]
            )
        )
    assert refused.value.reason == "PAYMENT_EXCEEDS_TOTAL"


CALLER = Principal("owner", "seller", PartyKind.SELLER, frozenset({roles.FULL_ACCESS}), "waybill-admin")


def forged() -> str:
    return keys.signer("key_of_a_stranger").issue(CALLER, timedelta(hours=1), datetime.now(UTC))


def unsigned() -> str:
    claims = {**claims_of(CALLER, "owner"), "iss": "waybill", "aud": "waybill", "exp": datetime.now(UTC) + timedelta(hours=1)}
    return jwt.encode(claims, None, algorithm="none")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (lambda: (), "TOKEN_MISSING"),
        (lambda: (("authorization", f"Bearer {forged()}"),), "TOKEN_INVALID"),
        (lambda: (("authorization", f"Bearer {unsigned()}"),), "TOKEN_INVALID"),
        (lambda: (("authorization", "Bearer nonsense"),), "TOKEN_INVALID"),
        (lambda: (("authorization", "Basic b3duZXI6"),), "TOKEN_INVALID"),
        (lambda: (("waybill-service", forged()),), "TOKEN_INVALID"),
    ],
)
async def test_a_token_that_does_not_hold_is_refused(
    shared_sqlite_market: Marketplace, header: Callable[[], tuple[tuple[str, str], ...]], reason: str
) -> None:
    async with grpc.aio.insecure_channel(shared_sqlite_market.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await OrderServiceStub(channel).ListOrders(order_service_pb2.ListOrdersRequest(direction=ALL), metadata=header())
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert from_rpc_error(refused.value).reason == reason


async def test_a_token_whose_time_is_over_is_refused(sqlite_market: Marketplace, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "directory.sqlite3")) as database:
        kid, sealed = database.execute("SELECT kid, private_pem FROM signing_keys").fetchone()
    pem = sealing_keys(HostSettings(data=tmp_path))(frozenset([sealed_by(sealed)])).open(sealed, f"signing key {kid}")
    token = TokenSigner(pem, kid).issue(CALLER, timedelta(hours=1), datetime.now(UTC) - timedelta(hours=2))
    async with grpc.aio.insecure_channel(sqlite_market.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await OrderServiceStub(channel).GetOrder(
                order_service_pb2.GetOrderRequest(order_id="ANY", direction=ALL), metadata=(("authorization", f"Bearer {token}"),)
            )
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert from_rpc_error(refused.value).reason == "TOKEN_EXPIRED"


async def test_bytes_that_are_no_message_are_an_invalid_argument(shared_sqlite_market: Marketplace) -> None:
    by_password = token_service_pb2.PasswordGrant(username="ada", password=PASSWORD)
    issued = await shared_sqlite_market.people.ada.tokens.IssueToken(
        token_service_pb2.IssueTokenRequest(client_id=SHOP, password=by_password)
    )
    metadata = (("authorization", f"Bearer {issued.access_token}"),)
    async with grpc.aio.insecure_channel(shared_sqlite_market.address) as channel:
        call = channel.unary_unary("/waybill.order.v1.OrderService/GetOrder")
        for garbage in (b"\xff\xff\xff\xff", b"\x0a\x02\xc3\x28"):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(garbage, metadata=metadata)
            error = from_rpc_error(refused.value)
            assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST")


async def test_an_unspecified_direction_is_refused(shared_sqlite_market: Marketplace) -> None:
    with pytest.raises(WaybillError) as refused:
        await shared_sqlite_market.people.ada.orders.ListOrders(order_service_pb2.ListOrdersRequest())
    assert [(f.field, f.reason) for f in refused.value.fields] == [("direction", "FIELD_REQUIRED")]


@pytest.mark.parametrize(
    ("arguments", "field", "reason"),
    [
        ({"filter": "status = "}, "filter", "FILTER_INVALID"),
        ({"filter": "a = 1 AND b = 2 OR c = 3"}, "filter", "FILTER_INVALID"),
        ({"order_by": "shoe_size"}, "order_by", "ORDER_BY_INVALID"),
        ({"page_token": "bm9uc2Vuc2U"}, "page_token", "PAGE_TOKEN_INVALID"),
        ({"page_size": -1}, "page_size", "VALUE_OUT_OF_RANGE"),
    ],
)
async def test_a_bad_list_argument_is_named(
    shared_sqlite_market: Marketplace, arguments: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(WaybillError) as refused:
        await shared_sqlite_market.people.ada.orders.ListOrders(order_service_pb2.ListOrdersRequest(direction=ALL, **arguments))
    assert [(f.field, f.reason) for f in refused.value.fields] == [(field, reason)]
