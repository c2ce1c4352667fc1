"""The operators' commands, against a marketplace that is served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import grpc
import pytest

from libs.errors import invalid
from services.host.sample.marketplace import PASSWORD, SHOP
from services.order.application.aftercare.cancel_order import CancelOrder
from services.order.application.progress.hold_order import HoldOrder
from services.order.application.progress.report_fulfillment import ReportFulfillment
from services.order.application.submission import submit_order
from tests.e2e.steps import card, promise, ready, until_parked
from tests.support.marketplace import Marketplace, get, marketplace
from tests.support.prepared import Prepared
from tests.support.process import said
from waybill.directory.v1 import token_service_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc, submission_pb2
from waybill.payment.v1 import payment_pb2
from waybill_client import WaybillError
from waybill_client.errors import from_rpc_error


async def waybill(market: Marketplace, *arguments: str) -> tuple[int, str, str]:
    """Runs a command as the owner."""
    return await said(*arguments, "--server", market.address, "--client-secret", market.secret.client_secret)


async def listed(market: Marketplace, *arguments: str) -> Any:
    """What a command prints for machines; it must not fail."""
    code, output, errors = await waybill(market, *arguments, "--json")
    assert code == 0, errors
    return json.loads(output)


async def submit(market: Marketplace, id: str, payment: payment_pb2.Payment) -> order_pb2.Order:
    await ready(market.people.ada, id, [payment], anvil=1)
    return (await market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id))).order


def by_card(id: str) -> payment_pb2.Payment:
    return payment_pb2.Payment(id=f"pay-{id}", type="credit_card", credit_card_id=id)


@pytest.mark.on_sqlite
async def test_a_submit_that_waits_is_listed_and_not_decided_before_its_deadline(tmp_path: Path, prepared: Prepared) -> None:
    async with marketplace(tmp_path, prepared.database_url, background=False, secret=prepared.secret) as market:
        assert "no submission is unfinished" in (await waybill(market, "submissions", "list"))[1]
        await card(market, "mute", "tok_timeout")
        order = await submit(market, "WAITS", by_card("mute"))
        assert order.submission.state == submission_pb2.SUBMISSION_STATE_TRYING
        (one,) = await listed(market, "submissions", "list")
        assert (one["order_id"], one["submission"]["state"]) == ("WAITS", "SUBMISSION_STATE_TRYING")
        assert one["submission"]["user_id"] == "ada"
        assert await listed(market, "submissions", "list", "--state", "ACCEPTED") == []

        code, output, errors = await waybill(market, "submissions", "resolve", "WAITS", "NONE")
        assert (code, "NONE" in errors) == (1, True), "before its deadline it may still be answered"
        assert "TRYING" in output
        assert [one["order_id"] for one in await listed(market, "submissions", "list")] == ["WAITS"]
        await market.people.ada.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="WAITS"))


@pytest.mark.on_sqlite
async def test_a_submit_that_nobody_finishes_is_refused_past_its_deadline(
    tmp_path: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = {"attempt_deadline": 0.0}
    async with marketplace(tmp_path, prepared.database_url, background=False, secret=prepared.secret, order=at_once) as market:
        await ready(market.people.ada, "LATE", promise(), anvil=1)
        with monkeypatch.context() as patched:
            patched.setattr(submit_order.SubmitOrder, "drive", _gone)
            await market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="LATE"))
        code, output, errors = await waybill(market, "submissions", "resolve", "LATE")
        assert code == 0, errors
        (late,) = [line for line in output.splitlines() if line.startswith("LATE")]
        assert "REFUSED, finished" in late
        assert "SUBMIT_TIMED_OUT" in late
        (again,) = await listed(market, "submissions", "list", "--order", "LATE")
        assert again["submission"]["finished"]
        assert await listed(market, "submissions", "list") == []


async def _gone(self: Any, attempt: Any, loaded: Any = None) -> Any:
    """A coordinator that writes its attempt down and does nothing more."""
    return attempt, loaded


async def test_an_accepted_submit_is_confirmed_by_hand(
    tmp_path: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with marketplace(tmp_path, prepared.database_url, background=False, secret=prepared.secret) as market:

        async def silent(self: Any, attempt: Any, loaded: Any) -> Any:
            return loaded

        with monkeypatch.context() as patched:
            patched.setattr(submit_order.SubmitOrder, "_settle", silent)
            await submit(market, "HALF", promise()[0])
        (one,) = await listed(market, "submissions", "list")
        assert one["submission"]["state"] == "SUBMISSION_STATE_ACCEPTED"
        (done,) = await listed(market, "submissions", "resolve", "--all")
        assert done["submission"]["finished"]
        assert await listed(market, "submissions", "list") == []
        assert (await get(market.people.ada, "HALF")).status == order_pb2.ORDER_STATUS_OPEN


async def test_a_cancel_and_a_hold_that_nobody_carries_out_are_listed_and_resolved(
    tmp_path: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with marketplace(tmp_path, prepared.database_url, background=False, secret=prepared.secret) as market:
        assert "no cancel and no hold is unfinished" in (await waybill(market, "commands", "list"))[1]
        for id in ("STUCK", "DEAF"):
            await market.people.ada.place_order({"tape": 1}, id=id)

        async def dies(*_: Any) -> None:
            raise ConnectionError

        with monkeypatch.context() as patched:
            patched.setattr(CancelOrder, "run", dies)
            patched.setattr(HoldOrder, "drive", dies)
            with pytest.raises(WaybillError):
                await market.people.sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="STUCK"))
            with pytest.raises(WaybillError):
                await market.people.sam.orders.HoldOrder(order_service_pb2.HoldOrderRequest(order_id="DEAF"))
            code, output, errors = await waybill(market, "commands", "resolve", "--all")
            assert (code, output) == (1, "")
            assert ("STUCK" in errors, "DEAF" in errors) == (True, True)
        found = await listed(market, "commands", "list")
        assert [(one["order_id"], one["type"], one.get("decided", False)) for one in found] == [
            ("STUCK", "ORDER_COMMAND_TYPE_CANCEL", False),
            ("DEAF", "ORDER_COMMAND_TYPE_HOLD", True),
        ]
        (one,) = await listed(market, "commands", "list", "--filter", "type = HOLD")
        assert one["order_id"] == "DEAF"

        code, _, errors = await waybill(market, "commands", "resolve", "STUCK", "NONE")
        assert (code, "NONE" in errors) == (1, True)
        assert (await get(market.people.ada, "STUCK")).status == order_pb2.ORDER_STATUS_CANCELED
        assert await listed(market, "commands", "resolve", "--all") == []
        assert await listed(market, "commands", "list") == []


async def test_a_rejected_report_is_listed_and_retried(market: Marketplace, monkeypatch: pytest.MonkeyPatch) -> None:
    await market.people.ada.place_order({"anvil": 1, "lamp": 1}, id="PO1")
    understood = ReportFulfillment.__call__

    async def rejects(self: Any, reports: Any) -> Any:
        if any(o.id == "PO1-1" for o in reports.supplier_orders):
            raise invalid("supplier_orders", "FIELD_INVALID", "is not understood")
        return await understood(self, reports)

    monkeypatch.setattr(ReportFulfillment, "__call__", rejects)
    for id in ("PO1-1", "PO1-2"):
        await market.people.owner.supplier_orders.AcceptSupplierOrder(
            supplier_order_service_pb2.AcceptSupplierOrderRequest(supplier_order_id=id)
        )
    await until_parked(market, 1)
    (entry,) = await listed(market, "outbox", "list", "--parked")
    assert (entry["context"], entry["kind"], entry["id"]) == ("fulfillment", "supplier_order", "PO1-1")
    assert "FIELD_INVALID" in entry["error"]
    assert await listed(market, "outbox", "list", "--pending") == []
    _, output, _ = await waybill(market, "outbox", "list")
    (line,) = [line for line in output.splitlines() if line.startswith("fulfillment/supplier_order/PO1-1")]
    assert "parked" in line

    monkeypatch.setattr(ReportFulfillment, "__call__", understood)
    code, _, errors = await waybill(market, "outbox", "retry", "fulfillment/supplier_order/PO1-1")
    assert code == 0, errors
    await until_parked(market, 0)
    code, _, errors = await waybill(market, "outbox", "retry", "fulfillment/supplier_order/PO1-1")
    assert (code, "RESOURCE_NOT_FOUND" in errors) == (1, True)
    assert await listed(market, "outbox", "retry", "--parked") == []
    acts = await listed(market, "audit", "list", "--action", "RetryOutboxEntry")
    assert [(one["resource"], one["resource_id"]) for one in acts] == [("outbox entry of supplier_order", "PO1-1")]


async def test_a_payment_that_waits_for_its_gateway_is_listed_and_reconciled(tmp_path: Path, prepared: Prepared) -> None:
    async with marketplace(tmp_path, prepared.database_url, background=False, secret=prepared.secret) as market:
        assert "every payment is settled" in (await waybill(market, "payments", "reconcile"))[1]
        await card(market, "slow", "tok_late_void")
        order = await submit(market, "PO1", by_card("slow"))
        assert order.status == order_pb2.ORDER_STATUS_OPEN
        await market.people.sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="PO1"))
        (payment,) = await listed(market, "payments", "list")
        assert (payment["order_id"], payment["state"]) == ("PO1", "PAYMENT_STATE_VOID_PENDING")
        _, output, _ = await waybill(market, "payments", "list", "--state", "VOID_PENDING")
        assert "VOID for" in output
        (done,) = await listed(market, "payments", "reconcile", "pay-slow")
        assert (done["settled"], done["payment"]["state"]) == (True, "PAYMENT_STATE_VOIDED")
        assert await listed(market, "payments", "list") == []


async def test_commands_say_what_is_wrong_in_one_line(shared_sqlite_market: Marketplace) -> None:
    for wrong in ("submissions resolve", "outbox retry", "outbox retry PO1-1", "outbox list --parked --pending"):
        code, _, errors = await waybill(shared_sqlite_market, *wrong.split())
        assert (code, "Traceback" in errors) == (2, False)
    code, _, errors = await said("payments", "list", "--server", shared_sqlite_market.address, "--client-secret", "wrong")
    assert (code, len(errors.splitlines())) == (2, 1)
    assert "UNAUTHENTICATED" in errors
    code, _, errors = await waybill(shared_sqlite_market, "submissions", "list", "--filter", "nonsense = 1")
    assert (code, "FILTER_INVALID" in errors) == (2, True)


async def test_server_and_secret_of_a_command_may_stand_in_the_environment(shared_sqlite_market: Marketplace) -> None:
    where = {"WAYBILL_SERVER": shared_sqlite_market.address, "WAYBILL_CLIENT_SECRET": shared_sqlite_market.secret.client_secret}
    for command in (("submissions", "list"), ("check",)):
        assert (await said(*command, environment=where))[0] == 0


async def test_orders_on_hold_are_listed_placed_and_released(market: Marketplace) -> None:
    for id in ("H1", "H2"):
        await market.people.ada.place_order({"tape": 1}, id=id)
    assert "no order is on hold" in (await waybill(market, "holds", "list"))[1]
    code, _, errors = await waybill(market, "holds", "place", "H1", "H2", "NONE", "--comment", "odd address")
    assert (code, "NONE" in errors) == (1, True)
    await waybill(market, "holds", "place", "H1", "--comment", "second look")
    found = {order["id"]: [hold["comment"] for hold in order["holds"]] for order in await listed(market, "holds", "list")}
    assert found == {"H1": ["odd address", "second look"], "H2": ["odd address"]}
    (freed,) = await listed(market, "holds", "release", "H1", "--comment", "it exists")
    assert (freed["held"], [hold["release_comment"] for hold in freed["holds"]]) == (False, ["it exists"] * 2)
    _, output, _ = await waybill(market, "holds", "list")
    assert [line.split()[0] for line in output.splitlines()[1:]] == ["H2"]
    code, _, errors = await waybill(market, "holds", "release", "H2", "--hold", "hld_other")
    assert (code, "RESOURCE_NOT_FOUND" in errors) == (1, True)


async def test_keys_are_listed_rotated_and_withdrawn_and_tokens_of_that_one_end_at_once(sqlite_market: Marketplace) -> None:
    ada = sqlite_market.people.ada
    before = await ada.orders.ListOrders(order_service_pb2.ListOrdersRequest(direction=order_pb2.DIRECTION_ALL))
    (first,) = await listed(sqlite_market, "keys", "list")
    (published,) = await listed(sqlite_market, "keys", "rotate")
    assert (first["state"], published["state"]) == ("SIGNING_KEY_STATE_SIGNING", "SIGNING_KEY_STATE_PUBLISHED")
    code, _, errors = await waybill(sqlite_market, "keys", "rotate")
    assert (code, "KEY_ROTATION_RUNNING" in errors) == (2, True)
    token = await issued(sqlite_market)
    assert await refusal(sqlite_market, token) == ""
    ended, signs = await listed(sqlite_market, "keys", "withdraw", first["kid"])
    assert (ended["state"], signs["kid"], signs["state"]) == (
        "SIGNING_KEY_STATE_WITHDRAWN",
        published["kid"],
        "SIGNING_KEY_STATE_SIGNING",
    )
    assert await refusal(sqlite_market, token) == "TOKEN_INVALID"
    assert await ada.orders.ListOrders(order_service_pb2.ListOrdersRequest(direction=order_pb2.DIRECTION_ALL)) == before
    _, output, _ = await waybill(sqlite_market, "keys", "list")
    assert [line.split()[:2] for line in output.splitlines()[1:]] == [[published["kid"], "SIGNING"], [first["kid"], "WITHDRAWN"]]


async def issued(market: Marketplace) -> str:
    """A token of ada's, beside the one that her client keeps."""
    by_password = token_service_pb2.PasswordGrant(username="ada", password=PASSWORD)
    request = token_service_pb2.IssueTokenRequest(client_id=SHOP, password=by_password)
    return str((await market.people.ada.tokens.IssueToken(request)).access_token)


async def refusal(market: Marketplace, token: str) -> str:
    """Why the order service refuses a token; empty when it does not."""
    async with grpc.aio.insecure_channel(market.address) as channel:
        try:
            call = order_service_pb2_grpc.OrderServiceStub(channel).ListOrders
            await call(
                order_service_pb2.ListOrdersRequest(direction=order_pb2.DIRECTION_ALL),
                metadata=(("authorization", f"Bearer {token}"),),
            )
        except grpc.aio.AioRpcError as error:
            return str(from_rpc_error(error).reason)
    return ""
