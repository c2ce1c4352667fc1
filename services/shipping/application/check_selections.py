"""CheckSelections."""

from __future__ import annotations

from collections.abc import Sequence

from services.shipping.application.ports import TermsStore
from services.shipping.domain.selection import Selection, unavailable


class CheckSelections:
    """Answers which selected methods are off, for a whole order. Stores nothing."""

    def __init__(self, terms: TermsStore) -> None:
        self._terms = terms

    async def __call__(self, buyer_id: str, client_id: str, selections: Sequence[Selection]) -> list[Selection]:
        """The selections that may not be used any more."""
        methods = {selection.method_id for selection in selections}
        usable = await self._terms.scopes(buyer_id, client_id, methods) if methods else {}
        return unavailable(selections, usable)
