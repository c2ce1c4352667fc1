"""The three methods that every kind of assignment has, between messages and what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from libs.auth import PartyKind
from libs.idempotency.key import RequestKey, key_of
from libs.query.request import page_request
from libs.rpc import current
from services.catalog.application.catalogs.assigning import Assigning
from services.catalog.application.choices.specifying import AssigningSpecs
from services.catalog.application.ports import AssignmentLists
from services.catalog.contract.assignments import keys_in, row_out, rows_in
from services.catalog.domain.catalogs.assignment import Kind


def _request(message: Any) -> RequestKey | None:
    return key_of(current().principal, current().method, message)


def supplier() -> str:
    """The supplier that the caller is of; empty for others."""
    caller = current().principal
    return caller.party_id if caller.party_kind is PartyKind.SUPPLIER else ""


class Assigned:
    """Assignments of one kind, as requests name them."""

    def __init__(self, kind: Kind, assigning: Assigning | AssigningSpecs, lists: AssignmentLists) -> None:
        self._kind = kind
        self._assigning = assigning
        self._lists = lists

    async def assign(self, request: Any) -> None:
        """Makes what the request says."""
        await self._assigning.assign(_request(request), rows_in(self._kind, request.assignments), supplier())

    async def unassign(self, request: Any) -> None:
        """Ends what the request names."""
        await self._assigning.unassign(_request(request), keys_in(self._kind, request.assignments), supplier())

    async def page(self, request: Any, message: Callable[..., Any]) -> dict[str, Any]:
        """The fields of the answer."""
        caller = current().principal
        bound = {"party": caller.party_id, "user": caller.user_id}
        page = await self._lists.page(self._kind, page_request(request), bound, supplier())
        return {
            "assignments": [row_out(message, row) for row in page.items],
            "next_page_token": page.next_page_token,
            "total_size": page.total_size,
        }
