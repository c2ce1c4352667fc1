"""Registrations are counted as failed sign-ins are, in the directory's database, so all of its replicas count together.

Every one counts, whatever comes of it: for the network address that it comes from, and then for the e-mail address that it
would send to and the API client that it goes through. So nobody fills the table or a mailbox, and one address does not use up
what a client has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from libs.clock import Clock
from libs.errors import Kind, WaybillError
from libs.identify import folded
from services.directory.application.tokens.throttle import Origin, Refusing, SignIns, tally_key
from waybill.directory.v1 import reasons

ACTION = "RefuseRegistrations"
"""What the log of administrative acts calls it."""


@dataclass(frozen=True, slots=True)
class RegistrationLimits:
    """How many within the window."""

    source: int
    email: int
    client: int
    window: timedelta
    wrong_tokens: int
    """Wrong tokens of one source within their window."""
    wrong_window: timedelta


class RegistrationThrottle:
    """Refuses after so many within the window."""

    def __init__(self, clock: Clock, tallies: SignIns, limits: RegistrationLimits) -> None:
        self._clock = clock
        self._tallies = tallies
        self._limits = limits

    async def come_from(self, origin: Origin) -> None:
        """Counts one from there. Raises TOO_MANY_ATTEMPTS."""
        if not origin.shared:
            said = Refusing(self._limits.source, f"anybody from {origin.source}", ACTION)
            await self._count({tally_key("registration from", origin.source): ("source", said)})

    async def go_to(self, email: str, client_id: str) -> None:
        """Counts one for an e-mail address and a client. Raises TOO_MANY_ATTEMPTS."""
        # The log of acts lasts, and names nobody's e-mail address.
        to, through = Refusing(self._limits.email, "one e-mail address", ACTION), Refusing(self._limits.client, client_id, ACTION)
        await self._count(
            {
                tally_key("registration to", folded(email)): ("email", to),
                tally_key("registration through", client_id): ("client", through),
            }
        )

    async def check_tokens(self, origin: Origin) -> None:
        """Raises TOO_MANY_ATTEMPTS where too many wrong tokens came from."""
        if origin.shared:
            return
        key, now = tally_key("confirmation from", origin.source), self._clock.now()
        found = (await self._tallies.tallies([key], now)).get(key)
        if found is not None and found.attempts >= self._limits.wrong_tokens:
            raise _refused("source", found.end - now)

    async def wrong_token(self, origin: Origin) -> None:
        """Counts one from there."""
        if not origin.shared:
            now, said = self._clock.now(), Refusing(self._limits.wrong_tokens, f"anybody from {origin.source}", ACTION)
            await self._tallies.count({tally_key("confirmation from", origin.source): said}, now, now + self._limits.wrong_window)

    async def _count(self, keys: Mapping[str, tuple[str, Refusing]]) -> None:
        now = self._clock.now()
        counts = await self._tallies.count({key: said for key, (_, said) in keys.items()}, now, now + self._limits.window)
        for key, (what, said) in keys.items():
            if counts[key] > said.limit:
                left = (await self._tallies.tallies([key], now)).get(key)
                raise _refused(what, self._limits.window if left is None else left.end - now)


def _refused(what: str, left: timedelta) -> WaybillError:
    text = "too many registrations: wait a while"
    return WaybillError(Kind.EXHAUSTED, reasons.TOO_MANY_ATTEMPTS, text, metadata={"limit": what}, retry_after=left)
