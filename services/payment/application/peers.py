"""What the use cases ask of the other contexts. Clients under `adapters` fulfil these."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Protocol

from services.payment.application.ports import Alert


class Memberships(Protocol):
    """The directory, which knows who is in which group."""

    async def group_ids(self, user_id: str) -> Collection[str]:
        """The groups that the user is in now; raises when the directory does not answer."""
        ...


class Decisions(Protocol):
    """The order service, which alone decides about attempts."""

    async def resolve(self, key: uuid.UUID, attempt: int) -> str:
        """TRYING, ACCEPTED or REFUSED; raises when it does not answer."""


class OrderPeer(Protocol):
    """The order service, which takes reports about payments."""

    async def report(self, alerts: Sequence[Alert], patience: float) -> set[uuid.UUID]:
        """Returns keys of orders that it does not know."""

    async def ended(self, keys: Collection[uuid.UUID], *, captured: bool = False) -> set[uuid.UUID]:
        """Which of these orders have ended; if `captured`, without those of which something has shipped that is still to be
        captured. Raises when it does not answer."""
