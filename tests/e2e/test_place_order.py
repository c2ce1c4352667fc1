"""PlaceOrder: methods as wished, and what is left when it is refused."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.money_pb2 import Money

from libs.errors import Kind
from libs.errors import WaybillError as Refusal
from services.host.sample.marketplace import CURRENCY, SHOP
from services.order.adapters.clients.payment import PaymentClient
from tests.e2e.steps import TAKES, policy, ready, refused, violations, xp
from tests.support.marketplace import ALL, Marketplace, create, get, lines
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.directory.v1 import api_client_service_pb2 as client_pb
from waybill.directory.v1 import ordering_context_service_pb2 as context_pb
from waybill.fulfillment.v1 import supplier_order_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2, submission_pb2, submission_service_pb2
from waybill.payment.v1 import payment_pb2
from waybill_client import AsyncWaybill, money

Payment = payment_pb2.Payment


def placing(id: str, *payments: Payment, **fields: Any) -> pb.PlaceOrderRequest:
    return pb.PlaceOrderRequest(order=order_pb2.Order(id=id), line_items=lines(anvil=1, lamp=1), payments=payments, **fields)


async def chosen(client: AsyncWaybill, id: str) -> list[str]:
    answer = await client.checkout.GetWorksheet(pb.GetWorksheetRequest(order_id=id))
    return [e.selected_ship_method_id for e in answer.worksheet.ship_estimates]


async def test_methods_are_taken_as_wished_else_by_preference(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await ada.checkout.PlaceOrder(placing("FAST", ship_method_preference=pb.SHIP_METHOD_PREFERENCE_FASTEST))
    assert await chosen(ada, "FAST") == ["next-day", "next-day"]
    await ada.checkout.PlaceOrder(placing("WISH", ship_method_ids=["balloon", "two-day"]))
    assert await chosen(ada, "WISH") == ["two-day", "two-day"]
    await ada.checkout.PlaceOrder(placing("PLAIN"))
    assert await chosen(ada, "PLAIN") == ["ground", "ground"]


async def test_the_answer_shows_order_and_lines_as_they_are_read_a_repeat_too(sqlite_market: Marketplace) -> None:
    """What needs no shipment is shipped as soon as it is confirmed: the lines are not those that were sent."""
    people = sqlite_market.people
    lamp = product_pb2.Product(id="lamp", shippable=False)
    await people.owner.products.UpdateProduct(
        product_service_pb2.UpdateProductRequest(product=lamp, update_mask=FieldMask(paths=["shippable"]))
    )
    request = placing("MIXED", request_id="mixed")
    first = await people.ada.checkout.PlaceOrder(request)
    asked = order_service_pb2.GetOrderRequest(order_id="MIXED", direction=ALL, include_line_items=True)
    read = await people.ada.orders.GetOrder(asked)
    assert [(line.quantity_shipped, line.quantity_open) for line in first.line_items] == [(0, 1), (1, 0)]
    assert (first.order, list(first.line_items)) == (read.order, list(read.line_items))
    assert await people.ada.checkout.PlaceOrder(request) == first


async def test_a_malformed_payment_is_named_with_everything_else_and_the_id_stays_free(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    bad = placing(
        "MALFORMED",
        Payment(type="purchase_order", amount=money("-1", CURRENCY)),
        Payment(type="purchase_order", amount=Money(currency_code=CURRENCY, units=1, nanos=1)),
        Payment(type="purchase_order", amount=money("1", "EUR"), description="a\x00b"),
        Payment(id="a\x07", type="purchase_order", amount=money("1", CURRENCY), purchase_order_number="4\x0711"),
        Payment(id="x", type="purchase_order", xp=xp(text="x" * 8_001)),
        Payment(id="x", type="", spending_account_id="gift-ada"),
        Payment(type="credit_card", amount=money("0", CURRENCY)),
        ship_method_ids=["a b"],
    )
    bad.line_items[0].product_id = "unicorn"
    error = await refused(ada.checkout.PlaceOrder(bad))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert violations(error) == {
        ("payments[0].amount", "PAYMENT_AMOUNT_NOT_POSITIVE"),
        ("payments[1].amount", "AMOUNT_TOO_PRECISE"),
        ("payments[2].amount", "CURRENCY_MISMATCH"),
        ("payments[2].description", "FIELD_INVALID"),
        ("payments[3].id", "ID_INVALID"),
        ("payments[3].purchase_order_number", "FIELD_INVALID"),
        ("payments[4].xp", "XP_TOO_LARGE"),
        ("payments[5].id", "DUPLICATE_ITEM"),
        ("payments[5].type", "FIELD_REQUIRED"),
        ("payments[5].spending_account_id", "FIELD_INVALID"),
        ("payments[5].amount", "PAYMENT_REST_REPEATED"),
        ("payments[6].credit_card_id", "FIELD_REQUIRED"),
        ("payments[6].amount", "PAYMENT_AMOUNT_NOT_POSITIVE"),
        ("ship_method_ids[0]", "ID_INVALID"),
        ("line_items[0].product_id", "PRODUCT_NOT_FOUND"),
    }
    page = await ada.orders.ListOrders(order_service_pb2.ListOrdersRequest(direction=ALL, filter='id = "MALFORMED"'))
    assert list(page.orders) == []
    answer = await ada.checkout.PlaceOrder(placing("MALFORMED", Payment(type="purchase_order")))
    assert answer.order.status == order_pb2.ORDER_STATUS_OPEN


async def test_lists_have_limits(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    for request, field in (
        (placing("MANY", ship_method_ids=["ground"] * 101), "ship_method_ids"),
        (placing("MANY", *[Payment(type="purchase_order")] * 21), "payments"),
    ):
        assert violations(await refused(ada.checkout.PlaceOrder(request))) == {(field, "TOO_MANY_ITEMS")}
    await create(ada, "MANY", anvil=1)
    removal = pb.RemovePaymentsRequest(order_id="MANY", payment_ids=["p"] * 21)
    assert violations(await refused(ada.checkout.RemovePayments(removal))) == {("payment_ids", "TOO_MANY_ITEMS")}


async def test_a_refused_one_leaves_the_order_with_its_reasons_and_without_the_payments(shared_market: Marketplace) -> None:
    ada = shared_market.people.ada
    request = placing("REASONED", Payment(type="purchase_order", amount=money("1", CURRENCY)), request_id="p-1")
    error = await refused(ada.checkout.PlaceOrder(request))
    assert (error.reason, error.metadata) == ("SUBMIT_REFUSED", {"order": "REASONED", "attempt": "1", "next": "SubmitOrder"})
    assert [(rule.reason, rule.subject) for rule in error.rules] == [("PAYMENTS_BELOW_TOTAL", "payments")]
    order = await get(ada, "REASONED")
    assert (order.status, order.calculated) == (order_pb2.ORDER_STATUS_UNSUBMITTED, True)
    assert order.submission.state == submission_pb2.SUBMISSION_STATE_REFUSED
    assert [reason.reason for reason in order.submission.reasons] == ["PAYMENTS_BELOW_TOTAL"]
    listed = await ada.checkout.ListPayments(pb.ListPaymentsRequest(order_id="REASONED"))
    assert list(listed.payments) == []
    again = await refused(ada.checkout.PlaceOrder(request))
    assert (again.reason, again.metadata) == (error.reason, error.metadata)
    mended = await refused(ada.checkout.PlaceOrder(placing("REASONED", Payment(type="purchase_order"), request_id="p-2")))
    assert (mended.code, mended.reason) == (grpc.StatusCode.ALREADY_EXISTS, "RESOURCE_EXISTS")
    assert mended.metadata == {"resource": "order", "id": "REASONED", "next": "SubmitOrder"}
    assert mended.rules == error.rules
    await ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id="REASONED", payments=[Payment(type="purchase_order")]))
    done = await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="REASONED"))
    assert done.order.status == order_pb2.ORDER_STATUS_OPEN


async def reasons(client: AsyncWaybill, id: str) -> list[str]:
    answer = await client.checkout.ValidateOrder(pb.ValidateOrderRequest(order_id=id))
    return sorted({reason.reason for reason in answer.reasons})


async def test_validating_names_all_reasons_and_stores_nothing(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await create(ada, "CHECK", anvil=1)
    assert await reasons(ada, "CHECK") == ["ORDER_NOT_CALCULATED", "SHIP_METHOD_MISSING"]
    await ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="CHECK"))
    assert await reasons(ada, "CHECK") == ["PAYMENTS_BELOW_TOTAL", "SHIP_METHOD_MISSING"]
    order = await get(ada, "CHECK")
    assert (order.version, order.HasField("submission")) == (2, False)


async def test_the_orders_own_channel_rules_whoever_submits(shared_sqlite_market: Marketplace) -> None:
    """The owner's client asks for no ship methods and forwards nothing by itself; ada's shop does both."""
    ada, owner = shared_sqlite_market.people.ada, shared_sqlite_market.people.owner
    await create(ada, "OWN", anvil=1)
    await ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="OWN"))
    await ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id="OWN", payments=[Payment(type="purchase_order")]))
    assert (await get(ada, "OWN")).client_id == SHOP
    assert await reasons(owner, "OWN") == await reasons(ada, "OWN") == ["SHIP_METHOD_MISSING"]
    error = await refused(owner.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="OWN")))
    assert {rule.reason for rule in error.rules} == {"SHIP_METHOD_MISSING"}
    sheet = await ada.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id="OWN"))
    selections = [pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.worksheet.ship_estimates]
    await ada.checkout.SelectShipMethods(pb.SelectShipMethodsRequest(order_id="OWN", selections=selections))
    await ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="OWN"))
    done = await owner.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="OWN"))
    assert (done.order.status, done.order.HasField("forward_time")) == (order_pb2.ORDER_STATUS_OPEN, True)


async def test_a_submit_asks_for_the_cover_that_the_channel_asks_for_now(sqlite_market: Marketplace) -> None:
    ada = sqlite_market.people.ada
    await create(ada, "COVER", anvil=1)
    await ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="COVER"))
    assert "PAYMENTS_BELOW_TOTAL" in await reasons(ada, "COVER")
    await policy(sqlite_market, payment_coverage=context_pb.PAYMENT_COVERAGE_NONE)
    assert await reasons(ada, "COVER") == ["SHIP_METHOD_MISSING"]
    await policy(sqlite_market, payment_coverage=context_pb.PAYMENT_COVERAGE_AT_LEAST)
    assert set(await reasons(ada, "COVER")) == {"PAYMENTS_BELOW_TOTAL", "SHIP_METHOD_MISSING"}
    above = [payment_pb2.Payment(type="purchase_order", amount=money("100000", CURRENCY)) for _ in range(2)]
    await ready(ada, "ABOVE", above, anvil=1)
    opened = (await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="ABOVE"))).order
    paid = (await ada.checkout.ListPayments(pb.ListPaymentsRequest(order_id="ABOVE"))).payments
    assert [p.resolved_amount for p in paid] == [opened.total, money("0", CURRENCY)]


async def test_products_name_whether_they_are_forwarded_where_the_channel_says_so(sqlite_market: Marketplace) -> None:
    """Anvils and rockets are Northforge's; the seller looks at every order of anvils before they go."""
    ada, owner, sam = sqlite_market.people.ada, sqlite_market.people.owner, sqlite_market.people.sam
    kept = product_pb2.Product(id="anvil", auto_forward=False)
    await owner.products.UpdateProduct(
        product_service_pb2.UpdateProductRequest(product=kept, update_mask={"paths": ["auto_forward"]})
    )
    await policy(sqlite_market, auto_forward=context_pb.AUTO_FORWARD_BY_PRODUCT)
    order = await ada.place_order({"anvil": 1, "crate": 1}, id="MIXED")
    assert order.HasField("forward_time")

    async def suppliers() -> dict[str, list[str]]:
        request = supplier_order_service_pb2.ListSupplierOrdersRequest(filter='order_id = "MIXED"')
        page = (await sam.supplier_orders.ListSupplierOrders(request)).supplier_orders
        return {o.supplier_id: [x.product_id for x in o.line_items] for o in page if not o.moved}

    assert await suppliers() == {"": ["anvil"], "wh-east": ["crate"]}
    done = await sam.orders.ForwardOrder(order_service_pb2.ForwardOrderRequest(order_id="MIXED", request_id="f1"))
    assert (len(done.supplier_orders), done.order.forward_time) == (2, order.forward_time)
    assert await suppliers() == {"northforge": ["anvil"], "wh-east": ["crate"]}


