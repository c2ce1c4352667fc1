"""Asks a gateway within a time; whatever goes wrong, the outcome is then not known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from libs.obs import get_logger
from services.payment.application.ports import Answer, Gateway, GatewayTimeout, Verdict

_LOG = get_logger("payment.gateway")
UNKNOWN = Answer(Verdict.UNKNOWN)
BROKEN = Answer(Verdict.UNKNOWN, message="gateway_failed")
"""It has not been silent: asking it failed."""
NO_CARD = Answer(Verdict.DECLINED, message="no_card")
"""Ours, not a gateway's: the card was deleted."""


class AskGateway:
    """Never raises: no answer is an answer of its own."""

    def __init__(self, gateway: Gateway, timeout: float) -> None:
        self._gateway = gateway
        self._timeout = timeout
        self.name = gateway.name

    async def __call__(self, operation: Callable[[Gateway], Awaitable[Answer]], within: float | None = None) -> Answer:
        """The answer, or UNKNOWN after the time-out or `within` seconds."""
        limit = self._timeout if within is None else min(self._timeout, within)
        if limit <= 0:
            return UNKNOWN
        try:
            async with asyncio.timeout(limit):
                return await operation(self._gateway)
        except (TimeoutError, GatewayTimeout):
            _LOG.info("gateway_silent", gateway=self.name)
        except Exception as error:
            # Its text may quote what was sent.
            _LOG.error("gateway_failed", gateway=self.name, error=type(error).__name__)
            return BROKEN
        return UNKNOWN
