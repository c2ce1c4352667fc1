"""Errors as google.rpc.Status, in both directions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from libs.errors import FieldViolation, Kind, RuleViolation, WaybillError
from waybill.type.v1 import reasons
from waybill.type.v1.reasons import ReasonName

_CODES = {kind: getattr(grpc.StatusCode, kind.value) for kind in Kind}
_KINDS = {code: kind for kind, code in _CODES.items()}
DETAIL_BYTES = 3_600
"""What violations may take. They travel in the trailers, of which many clients accept no more than 8 KiB."""
MESSAGE_CHARACTERS = 250
"""The message travels twice."""
leaving: Callable[[status_pb2.Status], None] | None = None
"""Sees every error as it leaves. Tests hold each to what its contract promises; nothing is set where Waybill serves."""


def to_status(error: WaybillError, context: str) -> status_pb2.Status:
    """The error as it goes over the wire. Its domain is the context whose contract has the reason; of a common one, the service
    that gave it first.

    Violations that would burst the trailers are left out; `omitted_violations` in ErrorInfo's metadata counts
    them.
    """
    code = _CODES[error.kind]
    status = status_pb2.Status(code=code.value[0], message=error.message[:MESSAGE_CHARACTERS])
    fields, rules, omitted = _violations(error)
    metadata = {name: value[:MESSAGE_CHARACTERS] for name, value in error.metadata.items()}
    if omitted:
        metadata["omitted_violations"] = str(omitted)
    domain = error.domain or f"waybill.{context}"
    _pack(status, error_details_pb2.ErrorInfo(reason=error.reason, domain=domain, metadata=metadata))
    if fields.field_violations:
        _pack(status, fields)
    if rules.violations:
        _pack(status, rules)
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(error.retry_after)
        _pack(status, retry)
    return _left(status)


def _left(status: status_pb2.Status) -> status_pb2.Status:
    if leaving is not None:
        leaving(status)
    return status


def _violations(error: WaybillError) -> tuple[error_details_pb2.BadRequest, error_details_pb2.PreconditionFailure, int]:
    fields = error_details_pb2.BadRequest()
    rules = error_details_pb2.PreconditionFailure()
    left, omitted = DETAIL_BYTES, 0
    for v in error.fields:
        left -= len(v.field.encode()) + len(v.reason) + len(v.description.encode()) + 10
        if left < 0:
            omitted += 1
        else:
            fields.field_violations.add(field=v.field, description=v.description, reason=v.reason)
    for r in error.rules:
        left -= len(r.subject.encode()) + len(r.type) + len(r.description.encode()) + 10
        if left < 0:
            omitted += 1
        else:
            rules.violations.add(type=r.type, subject=r.subject, description=r.description)
    return fields, rules, omitted


def _pack(status: status_pb2.Status, detail: Any) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)


def internal(context: str) -> status_pb2.Status:
    """A defect: the caller sees nothing of it."""
    status = status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message="an internal error; the log has it")
    _pack(status, error_details_pb2.ErrorInfo(reason=reasons.INTERNAL, domain=f"waybill.{context}"))
    return _left(status)


def from_rpc_error(error: grpc.aio.AioRpcError, dependency: str) -> WaybillError:
    """The error that a peer raised.

    A peer that did not answer, or failed by a defect, leaves the outcome unknown: DEPENDENCY_UNAVAILABLE. So
    does one that refuses this service's own identity, which is not the caller's fault.
    """
    code = error.code()
    kind = _KINDS.get(code)
    status = rpc_status.from_call(error)
    if kind is None or kind is Kind.UNAUTHENTICATED or (status is None and kind is Kind.UNAVAILABLE):
        # Without details it is gRPC's own INTERNAL: the transport's trouble.
        return unanswered(dependency, defect=code is grpc.StatusCode.INTERNAL and status is not None)
    if status is None:
        return WaybillError(kind, ReasonName(code.name), error.details() or code.name)
    return from_status(status, kind)


def unanswered(dependency: str, defect: bool = False) -> WaybillError:
    """A service did not answer, or failed by a defect: what became of the call is unknown."""
    return WaybillError(
        Kind.UNAVAILABLE,
        reasons.DEPENDENCY_UNAVAILABLE,
        f"{dependency} did not answer",
        metadata={"dependency": dependency},
        retry_after=timedelta(seconds=1),
        defect=defect,
    )


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
            fields = [FieldViolation(v.field, ReasonName(v.reason), v.description) for v in bad.field_violations]
        elif packed.Is(error_details_pb2.PreconditionFailure.DESCRIPTOR):
            failed = error_details_pb2.PreconditionFailure()
            packed.Unpack(failed)
            rules = [RuleViolation(ReasonName(v.type), v.subject, v.description) for v in failed.violations]
        elif packed.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            packed.Unpack(retry)
            retry_after = retry.retry_delay.ToTimedelta()
    return WaybillError(
        kind,
        ReasonName(info.reason),
        status.message,
        metadata=dict(info.metadata),
        fields=fields,
        rules=rules,
        retry_after=retry_after,
        domain=info.domain,
    )
