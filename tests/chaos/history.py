"""What clients did and what they were answered, and the judgement over it once everything has come to rest.

Every operation has a tag of its own, so that a single look at the end shows whether it happened, and how often. Whoever had
no answer repeats the operation then, with its request id, and has one; that must be what is seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from services.host.sample.parties import People
from tests.chaos import steps
from tests.chaos.steps import until_answered
from waybill.fulfillment.v1 import shipment_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2
from waybill_client import WaybillError
from waybill_client.money import decimal

OK, FAIL, UNKNOWN = "ok", "fail", "unknown"
_SUBMITTED = (order_pb2.ORDER_STATUS_OPEN, order_pb2.ORDER_STATUS_COMPLETED, order_pb2.ORDER_STATUS_CANCELED)


class Undecided(Exception):
    """An answer that says that the attempt goes on."""


@dataclass(slots=True)
class Operation:
    """One call of a client, with its repeats."""

    kind: str
    """place, ship, hold, release or cancel."""
    order: str
    tag: str
    outcome: str = UNKNOWN
    detail: str = ""
    """The last error."""
    answer: str = ""
    """What a good answer said."""
    repeat: Callable[[], Awaitable[object]] | None = None
    """The same call again, with its request id."""
    doubted: bool = False
    """Whether it was unknown when the storm was over."""
    units: dict[str, int] = field(default_factory=dict)
    forbidden: bool = False
    """Whether it must not be done: the order was on hold."""


@dataclass(slots=True)
class Verdict:
    """What the history says."""

    counts: Counter[str] = field(default_factory=Counter)
    """Operations by kind and outcome, and how the unknown ones turned out."""
    lost: list[str] = field(default_factory=list)
    """Acknowledged, and not there."""
    doubled: list[str] = field(default_factory=list)
    """There more than once, or more of it than was asked for."""
    phantom: list[str] = field(default_factory=list)
    """Refused, and there all the same."""
    torn: list[str] = field(default_factory=list)
    """Seen to be done, while the repeat of the same call was refused, or not answered at rest either."""

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.doubled or self.phantom or self.torn)


async def resolve(people: People, history: list[Operation]) -> list[str]:
    """Repeats every operation whose outcome is unknown; from then on it is known. What is torn.

    An operation that never arrived is done by its repeat, or refused: the judgement sees which.
    """
    torn: list[str] = []
    for op in history:
        if op.outcome != UNKNOWN:
            continue
        op.doubted = True
        seen = await _seen(people, op)
        assert op.repeat is not None, op
        try:
            await _repeated(op.repeat)
            op.outcome = OK
        except TimeoutError:
            torn.append(f"{op.tag}: not answered at rest")
        except WaybillError as error:
            op.outcome, op.detail = FAIL, error.reason
            if seen:
                torn.append(f"{op.tag}: seen to be done, its repeat says {error}")
    return torn


async def _repeated(call: Callable[[], Awaitable[object]]) -> None:
    async with steps.patience():
        while True:
            with suppress(Undecided):
                await until_answered(call)
                return
            await steps.moment()


async def _seen(people: People, op: Operation) -> bool:
    """Whether the operation is seen to be done."""
    try:
        order = (await until_answered(lambda: steps.read(people.ada, op.order))).order
    except WaybillError as error:
        if error.code.name != "NOT_FOUND":
            raise
        return False
    if op.kind == "ship":
        return op.tag in await _shipments(people, op.order)
    if op.kind == "hold":
        return any(hold.comment == op.tag for hold in order.holds)
    if op.kind == "release":
        return any(hold.comment == op.tag and hold.HasField("release_time") for hold in order.holds)
    return _is_canceled(order) if op.kind == "cancel" else order.status in _SUBMITTED


def _is_canceled(order: order_pb2.Order) -> bool:
    """Whole, or what was left of it when something had shipped."""
    rest = order.status == order_pb2.ORDER_STATUS_COMPLETED and bool(decimal(order.canceled.total))
    return rest or order.status == order_pb2.ORDER_STATUS_CANCELED


async def judge(people: People, history: list[Operation]) -> Verdict:
    """Compares the history with what stands in the marketplace."""
    verdict = Verdict(Counter(f"{op.kind} {UNKNOWN if op.doubted else op.outcome}" for op in history))
    by_order: dict[str, dict[str, list[Operation]]] = {}
    for op in history:
        by_order.setdefault(op.order, {}).setdefault(op.kind, []).append(op)
    for order, kinds in by_order.items():
        await _judge_order(people, order, kinds, verdict)
    return verdict


async def _judge_order(people: People, id: str, kinds: dict[str, list[Operation]], verdict: Verdict) -> None:
    (placed,) = kinds["place"]
    try:
        found = await until_answered(lambda: steps.read(people.ada, id))
    except WaybillError as error:
        if error.code.name != "NOT_FOUND":
            raise
        if placed.outcome == OK:
            verdict.lost.append(f"{id}: acknowledged as {placed.answer}; it is not there")
        _turned_out(placed, False, verdict)
        return
    happened = found.order.status in _SUBMITTED
    if placed.outcome == OK and not happened:
        verdict.lost.append(f"{id}: acknowledged as {placed.answer}; it is {order_pb2.OrderStatus.Name(found.order.status)}")
    if placed.outcome == FAIL and happened:
        verdict.phantom.append(f"{id}: refused, submitted all the same")
    _turned_out(placed, happened, verdict)
    if happened:
        _judge_cancels(found.order, kinds.get("cancel", []), verdict)
        _judge_holds(found.order, kinds.get("hold", []), kinds.get("release", []), verdict)
        await _judge_shipments(people, found, kinds.get("ship", []), verdict)
        await _judge_money(people, found.order, verdict)


def _turned_out(op: Operation, happened: bool, verdict: Verdict) -> None:
    if op.doubted:
        how = "done" if happened else f"refused when repeated: {op.detail}"
        verdict.counts[f"{op.kind} unknown, {how}"] += 1


def _judge_cancels(order: order_pb2.Order, cancels: list[Operation], verdict: Verdict) -> None:
    canceled = _is_canceled(order)
    for op in cancels:
        if op.outcome == OK and not canceled:
            verdict.lost.append(f"{op.tag}: the cancel was acknowledged")
        _turned_out(op, canceled, verdict)
    if canceled and not any(op.outcome in (OK, UNKNOWN) for op in cancels):
        verdict.phantom.append(f"{order.id}: canceled by nobody")


def _judge_holds(order: order_pb2.Order, holds: list[Operation], releases: list[Operation], verdict: Verdict) -> None:
    there = Counter(hold.comment for hold in order.holds)
    ended = {hold.comment for hold in order.holds if hold.HasField("release_time")}
    for op in holds:
        if op.outcome == OK and not there[op.tag]:
            verdict.lost.append(f"{order.id} {op.tag}: the hold was acknowledged")
        if op.outcome == FAIL and there[op.tag]:
            verdict.phantom.append(f"{order.id} {op.tag}: the hold was refused")
        if there[op.tag] > 1:
            verdict.doubled.append(f"{order.id} {op.tag}: {there[op.tag]} holds")
        _turned_out(op, there[op.tag] > 0, verdict)
    for op in releases:
        if op.outcome == OK and op.tag not in ended:
            verdict.lost.append(f"{order.id} {op.tag}: the hold's release was acknowledged")
        _turned_out(op, op.tag in ended, verdict)


async def _judge_shipments(
    people: People, found: order_service_pb2.GetOrderResponse, ships: list[Operation], verdict: Verdict
) -> None:
    order, lines = found.order, found.line_items
    there = await _shipments(people, order.id)
    for op in ships:
        if op.outcome == OK and not there[op.tag]:
            verdict.lost.append(f"{op.tag}: the shipment was acknowledged")
        if op.outcome == FAIL and there[op.tag]:
            verdict.phantom.append(f"{op.tag}: the shipment was refused")
        if op.forbidden and there[op.tag]:
            verdict.phantom.append(f"{op.tag}: shipped while the order was on hold")
        _turned_out(op, there[op.tag] > 0, verdict)
    shipped: Counter[str] = Counter()
    for op in ships:
        if there[op.tag]:
            shipped.update(op.units)
    for line in lines:
        if line.quantity_shipped != shipped[line.id]:
            verdict.doubled.append(f"{order.id} {line.id}: {line.quantity_shipped} shipped, {shipped[line.id]} asked for")


async def _shipments(people: People, id: str) -> Counter[str]:
    page = await until_answered(
        lambda: people.sam.shipments.ListShipments(shipment_service_pb2.ListShipmentsRequest(order_id=id, page_size=100))
    )
    return Counter(s.id for s in page.shipments)


async def _judge_money(people: People, order: order_pb2.Order, verdict: Verdict) -> None:
    answer = await until_answered(lambda: people.ada.checkout.ListPayments(pb.ListPaymentsRequest(order_id=order.id)))
    due = decimal(order.total) - decimal(order.canceled.total)
    # Of an order that was canceled in part a card holds what was authorized for the whole, and is charged what is due.
    part = bool(decimal(order.canceled.total)) and order.status != order_pb2.ORDER_STATUS_CANCELED
    held = sum((decimal(p.due_amount) if part else _net(p) for p in answer.payments), Decimal())
    states = ", ".join(f"{payment.type} {payment_pb2.PaymentState.Name(payment.state)}" for payment in answer.payments)
    text = f"{order.id}, attempt {order.submission.attempt}: {held} charged, {due} due ({states})"
    if held > due:
        verdict.doubled.append(text)
    elif held < due:
        verdict.lost.append(text)


def _net(payment: payment_pb2.Payment) -> Decimal:
    """What is held of a card or taken from an account."""
    card = payment.type == "credit_card"
    plus = payment_pb2.PAYMENT_TRANSACTION_TYPE_AUTHORIZE if card else payment_pb2.PAYMENT_TRANSACTION_TYPE_CONFIRM
    sign = {plus: 1, payment_pb2.PAYMENT_TRANSACTION_TYPE_VOID: -1}
    return sum(
        (
            sign.get(t.type, 0) * decimal(t.amount)
            for t in payment.transactions
            if t.result == payment_pb2.PAYMENT_TRANSACTION_RESULT_SUCCEEDED
        ),
        Decimal(),
    )
