"""What a buyer does on a page of the test gateway, which this service shows itself, and what the gateway does then.

A real provider has pages of its own, and calls back over the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from libs.errors import WaybillError
from libs.obs import get_logger
from services.payment.application.redirects.provider_callbacks import HandleProviderCallback

_LOG = get_logger("payment.callbacks")


@dataclass(frozen=True, slots=True)
class BuyerPage:
    """What a page is about."""

    key: str
    """The authorization, as the gateway was asked for it."""
    amount: int
    """In micros of the currency."""
    currency: str
    return_url: str
    """Where the buyer is sent back to."""
    waits: bool
    """Whether the buyer can still approve or decline."""


class BuyerPages(Protocol):
    """A gateway whose pages are shown here."""

    @property
    def name(self) -> str:
        """Its name, which is in the path of its call-backs."""
        ...

    async def page(self, reference: str) -> BuyerPage | None:
        """The page of a reference; None where there is none."""
        ...

    async def act(self, reference: str, *, approve: bool) -> str:
        """The buyer approves or declines. Nothing happens where that cannot be any more."""
        ...

    def signed(self, key: str) -> tuple[Mapping[str, str], bytes] | None:
        """Headers and body of a call-back about an authorization; None without a secret to sign it with."""
        ...


class PlayProvider:
    """Shows the page, and does what a provider does when its buyer has decided."""

    def __init__(self, pages: BuyerPages, handle: HandleProviderCallback) -> None:
        self._pages = pages
        self._handle = handle

    async def page(self, reference: str) -> BuyerPage | None:
        """The page of a reference; None where there is none."""
        return await self._pages.page(reference)

    async def decide(self, reference: str, approve: bool | None) -> str | None:
        """Where the buyer is sent back to, after the gateway has called back; `approve` is None for one who only leaves, and of
        whom nobody hears. None where there is no such page."""
        page = await self._pages.page(reference)
        if page is None:
            return None
        if approve is not None and page.waits:
            await self._pages.act(reference, approve=approve)
            await self._call_back(page.key)
        return page.return_url

    async def _call_back(self, key: str) -> None:
        """A call-back that fails keeps no buyer: whoever comes back, and whoever submits, makes payment ask as well."""
        made = self._pages.signed(key)
        if made is None:
            return
        try:
            await self._handle(self._pages.name, *made)
        except WaybillError as error:
            _LOG.warning("test_callback_failed", reason=error.reason)
