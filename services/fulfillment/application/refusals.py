"""Everything that stands against a request, as one error."""

from __future__ import annotations

from collections.abc import Sequence

from libs.errors import FieldViolation, Kind, RuleViolation, WaybillError
from services.fulfillment.domain.refusal import Refusal
from waybill.fulfillment.v1 import reasons


def refusal(found: Sequence[Refusal]) -> WaybillError:
    """INVALID_ARGUMENT when the request names what is not there, else FAILED_PRECONDITION; all violations
    in it.

    The reason is the one that all have in common; of several different rules, the first.
    """
    fields = [FieldViolation(r.field, r.reason, r.description) for r in found if r.in_request]
    rules = [RuleViolation(r.reason, r.field, r.description) for r in found if not r.in_request]
    kinds = list(dict.fromkeys(r.reason for r in found))
    first = found[0]
    if fields:
        single = len(kinds) == 1
        return WaybillError(
            Kind.INVALID,
            kinds[0] if single else reasons.INVALID_REQUEST,
            first.description,
            metadata={"field": first.field} if single else {},
            fields=fields,
            rules=rules,
        )
    return WaybillError(Kind.PRECONDITION, first.reason, first.description, metadata=first.metadata, rules=rules)
