"""Capture on shipment, interrupted: a unit leaves, and the card is charged what it is worth exactly once."""

from __future__ import annotations

from google.protobuf.field_mask_pb2 import FieldMask

from services.host.sample.marketplace import SHOP
from services.host.sample.parties import People
from tests.chaos import steps
from tests.chaos.steps import until_answered
from waybill.directory.v1 import api_client_service_pb2
from waybill.directory.v1.ordering_context_service_pb2 import PAYMENT_CAPTURE_MANUAL, PAYMENT_CAPTURE_ON_SHIPMENT
from waybill.payment.v1 import payment_pb2
from waybill_client import AsyncWaybill
from waybill_client.money import decimal

CAPTURE = r"CaptureShipped|Gateway\.capture|SettleTransactions\._write|order\.capture"
"""What the completer does about it, and payment."""
PAID_BEFORE = 10
"""By account."""


async def accepted(people: People, tag: str) -> None:
    """An open order whose channel captured on shipment when it was submitted."""
    await _capture_on_shipment(people.owner, True)
    try:
        await steps.place(people.ada, tag)
        await steps.settled(people.ada, tag)
    finally:
        await _capture_on_shipment(people.owner, False)
    clerk = people.clerks["northforge"]
    await steps.accept(clerk, (await steps.supplier_order(clerk, tag)).id)


async def is_captured_once(people: People, tag: str) -> None:
    """What has left is charged, less what the account has paid, and nobody asks for it any more."""
    mine = await steps.supplier_order(people.clerks["northforge"], tag)
    assert [line.quantity_shipped for line in mine.line_items] == [1], "shipped not exactly once"
    wanted = decimal(mine.shipped_total) - PAID_BEFORE
    assert wanted > 0
    async with steps.patience():
        while decimal((card := await until_answered(lambda: steps.by_card(people.sam, tag))).captured_amount) != wanted:
            await steps.moment()
    done = [t.result for t in card.transactions if t.type == payment_pb2.PAYMENT_TRANSACTION_TYPE_CAPTURE]
    assert done == [payment_pb2.PAYMENT_TRANSACTION_RESULT_SUCCEEDED], "charged not exactly once"
    # The order service notes what payment has answered.
    for _ in range(5):
        await steps.moment()


async def _capture_on_shipment(owner: AsyncWaybill, switch: bool) -> None:
    found = await owner.api_clients.GetApiClient(api_client_service_pb2.GetApiClientRequest(api_client_id=SHOP))
    shop = api_client_service_pb2.ApiClient(id=SHOP, policy=found.api_client.policy)
    shop.policy.capture = PAYMENT_CAPTURE_ON_SHIPMENT if switch else PAYMENT_CAPTURE_MANUAL
    mask = FieldMask(paths=["policy"])
    await owner.api_clients.UpdateApiClient(api_client_service_pb2.UpdateApiClientRequest(api_client=shop, update_mask=mask))
