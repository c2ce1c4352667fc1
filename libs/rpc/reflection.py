"""Reflection under both of its names.

Clients ask for `grpc.reflection.v1` first by now, and older ones know `grpc.reflection.v1alpha` alone. The two differ in their
package and in nothing on the wire. grpcio-reflection has the second only, so its servicer answers for both, and the
description of the first is made from that of the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

V1ALPHA = "grpc.reflection.v1alpha"
V1 = "grpc.reflection.v1"
V1_FILE = "grpc/reflection/v1/reflection.proto"
NAMES = (f"{V1}.ServerReflection", f"{V1ALPHA}.ServerReflection")
"""The services."""


def register_reflection(server: Any, services: Sequence[str]) -> None:
    """Adds both services to a server; they list `services` and themselves."""
    _describe()
    servicer = reflection.aio.ReflectionServicer([*services, *NAMES])
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)
    method = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler(f"{V1}.ServerReflection", {"ServerReflectionInfo": method})
    server.add_generic_rpc_handlers((handler,))


def _describe() -> None:
    """Puts the description of v1 where reflection itself looks descriptions up, once in a process."""
    pool = descriptor_pool.Default()
    try:
        pool.FindFileByName(V1_FILE)
    except KeyError:
        pool.AddSerializedFile(_described().SerializeToString())


def _described() -> descriptor_pb2.FileDescriptorProto:
    """The file of v1alpha with the package of v1."""
    file = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(file)
    file.name, file.package = V1_FILE, V1
    file.ClearField("options")
    for message in file.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = _moved(field.type_name)
    for method in file.service[0].method:
        method.input_type, method.output_type = _moved(method.input_type), _moved(method.output_type)
    return file


def _moved(name: str) -> str:
    return name.replace(f".{V1ALPHA}.", f".{V1}.")
