"""The contracts as they describe themselves: every service, and calls by a method's descriptor."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import waybill


@cache
def services() -> list[ServiceDescriptor]:
    """All of them."""
    names = [m.name for m in pkgutil.walk_packages(waybill.__path__, "waybill.") if m.name.endswith("_service_pb2")]
    return [s for name in names for s in importlib.import_module(name).DESCRIPTOR.services_by_name.values()]


async def invoke(channel: Any, method: MethodDescriptor, request: Message) -> Any:
    """One call through a client's channel."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    into, out_of = type(request).SerializeToString, GetMessageClass(method.output_type).FromString
    return await channel.unary_unary(path, request_serializer=into, response_deserializer=out_of)(request)
