"""What a gateway is asked, and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Verdict(StrEnum):
    """What a gateway says."""

    APPROVED = "APPROVED"
    """Done; for a void: nothing is held under this key, and nothing will be."""
    DECLINED = "DECLINED"
    NOTHING = "NOTHING"
    """It knows no operation under this key, or holds nothing under it any more."""
    UNKNOWN = "UNKNOWN"
    """It did not answer."""
    ACTION_REQUIRED = "ACTION_REQUIRED"
    """Its buyer has to act on a page of the provider."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A gateway's answer."""

    verdict: Verdict
    reference: str = ""
    message: str = ""
    expire_time: datetime | None = None
    """Of an authorization: when it lapses by itself; None when the gateway does not say."""
    url: str = ""
    """Of one that waits for its buyer: the page where that is done."""


class GatewayTimeout(Exception):
    """The gateway did not answer: what became of the operation is not known."""


class Gateway(Protocol):
    """A payment provider. Every operation has our key: the same key is the same operation, however often it is sent.

    Methods raise `GatewayTimeout`, or anything else, when the outcome is not known; they never guess one.
    """

    name: str
    """Unique among the gateways of a marketplace: the ledger has an account of that name."""

    def needs_buyer(self, token: str) -> bool:
        """Whether a payment by this token waits for its buyer: it is begun with `start`, and not with `authorize`."""
        ...

    async def start(self, key: str, token: str, amount: int, currency: str, return_url: str, until: datetime) -> Answer:
        """Begins to hold an amount in micros, for which its buyer has to act until then: ACTION_REQUIRED with the URL."""

    async def authorize(self, key: str, token: str, amount: int, currency: str) -> Answer:
        """Holds an amount in micros."""

    async def void(self, key: str) -> Answer:
        """Ends the authorization of this key, or makes sure that there will be none.

        An adapter whose provider cannot refuse an authorization in advance answers UNKNOWN until the provider's own
        time for late approvals has passed.
        """

    async def capture(self, key: str, authorization_key: str, amount: int, currency: str) -> Answer:
        """Takes money of an authorization."""

    async def refund(self, key: str, authorization_key: str, amount: int, currency: str) -> Answer:
        """Gives captured money back."""

    async def get_by_key(self, key: str) -> Answer:
        """What became of an operation."""

    def callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[str] | None:
        """Our keys of the operations that a call-back is about; None unless the provider has signed it just now. `headers` are
        by their names in small letters."""

    async def close(self) -> None:
        """Ends its connections, at the end of the process; nothing is asked after that."""
