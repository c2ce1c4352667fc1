"""The contracts as they describe themselves: every service, and calls by a method's descriptor."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import waybill


@cache
def services() -> list[ServiceDescriptor]:
    """All of them."""
    names = [m.name for m in pkgutil.walk_packages(waybill.__path__, "waybill.") if m.name.endswith("_service_pb2")]
    return [s for name in names for s in importlib.import_module(name).DESCRIPTOR.services_by_name.values()]


def requested(services: Iterable[ServiceDescriptor]) -> dict[str, Descriptor]:
    """Every message that requests are made of, by its full name; those of the standard library left out."""
    found: dict[str, Descriptor] = {}
    waiting = [m.input_type for s in services for m in s.methods]
    while waiting:
        message = waiting.pop()
        if message.full_name not in found and message.full_name.startswith("waybill."):
            found[message.full_name] = message
            waiting += [f.message_type for f in message.fields if f.message_type is not None]
    return found


async def invoke(channel: Any, method: MethodDescriptor, request: Message) -> Any:
    """One call through a client's channel."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    into, out_of = type(request).SerializeToString, GetMessageClass(method.output_type).FromString
    return await channel.unary_unary(path, request_serializer=into, response_deserializer=out_of)(request)


def reasons_of(context: str) -> set[str]:
    """Names of a context's own reasons; of `type`, the common ones."""
    values = importlib.import_module(f"waybill.{context}.v1.error_reason_pb2").DESCRIPTOR.enum_types_by_name.values()
    return {v.name.split("ERROR_REASON_")[1] for enum in values for v in enum.values if v.number}
