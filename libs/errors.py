"""The one error type that use cases raise. The rpc layer turns it into a google.rpc.Status."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from waybill.type.v1 import reasons
from waybill.type.v1.reasons import ReasonName


class Kind(StrEnum):
    """What sort of failure it is; each maps to one gRPC status code."""

    INVALID = "INVALID_ARGUMENT"
    MISSING = "NOT_FOUND"
    EXISTS = "ALREADY_EXISTS"
    PRECONDITION = "FAILED_PRECONDITION"
    STALE = "ABORTED"
    DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    EXHAUSTED = "RESOURCE_EXHAUSTED"
    UNAVAILABLE = "UNAVAILABLE"
    OUT_OF_RANGE = "OUT_OF_RANGE"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field of the request that breaks a rule."""

    field: str
    reason: ReasonName
    description: str


@dataclass(frozen=True, slots=True)
class RuleViolation:
    """A rule or status that stands against the request. `type` is the reason's name."""

    type: ReasonName
    subject: str
    description: str


class WaybillError(Exception):
    """A failure that the caller can understand and act on."""

    def __init__(
        self,
        kind: Kind,
        reason: ReasonName,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        fields: Sequence[FieldViolation] = (),
        rules: Sequence[RuleViolation] = (),
        retry_after: timedelta | None = None,
        domain: str = "",
        defect: bool = False,
        undone: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.fields = tuple(fields)
        self.rules = tuple(rules)
        self.retry_after = retry_after
        self.domain = domain
        """`waybill.<context>` of the service that raised it; empty until it has crossed the wire."""
        self.defect = defect
        """Whether a service that was called did answer, with INTERNAL: it may fail at this very call for ever. Our own
        callers do not see it."""
        self.undone = undone
        """Whether our own database undid the transaction because of others' and has not been tried often enough: done again,
        it may succeed. Never true of what crossed the wire."""

    def __repr__(self) -> str:
        return f"WaybillError({self.kind.value}, {self.reason}, {self.message!r})"


def missing(resource: str, id: str) -> WaybillError:
    """There is no such resource, or the caller may not see it."""
    return WaybillError(
        Kind.MISSING, reasons.RESOURCE_NOT_FOUND, f"there is no {resource} {id!r}", metadata={"resource": resource, "id": id}
    )


def exists(resource: str, id: str) -> WaybillError:
    """The id is taken."""
    return WaybillError(
        Kind.EXISTS, reasons.RESOURCE_EXISTS, f"{resource} {id!r} exists already", metadata={"resource": resource, "id": id}
    )


def was_deleted(resource: str, id: str) -> WaybillError:
    """The id is that of something that was deleted less than 30 days ago."""
    return WaybillError(
        Kind.EXISTS,
        reasons.ID_OF_DELETED,
        f"there was a {resource} {id!r}: its id is free again 30 days after it was deleted",
        metadata={"resource": resource, "id": id},
    )


def stale(resource: str, id: str, etag: str) -> WaybillError:
    """The resource changed since it was read; `etag` is the current one."""
    return WaybillError(
        Kind.STALE,
        reasons.ETAG_MISMATCH,
        f"{resource} {id!r} changed since it was read",
        metadata={"resource": resource, "id": id, "etag": etag},
    )


def denied(role: str) -> WaybillError:
    """The caller lacks a role."""
    return WaybillError(Kind.DENIED, reasons.ROLE_MISSING, f"this needs the role {role}", metadata={"role": role})


def not_admitted(field: str, parties: str) -> WaybillError:
    """The caller is of a company that may not set the field; `parties` are the kinds of those that may."""
    why = f"{field} is set by users of: {parties}"
    fields = [FieldViolation(field, reasons.PARTY_NOT_ADMITTED, why)]
    return WaybillError(Kind.DENIED, reasons.PARTY_NOT_ADMITTED, why, metadata={"parties": parties}, fields=fields)


def impersonated(impersonator_id: str, field: str = "") -> WaybillError:
    """The caller acts in the place of a user; `field` is what it may not set, where it is not the method."""
    why = f"{field or 'this method'} is not for whoever acts in the place of a user"
    fields = [FieldViolation(field, reasons.IMPERSONATED, why)] if field else []
    return WaybillError(Kind.DENIED, reasons.IMPERSONATED, why, metadata={"impersonator": impersonator_id}, fields=fields)


def precondition(reason: ReasonName, message: str, **metadata: str) -> WaybillError:
    """A rule or status stands against it."""
    return WaybillError(Kind.PRECONDITION, reason, message, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Use:
    """What uses a resource: of one kind so many, and the ids of some."""

    kind: str
    count: int
    ids: Sequence[str]

    def __str__(self) -> str:
        more = ", ..." if self.count > len(self.ids) else ""
        return f"{self.kind}: {self.count} ({', '.join(self.ids)}{more})"


def in_use(resource: str, id: str, uses: Sequence[Use]) -> WaybillError:
    """Something refers to it, so it cannot be deleted."""
    return WaybillError(
        Kind.PRECONDITION,
        reasons.RESOURCE_IN_USE,
        f"{resource} {id!r} is used by {'; '.join(str(use) for use in uses)}",
        metadata={"resource": resource, "id": id, "used_by": "; ".join(str(use) for use in uses)},
        rules=[RuleViolation(reasons.RESOURCE_IN_USE, use.kind, f"{use} uses it") for use in uses],
    )


def invalid(field: str, reason: ReasonName, description: str) -> WaybillError:
    """One field breaks one rule."""
    found = Violations()
    found.add(field, reason, description)
    return found.error()


_ID = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")


class Violations:
    """Collects everything that is wrong with a request, so that the caller hears of it all at once."""

    def __init__(self) -> None:
        self.items: list[FieldViolation] = []

    def __bool__(self) -> bool:
        return bool(self.items)

    def add(self, field: str, reason: ReasonName, description: str) -> None:
        """Notes that `field` breaks the rule named by `reason`."""
        self.items.append(FieldViolation(field, reason, description))

    def require(self, field: str, holds: bool, reason: ReasonName, description: str) -> None:
        """Notes a violation unless `holds`."""
        if not holds:
            self.add(field, reason, description)

    def also(self, others: Violations) -> None:
        """Notes what was noted elsewhere."""
        self.items += others.items

    def check_id(self, field: str, value: str, required: bool = True) -> None:
        """Notes a missing or malformed id."""
        if not value:
            if required:
                self.add(field, reasons.FIELD_REQUIRED, "is required")
        elif not _ID.match(value):
            self.add(field, reasons.ID_INVALID, "an id is 1 to 100 characters of A-Z a-z 0-9 _ -")

    def error(self) -> WaybillError:
        """The error that names every violation."""
        kinds = {v.reason for v in self.items}
        first = self.items[0]
        text = "; ".join(f"{v.field}: {v.description}" for v in self.items[:5])
        if len(self.items) > 5:
            text += f"; and {len(self.items) - 5} more"
        return WaybillError(
            Kind.INVALID,
            first.reason if len(kinds) == 1 else reasons.INVALID_REQUEST,
            text,
            metadata={"field": first.field} if len(kinds) == 1 else {},
            fields=self.items,
        )

    def raise_if_any(self) -> None:
        """Raises when anything was noted."""
        if self.items:
            raise self.error()
