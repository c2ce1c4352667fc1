"""What a mutation answers, beside what its repeat answers and what is read right after it: they must be the same."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import waybill
from libs.rpc import peers
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import aio
from waybill_client.calls import identified

TIMES = {"read_time", "price_time", "rate_time"}
"""Fields of answers that differ from one moment to the next."""
READS = ("Get", "List", "Watch", "Check", "BatchGet", "Validate", "IssueToken")
"""What begins the names of methods that change nothing."""
_unary_unary = aio._Channel.unary_unary


@dataclass(slots=True)
class Answers:
    """Mutations whose answers were compared, and how they differed from what was read."""

    compared: set[str] = field(default_factory=set)
    differences: list[str] = field(default_factory=list)

    def compare(self, method: str, told: Message, read: Message | None) -> None:
        """One message of an answer."""
        self.compared.add(method)
        if read is None:
            self.differences.append(f"{method}: {told.DESCRIPTOR.name} is not there")
        elif told != read:
            names = [f.name for f in told.DESCRIPTOR.fields if getattr(told, f.name) != getattr(read, f.name)]
            self.differences.append(f"{method}: {told.DESCRIPTOR.name} differs in {', '.join(names)}")


@cache
def services() -> list[ServiceDescriptor]:
    """Every service of the contracts."""
    names = [m.name for m in pkgutil.walk_packages(waybill.__path__, "waybill.") if m.name.endswith("_service_pb2")]
    return [s for name in names for s in importlib.import_module(name).DESCRIPTOR.services_by_name.values()]


def method(resource: Descriptor, prefix: str) -> MethodDescriptor | None:
    """The method of a resource's own package whose name is the prefix and the resource's."""
    package = resource.file.package
    found = (s.methods_by_name.get(prefix + resource.name) for s in services() if s.file.package == package)
    return next((one for one in found if one is not None), None)


async def invoke(channel: Any, called: MethodDescriptor, request: Message) -> Any:
    """A call by a method's descriptor."""
    path = f"/{called.containing_service.full_name}/{called.name}"
    answer = GetMessageClass(called.output_type)
    call = _unary_unary(
        channel, path, request_serializer=type(request).SerializeToString, response_deserializer=answer.FromString
    )
    return await call(request)


async def _read(channel: Any, told: Any, answer: Any) -> Any:
    """What the message in an answer is a picture of, as it is read."""
    if isinstance(told, order_pb2.Order) or told.DESCRIPTOR.name == "LineItem":
        order_id = told.id if isinstance(told, order_pb2.Order) else answer.order.id
        called = method(order_pb2.Order.DESCRIPTOR, "Get")
        assert called is not None
        request = order_service_pb2.GetOrderRequest(order_id=order_id, direction=order_pb2.DIRECTION_ALL, include_line_items=True)
        read = await invoke(channel, called, request)
        return read.order if isinstance(told, order_pb2.Order) else next((x for x in read.line_items if x.id == told.id), None)
    checkout = next(s for s in services() if s.name == "CheckoutService").methods_by_name
    if told.DESCRIPTOR.name == "Payment":
        listed = await invoke(channel, checkout["ListPayments"], pb.ListPaymentsRequest(order_id=told.order_id))
        return next((x for x in listed.payments if x.id == told.id), None)
    if told.DESCRIPTOR.name == "OrderWorksheet":
        return (await invoke(channel, checkout["GetWorksheet"], pb.GetWorksheetRequest(order_id=told.order.id))).worksheet
    called = method(told.DESCRIPTOR, "Get")
    assert called is not None, f"nothing reads a {told.DESCRIPTOR.full_name}"
    (id_field,) = (f.name for f in called.input_type.fields if f.name.endswith("_id"))
    read = await invoke(channel, called, GetMessageClass(called.input_type)(**{id_field: told.id}))
    (shown,) = (f.name for f in called.output_type.fields if f.message_type == told.DESCRIPTOR)
    return getattr(read, shown)


def _messages(answer: Message) -> Iterator[Message]:
    for shown, value in answer.ListFields():
        if shown.message_type is not None:
            yield from (value if shown.is_repeated else [value])


def compared(monkeypatch: pytest.MonkeyPatch, unreadable: frozenset[str] = frozenset()) -> Answers:
    """From now on every mutation through the asynchronous client is repeated, with its request id, and followed by a
    reading, by the same caller."""
    answers = Answers()

    def unary_unary(self: Any, path: str, *args: Any, **options: Any) -> Callable[..., Any]:
        call = _unary_unary(self, path, *args, **options)
        name = path.rpartition("/")[2]
        if name.startswith(READS):
            return call

        async def compares(request: Any, timeout: float | None = 60.0) -> Any:
            request = identified(request)
            answer = await call(request, timeout)
            if await call(request, timeout) != answer:
                answers.differences.append(f"{name}: its repeat answers something else")
            for told in _messages(answer):
                if told.DESCRIPTOR.name not in unreadable:
                    answers.compare(name, told, await _read(self, told, answer))
            return answer

        return compares

    monkeypatch.setattr(aio._Channel, "unary_unary", unary_unary)
    return answers


def sent_twice(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """From now on every call between services is sent twice, and both answers are to be the same, but for what they show of
    the time."""
    answers, plain = Answers(), peers._PeerChannel.unary_unary

    def unary_unary(self: Any, path: str, *args: Any, **options: Any) -> Callable[..., Any]:
        call = plain(self, path, *args, **options)

        async def twice(request: Any, timeout: float = peers.DEFAULT_TIMEOUT) -> Any:
            first, second = await call(request, timeout), await call(request, timeout)
            for answer in (first, second):
                for name in TIMES.intersection(answer.DESCRIPTOR.fields_by_name):
                    answer.ClearField(name)
            answers.compare(path.rpartition("/")[2], first, second)
            return second

        return twice

    monkeypatch.setattr(peers._PeerChannel, "unary_unary", unary_unary)
    return answers
