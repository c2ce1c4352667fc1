"""DeleteOrder: an order that was never submitted is gone, with its lines and payments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import missing, stale
from libs.idempotency.key import RequestKey
from libs.json_value import JsonObject
from services.order.application.access import locked, readable, require_settled, require_writable
from services.order.application.peers import Payments
from services.order.application.ports import OrderWork, Units
from services.order.application.records import Gone
from services.order.domain.history import changed
from services.order.domain.model import Order
from services.order.domain.status import Trigger

LOOKS = 5
"""How often a deletion that others' changes overtake is begun again."""
Body = Callable[[Order], JsonObject]
"""The last body of an order, as the feed of changes shows it: JSON of its message."""


class DeleteOrder:
    """Payments go first, all or none, in the service that has them: whatever holds money refuses. They go at a version of the
    order, and none comes at that version afterwards; the order is deleted only while it has that version still. So neither a
    payment nor an attempt to submit is ever left without its order, wherever this stops, and a repeat goes on."""

    def __init__(self, units: Units, payments: Payments, clock: Clock, body: Body) -> None:
        self._units = units
        self._payments = payments
        self._clock = clock
        self._body = body

    async def __call__(self, caller: Principal, order_id: str, etag: str, request: RequestKey | None) -> None:
        """Deletes; a repeat of the same request is no error."""
        for _ in range(LOOKS):
            async with self._units.reading(snapshot=True) as work:
                if await work.requests.find(request) is not None:
                    return
                seen = await readable(work.orders, caller, order_id)
            _require_deletable(caller, seen, self._clock.now(), etag)
            await self._payments.delete(seen)
            try:
                async with self._units.transaction() as work:
                    await self._delete(work, caller, seen, etag, request)
                return
            except _Overtaken:
                continue
        raise stale("order", order_id, str(seen.version))

    async def _delete(self, work: OrderWork, caller: Principal, seen: Order, etag: str, request: RequestKey | None) -> None:
        now = self._clock.now()
        if await work.requests.claim(request, {"order": seen.id}, now) is not None:
            return
        order = await locked(work.orders, caller, seen.id)
        if order.key != seen.key:
            raise missing("order", seen.id)
        _require_deletable(caller, order, now, etag)
        if order.version != seen.version:
            raise _Overtaken
        gone, event = changed(order, "order_deleted", caller.user_id, caller.party_id, now)
        await work.orders.delete([Gone(gone, event, self._body(order))])


class _Overtaken(Exception):
    """The order has changed since its payments went: undoes the transaction."""


def _require_deletable(caller: Principal, order: Order, now: datetime, etag: str) -> None:
    require_writable(caller, order, now, Trigger.DELETE, etag)
    require_settled(order)
