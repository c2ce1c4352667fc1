"""Errors as google.rpc.Status, in both directions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from libs.errors import FieldViolation, Kind, RuleViolation, WaybillError

_CODES = {kind: getattr(grpc.StatusCode, kind.value) for kind in Kind}
_KINDS = {code: kind for kind, code in _CODES.items()}
_UNKNOWN_OUTCOME = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
)


def to_status(error: WaybillError, context: str) -> status_pb2.Status:
    """The error as it goes over the wire."""
    code = _CODES[error.kind]
    status = status_pb2.Status(code=code.value[0], message=error.message)
    _pack(
        status,
        error_details_pb2.ErrorInfo(
            reason=error.reason, domain=error.domain or f"waybill.{context}", metadata=error.metadata
        ),
    )
    if error.fields:
        detail = error_details_pb2.BadRequest()
        for v in error.fields:
            detail.field_violations.add(field=v.field, description=v.description, reason=v.reason)
        _pack(status, detail)
    if error.rules:
        rules = error_details_pb2.PreconditionFailure()
        for r in error.rules:
            rules.violations.add(type=r.type, subject=r.subject, description=r.description)
        _pack(status, rules)
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(error.retry_after)
        _pack(status, retry)
    return status


def _pack(status: status_pb2.Status, detail: Any) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)


def internal(context: str) -> status_pb2.Status:
    """A defect: nothing of it is told."""
    status = status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message="an internal error; the log has it")
    _pack(status, error_details_pb2.ErrorInfo(reason="INTERNAL", domain=f"waybill.{context}"))
    return status


def from_rpc_error(error: grpc.aio.AioRpcError, dependency: str) -> WaybillError:
    """The error that a peer raised. A peer that did not answer leaves the outcome unknown: UNAVAILABLE."""
    code = error.code()
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    if status is None:
        if code in _UNKNOWN_OUTCOME or code not in _KINDS:
            return WaybillError(
                Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", f"{dependency} did not answer",
                metadata={"dependency": dependency}, retry_after=timedelta(seconds=1),
            )  # fmt: skip
        return WaybillError(_KINDS[code], code.name, error.details() or code.name)
    return from_status(status, _KINDS.get(code, Kind.UNAVAILABLE))


def from_status(status: status_pb2.Status, kind: Kind) -> WaybillError:
    """Reads the details back."""
    info = error_details_pb2.ErrorInfo(reason="UNKNOWN")
    fields: list[FieldViolation] = []
    rules: list[RuleViolation] = []
    retry_after = None
    for packed in status.details:
        if packed.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            packed.Unpack(info)
        elif packed.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest()
            packed.Unpack(bad)
            fields = [FieldViolation(v.field, v.reason, v.description) for v in bad.field_violations]
        elif packed.Is(error_details_pb2.PreconditionFailure.DESCRIPTOR):
            failed = error_details_pb2.PreconditionFailure()
            packed.Unpack(failed)
            rules = [RuleViolation(v.type, v.subject, v.description) for v in failed.violations]
        elif packed.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            packed.Unpack(retry)
            retry_after = retry.retry_delay.ToTimedelta()
    return WaybillError(
        kind, info.reason, status.message, metadata=dict(info.metadata), fields=fields, rules=rules,
        retry_after=retry_after, domain=info.domain,
    )  # fmt: skip
