"""MarkMessagesSent."""

from __future__ import annotations

from collections.abc import Sequence

from libs.clock import Clock
from libs.idempotency.key import RequestKey
from services.directory.application.ports import DirectoryWork, Units


class MarkMessagesSent:
    """Whoever sends messages says which are sent."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def __call__(self, ids: Sequence[str], request: RequestKey | None) -> list[str]:
        """Those that do not exist. A repeat marks nothing that it has not marked before."""
        now = self._clock.now()

        async def do(work: DirectoryWork) -> list[str]:
            # What is sent already is not marked again, so a repeat needs no more than to be the same request.
            await work.requests.claim(request, {}, now)
            known, marked = await work.messages.mark_sent(ids, now)
            for id in sorted(marked):
                work.trail.note("message", id, now, fields=["sent_time"])
            return [id for id in ids if id not in known]

        return await self._units.retrying(do)
