"""SetOrderSubStatus, BatchSetOrderSubStatuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from libs.auth import Principal
from libs.auth.roles import FULL_ACCESS
from libs.clock import Clock
from libs.errors import missing, precondition
from libs.idempotency.key import RequestKey
from services.order.application.access import require_writable
from services.order.application.ports import Units
from services.order.domain.history import changed
from services.order.domain.model import Event, Order
from services.order.domain.reading.visibility import Direction, scope
from services.order.domain.status import Trigger
from services.order.domain.sub_statuses import SubStatus, require_enterable, require_settable
from waybill.order.v1 import reasons


@dataclass(frozen=True, slots=True)
class Setting:
    """Which order gets which sub-status; an empty version tag is not looked at."""

    order_id: str
    sub_status: str
    etag: str = ""


class SetSubStatus:
    """All orders or none, in a number of statements that does not depend on how many they are."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def __call__(self, caller: Principal, settings: Sequence[Setting], request: RequestKey | None) -> list[Order]:
        """The orders as they are now, in the order of the settings. Raises what stands against the first that may not."""
        async with self._units.transaction() as work:
            now = self._clock.now()
            recorded = await work.requests.claim(request, {"order": settings[0].order_id}, now)
            store = work.sub_statuses
            orders = await store.orders([one.order_id for one in settings], scope(caller, Direction.ALL))
            for one in settings:
                if one.order_id not in orders:
                    raise missing("order", one.order_id)
            if recorded is not None:
                return [orders[one.order_id] for one in settings]
            named = {one.sub_status for one in settings} | {order.sub_status for order in orders.values()} - {""}
            known = await store.known(sorted(named))
            made = [self._entered(caller, orders[one.order_id], one, known, now) for one in settings]
            await store.save([both for both in made if both is not None])
        return [orders[one.order_id] if both is None else both[0] for one, both in zip(settings, made, strict=True)]

    def _entered(
        self, caller: Principal, order: Order, setting: Setting, known: Mapping[str, SubStatus], now: datetime
    ) -> tuple[Order, Event] | None:
        """The order in the sub-status, and the event; None for an order that is in it already."""
        require_writable(caller, order, now, Trigger.MARK, setting.etag)
        target = known.get(setting.sub_status)
        if target is None:
            raise precondition(
                reasons.SUB_STATUS_NOT_FOUND,
                f"there is no sub-status {setting.sub_status!r}",
                order=order.id,
                sub_status=setting.sub_status,
            )
        require_settable(order, target, caller.party_kind, caller.roles, FULL_ACCESS in caller.roles)
        if order.sub_status == target.id:
            return None
        require_enterable(order, target, known)
        data = {"sub_status": target.id, "former_sub_status": order.sub_status}
        after = replace(order, sub_status=target.id, sub_status_time=now)
        return changed(after, "order_sub_status_set", caller.user_id, caller.party_id, now, data=data)
