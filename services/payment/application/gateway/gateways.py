"""Which gateway holds the money of a payment: one per type of payment means."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from services.payment.application.gateway.ports import Gateway


class Gateways:
    """The marketplace's gateways by type of payment, such as `credit_card`. One may serve several types."""

    def __init__(self, by_type: Mapping[str, Gateway]) -> None:
        self._by_type = dict(by_type)

    def of(self, type: str) -> Gateway:
        """The gateway of this type of payment. Raises LookupError for a type whose money no gateway holds."""
        return self._by_type[type]

    def name_of(self, type: str) -> str:
        """Its name; empty for a type whose money no gateway holds."""
        found = self._by_type.get(type)
        return "" if found is None else found.name

    def named(self, name: str) -> Gateway | None:
        """The gateway of a name; None for one that is not in use."""
        return next((gateway for gateway in self._by_type.values() if gateway.name == name), None)

    async def close(self) -> None:
        """Closes each of them once, at the end of the process. One that fails keeps no other from being closed."""
        each = {id(gateway): gateway for gateway in self._by_type.values()}
        ends = await asyncio.gather(*(gateway.close() for gateway in each.values()), return_exceptions=True)
        failed = [end for end in ends if isinstance(end, BaseException)]
        if failed:
            raise failed[0]