async def test_a_request_id_of_another_forward_forwards_nothing(sqlite_market: Marketplace) -> None:
    ada, sam = sqlite_market.people.ada, sqlite_market.people.sam
    await sqlite_market.people.owner.api_clients.UpdateApiClient(
        client_pb.UpdateApiClientRequest(
            api_client=client_pb.ApiClient(
                id=SHOP, policy=context_pb.OrderingPolicy(auto_forward=context_pb.AUTO_FORWARD_NONE, payment_types=TAKES)
            ),
            update_mask={"paths": ["policy"]},
        )
    )
    for id in ("ONE", "TWO"):
        await ada.place_order({"anvil": 1}, id=id)

    def forward(id: str) -> Any:
        return sam.orders.ForwardOrder(order_service_pb2.ForwardOrderRequest(order_id=id, request_id="f"))

    assert (await forward("ONE")).order.HasField("forward_time")
    assert (await refused(forward("TWO"))).reason == "REQUEST_ID_REUSED"
    assert not (await get(sam, "TWO")).HasField("forward_time")
    assert len((await forward("ONE")).supplier_orders) == 1


async def test_an_order_that_is_still_being_confirmed_is_forwarded_later(
    shared_sqlite_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: Any) -> None:
        raise Refusal(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "not now", metadata={"dependency": "database"})

    monkeypatch.setattr(PaymentClient, "confirm", silent)
    placed = await shared_sqlite_market.people.ada.place_order({"anvil": 1}, id="SOON")
    assert (placed.status, placed.submission.finished) == (order_pb2.ORDER_STATUS_OPEN, False)
    forward = order_service_pb2.ForwardOrderRequest(order_id="SOON", request_id="soon")
    error = await refused(shared_sqlite_market.people.sam.orders.ForwardOrder(forward))
    assert (error.code, error.reason) == (grpc.StatusCode.ABORTED, "SUBMISSION_IN_PROGRESS")
    assert error.metadata == {"order": "SOON", "attempt": "1"}
    assert error.retry_after_seconds is not None
    monkeypatch.undo()
    operator = shared_sqlite_market.people.owner.submissions
    await operator.DriveSubmission(submission_service_pb2.DriveSubmissionRequest(order_id="SOON", attempt=1))
    assert (await shared_sqlite_market.people.sam.orders.ForwardOrder(forward)).order.HasField("forward_time")


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "x" * 2_001])
async def test_a_comment_is_text_for_people(shared_sqlite_market: Marketplace, text: str) -> None:
    reason = "VALUE_OUT_OF_RANGE" if len(text) > 2_000 else "FIELD_INVALID"
    sam, order = shared_sqlite_market.people.sam, await shared_sqlite_market.people.ada.place_order({"tape": 1})
    for call in (
        sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=order.id, comment=text)),
        sam.orders.HoldOrder(order_service_pb2.HoldOrderRequest(order_id=order.id, comment=text)),
        sam.orders.ReleaseOrderHold(order_service_pb2.ReleaseOrderHoldRequest(order_id=order.id, hold_id="h", comment=text)),
    ):
        assert violations(await refused(call)) == {("comment", reason)}
