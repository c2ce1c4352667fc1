"""What a mutation answers, beside what its repeat answers and what is read right after it: they must be the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from libs.rpc import peers
from tests.support.contracts import invoke, services
from waybill.order.v1 import checkout_service_pb2, checkout_service_pb2_grpc, order_pb2, order_service_pb2, order_service_pb2_grpc
from waybill_client import aio
from waybill_client.calls import identified

TIMES = {"read_time", "price_time", "rate_time"}
"""Fields of answers that differ from one moment to the next."""
READS = ("Get", "List", "Count", "Watch", "Check", "BatchGet", "Validate", "Simulate", "Sum", "IssueToken")
"""What begins the names of methods that change nothing."""


@dataclass(slots=True)
class Answers:
    """Mutations whose answers were compared, and how they differed from what was read."""

    compared: set[str] = field(default_factory=set)
    differences: list[str] = field(default_factory=list)

    def compare(self, method: str, given: Message, read: Message | None) -> None:
        """One message of an answer."""
        self.compared.add(method)
        if read is None:
            self.differences.append(f"{method}: {given.DESCRIPTOR.name} is not there")
        elif given != read:
            names = [f.name for f in given.DESCRIPTOR.fields if getattr(given, f.name) != getattr(read, f.name)]
            self.differences.append(f"{method}: {given.DESCRIPTOR.name} differs in {', '.join(names)}")


async def _line(client: Any, given: Any, answer: Any) -> Any:
    read = await _order_of(client, answer.order.id)
    return next((line for line in read.line_items if line.id == given.id), None)


async def _order(client: Any, given: Any, _: Any) -> Any:
    return (await _order_of(client, given.id)).order


async def _order_of(client: Any, id: str) -> Any:
    request = order_service_pb2.GetOrderRequest(order_id=id, direction=order_pb2.DIRECTION_ALL, include_line_items=True)
    return await order_service_pb2_grpc.OrderServiceStub(client).GetOrder(request)


async def _payment(client: Any, given: Any, _: Any) -> Any:
    listed = await checkout_service_pb2_grpc.CheckoutServiceStub(client).ListPayments(
        checkout_service_pb2.ListPaymentsRequest(order_id=given.order_id)
    )
    return next((payment for payment in listed.payments if payment.id == given.id), None)


async def _redirect(client: Any, given: Any, _: Any) -> Any:
    """Of an order whose id is that of its payment."""
    request = checkout_service_pb2.ListPaymentsRequest(order_id=given.payment_id)
    listed = await checkout_service_pb2_grpc.CheckoutServiceStub(client).ListPayments(request)
    return next((payment.redirect for payment in listed.payments if payment.id == given.payment_id), None)


async def _worksheet(client: Any, given: Any, _: Any) -> Any:
    request = checkout_service_pb2.GetWorksheetRequest(order_id=given.order.id)
    return (await checkout_service_pb2_grpc.CheckoutServiceStub(client).GetWorksheet(request)).worksheet


async def _resource(client: Any, given: Any, _: Any) -> Any:
    """By the method of its own package that gets it."""
    kind = given.DESCRIPTOR
    mine = (s.methods_by_name.get(f"Get{kind.name}") for s in services() if s.file.package == kind.file.package)
    (method,) = (found for found in mine if found is not None)
    (key,) = (f.name for f in method.input_type.fields if f.name.endswith("_id"))
    read = await invoke(client, method, GetMessageClass(method.input_type)(**{key: given.id}))
    (shown,) = (f.name for f in method.output_type.fields if f.message_type == kind)
    return getattr(read, shown)


_READERS = {"Order": _order, "LineItem": _line, "Payment": _payment, "PaymentRedirect": _redirect, "OrderWorksheet": _worksheet}
"""How a message of an answer is read, by its name; everything else has a method that gets it."""


def _messages(answer: Message) -> Iterator[Message]:
    for shown, value in answer.ListFields():
        if shown.message_type is not None:
            yield from (value if shown.is_repeated else [value])


def compared(monkeypatch: pytest.MonkeyPatch, unreadable: frozenset[str] = frozenset()) -> Answers:
    """From now on every mutation through the asynchronous client is repeated, with its request id, and followed by a
    reading, by the same caller."""
    answers, plain = Answers(), aio._Channel.unary_unary

    def unary_unary(self: Any, path: str, *args: Any, **options: Any) -> Callable[..., Any]:
        call = plain(self, path, *args, **options)
        name = path.rpartition("/")[2]
        if name.startswith(READS):
            return call

        async def compares(request: Any, timeout: float | None = 60.0) -> Any:
            request = identified(request)
            answer = await call(request, timeout)
            if await call(request, timeout) != answer:
                answers.differences.append(f"{name}: its repeat answers something else")
            for given in _messages(answer):
                kind = given.DESCRIPTOR.name
                if kind not in unreadable:
                    answers.compare(name, given, await _READERS.get(kind, _resource)(self, given, answer))
            return answer

        return compares

    monkeypatch.setattr(aio._Channel, "unary_unary", unary_unary)
    return answers


def _timeless(answer: Any) -> Message:
    """A copy: who called needs the times."""
    copy = type(answer)()
    copy.CopyFrom(answer)
    for name in TIMES.intersection(copy.DESCRIPTOR.fields_by_name):
        copy.ClearField(name)
    return copy


def sent_twice(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """From now on every call between services is sent twice, and both answers are to be the same, but for what they show of
    the time."""
    answers, plain = Answers(), peers._PeerChannel.unary_unary

    def unary_unary(self: Any, path: str, *args: Any, **options: Any) -> Callable[..., Any]:
        call = plain(self, path, *args, **options)

        async def twice(request: Any, timeout: float | None = None) -> Any:
            first, second = await call(request, timeout), await call(request, timeout)
            answers.compare(path.rpartition("/")[2], _timeless(first), _timeless(second))
            return second

        return twice

    monkeypatch.setattr(peers._PeerChannel, "unary_unary", unary_unary)
    return answers
