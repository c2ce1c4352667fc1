"""Outbox entries that wait for an operator. They break no invariant, but somebody has to hear of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KIND = "parked"
"""Kinds of the facts about them."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A change that another service has rejected, or never understood."""

    context: str
    kind: str
    id: str
    since: str
    """When it was parked, ISO 8601."""
    error: str

    @staticmethod
    def of(context: str, values: Mapping[str, str]) -> Parked:
        """As its context states it."""
        return Parked(context, values["kind"], values["id"], values["since"], values["error"])

    @property
    def entry(self) -> str:
        """Its name in `waybill outbox`."""
        return f"{self.context}/{self.kind}/{self.id}"
