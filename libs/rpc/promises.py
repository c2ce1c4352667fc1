"""What the contracts promise of an error: the code and the metadata of its reason."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache

from google.protobuf.descriptor import FileDescriptor
from google.rpc import code_pb2, error_details_pb2, status_pb2

from waybill.type.v1.reason_options_pb2 import ReasonOptions
from waybill.type.v1.reason_options_pb2 import reason as options


@cache
def promises(domain: str) -> Mapping[str, ReasonOptions]:
    """By reason, its own and the common ones, what a service promises of its errors. `domain` is that of ErrorInfo:
    `waybill.<context>`.
    """
    return own_promises("waybill.type") | own_promises(domain)


@cache
def own_promises(domain: str) -> dict[str, ReasonOptions]:
    """Those of the reasons that the domain's own contract has; `waybill.type` has the common ones."""
    try:
        contract: FileDescriptor = importlib.import_module(f"{domain}.v1.error_reason_pb2").DESCRIPTOR
    except ModuleNotFoundError:
        return {}
    values = [value for enum in contract.enum_types_by_name.values() for value in enum.values if value.number]
    return {v.name.partition("ERROR_REASON_")[2]: v.GetOptions().Extensions[options] for v in values}


def broken_promise(status: status_pb2.Status) -> str:
    """In which way an error is not what the contract says of its reason; empty when it is.

    Of a domain without a contract only the common reasons are known.
    """
    info = error_details_pb2.ErrorInfo()
    if not any(packed.Unpack(info) for packed in status.details):
        return f"an error without ErrorInfo: {status.message}"
    promised = promises(info.domain).get(info.reason)
    if promised is None:
        return f"{info.domain} has no reason {info.reason}" if own_promises(info.domain) else ""
    if status.code != promised.code:
        code = code_pb2.Code.Name
        return f"{info.domain} {info.reason} has the code {code(status.code)}, not {code(promised.code)}"
    lacking = sorted(set(promised.metadata) - set(info.metadata))
    return f"{info.domain} {info.reason} lacks the metadata {', '.join(lacking)}" if lacking else ""
