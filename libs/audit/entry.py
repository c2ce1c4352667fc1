"""What the log of administrative acts says, apart from how it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from libs.auth import Principal
from libs.query.request import Page, PageRequest


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act on one resource."""

    id: int
    time: datetime
    action: str
    method: str
    resource: str
    resource_id: str
    fields: Sequence[str]
    user_id: str
    party: str
    """The company of the user, `BUYER:acme`."""
    impersonator_id: str
    client_id: str
    request_id: str


class AuditLog(Protocol):
    """The log of one service."""

    async def list(self, caller: Principal, request: PageRequest) -> Page[AuditEntry]:
        """A page, the newest first unless the request orders otherwise."""
