"""A service without business, for tests of the rpc layer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.wrappers_pb2 import StringValue

from libs.service.app import ServiceApp
from waybill.type.v1.access_pb2 import Access, Admission
from waybill.type.v1.access_pb2 import access as option
from waybill.type.v1.party_pb2 import PartyKind

SERVICE = "test.echo.v1.EchoService"
ECHO = f"/{SERVICE}/Echo"
WATCH = f"/{SERVICE}/Watch"
OPEN = f"/{SERVICE}/Open"
INNER = f"/{SERVICE}/Inner"
CALLING = ("echo", "edge", "near", "order", "pricing", "test")
"""Services that may call its methods; `Inner` is for the order service alone."""
EVERY_USER = Access(admits=[Admission(parties=[value for value in PartyKind.values() if value])], services=CALLING)


def describe(service: str, methods: dict[str, Access]) -> None:
    """Adds the contract of a service to those that are known, once; its methods take a text and answer with one."""
    package, _, name = service.rpartition(".")
    file = descriptor_pb2.FileDescriptorProto(name=f"{service}.proto", package=package, syntax="proto3")
    file.dependency.extend(["google/protobuf/wrappers.proto", "waybill/type/v1/access.proto"])
    described = file.service.add(name=name)
    text_kind = ".google.protobuf.StringValue"
    for method, access in methods.items():
        made = described.method.add(name=method, input_type=text_kind, output_type=text_kind, server_streaming=method == "Watch")
        made.options.Extensions[option].CopyFrom(access)
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())


describe(
    SERVICE,
    {
        "Echo": EVERY_USER,
        "Open": Access(open=True, services=CALLING),
        "Inner": Access(service_only=True, services=["order"]),
        "Watch": EVERY_USER,
    },
)


class EchoServicer:
    """Answers with what it was given to answer."""

    def __init__(self, answer: Callable[[str], Awaitable[str]] | None = None) -> None:
        self.answer = answer
        self.watched: Callable[[str], AsyncIterator[str]] | None = None

    async def Echo(self, request: StringValue, context: Any) -> StringValue:
        """Answers with the same, or with what `answer` says."""
        return StringValue(value=request.value if self.answer is None else await self.answer(request.value))

    Open = Inner = Echo

    async def Watch(self, request: StringValue, context: Any) -> AsyncIterator[StringValue]:
        """Streams the characters, or what `watched` yields."""
        if self.watched is None:
            for character in request.value:
                yield StringValue(value=character)
            return
        async for text in self.watched(request.value):
            yield StringValue(value=text)


def add_echo(servicer: Any, server: Any) -> None:
    """What a generated add function does."""
    kinds: dict[str, Any] = {"request_deserializer": StringValue.FromString, "response_serializer": StringValue.SerializeToString}
    handlers = {
        "Echo": grpc.unary_unary_rpc_method_handler(servicer.Echo, **kinds),
        "Open": grpc.unary_unary_rpc_method_handler(servicer.Open, **kinds),
        "Inner": grpc.unary_unary_rpc_method_handler(servicer.Inner, **kinds),
        "Watch": grpc.unary_stream_rpc_method_handler(servicer.Watch, **kinds),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


class EchoStub:
    """What a generated stub is."""

    def __init__(self, channel: Any) -> None:
        kinds: dict[str, Any] = {
            "request_serializer": StringValue.SerializeToString,
            "response_deserializer": StringValue.FromString,
        }
        self.Echo = channel.unary_unary(ECHO, **kinds, _registered_method=True)
        self.Open = channel.unary_unary(OPEN, **kinds, _registered_method=True)
        self.Inner = channel.unary_unary(INNER, **kinds, _registered_method=True)
        self.Watch = channel.unary_stream(WATCH, **kinds, _registered_method=True)


def echo_app(servicer: EchoServicer | None = None, name: str = "echo", **more: Any) -> ServiceApp:
    """The service, built. `Open` needs no token, and only the order service calls `Inner`."""
    return ServiceApp(name=name, registrations=[(add_echo, servicer or EchoServicer(), SERVICE)], **more)


async def gather(stream: AsyncIterator[StringValue], got: list[str]) -> None:
    """Reads a stream to its end, noting what came before it failed."""
    async for answer in stream:
        got.append(answer.value)


def text(value: str) -> StringValue:
    """A request."""
    return StringValue(value=value)
