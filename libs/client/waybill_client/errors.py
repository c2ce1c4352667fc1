"""Errors as Waybill states them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field of the request that breaks a rule."""

    field: str
    reason: str
    description: str


@dataclass(frozen=True, slots=True)
class RuleViolation:
    """A rule or status that stands against the request."""

    reason: str
    subject: str
    description: str


class WaybillError(Exception):
    """A refusal. `reason` is stable and documented in the contracts; `fields` and `rules` list everything."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = ""
        self.domain = ""
        self.metadata: dict[str, str] = {}
        self.fields: list[FieldViolation] = []
        self.rules: list[RuleViolation] = []
        self.retry_after_seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.code.name} {self.reason}: {self.message}"


def from_rpc_error(error: Any) -> WaybillError:
    """The error with its details read."""
    made = WaybillError(error.code(), error.details() or error.code().name)
    status = rpc_status.from_call(error)
    for packed in [] if status is None else status.details:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        failed, retry = error_details_pb2.PreconditionFailure(), error_details_pb2.RetryInfo()
        if packed.Unpack(info):
            made.reason, made.domain, made.metadata = info.reason, info.domain, dict(info.metadata)
        elif packed.Unpack(bad):
            made.fields = [FieldViolation(v.field, v.reason, v.description) for v in bad.field_violations]
        elif packed.Unpack(failed):
            made.rules = [RuleViolation(v.type, v.subject, v.description) for v in failed.violations]
        elif packed.Unpack(retry):
            made.retry_after_seconds = retry.retry_delay.ToTimedelta().total_seconds()
    return made
