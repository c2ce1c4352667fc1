"""Asks a payment's gateway within a time; whatever goes wrong, the outcome is then not known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from libs.obs import get_logger
from services.payment.application.gateway.gateways import Gateways
from services.payment.application.gateway.ports import Answer, Gateway, GatewayTimeout, Verdict

_LOG = get_logger("payment.gateway")
UNKNOWN = Answer(Verdict.UNKNOWN)
BROKEN = Answer(Verdict.UNKNOWN, message="gateway_failed")
"""It has not been silent: asking it failed."""
NO_CARD = Answer(Verdict.DECLINED, message="no_card")
"""Ours, not a gateway's: the card was deleted."""


class AskGateway:
    """Never raises: no answer is an answer of its own."""

    def __init__(self, gateways: Gateways, timeout: float) -> None:
        self._gateways = gateways
        self._timeout = timeout

    async def __call__(
        self, payment_type: str, operation: Callable[[Gateway], Awaitable[Answer]], within: float | None = None
    ) -> Answer:
        """The answer of the gateway of this type of payment, or UNKNOWN after the time-out or `within` seconds."""
        limit = self._timeout if within is None else min(self._timeout, within)
        if limit <= 0:
            return UNKNOWN
        gateway = self._gateways.of(payment_type)
        try:
            async with asyncio.timeout(limit):
                return await operation(gateway)
        except (TimeoutError, GatewayTimeout):
            _LOG.info("gateway_silent", gateway=gateway.name)
        except Exception as error:
            # Its text may quote what was sent.
            _LOG.error("gateway_failed", gateway=gateway.name, error=type(error).__name__)
            return BROKEN
        return UNKNOWN
