"""What stands against a request, so that all of it can be said at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from waybill.fulfillment.v1 import reasons


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule that stands against a request.

    `in_request` when the request itself names what is not there.
    """

    field: str
    reason: reasons.ReasonName
    description: str
    metadata: Mapping[str, str]
    in_request: bool = False
