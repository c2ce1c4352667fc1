"""UpdateOrder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from libs.protoconv import merge_xp, xp_size_ok
from services.order.application.access import writable
from services.order.application.building.build_order import address_ids, check_currencies, require_override_roles, resolve_address
from services.order.application.peers import Directory, OrderingContext
from services.order.application.ports import Units
from services.order.domain.building.drafts import OrderDraft
from services.order.domain.checkout.amounts import with_fees, with_gratuity
from services.order.domain.history import changed
from services.order.domain.model import Order
from services.order.domain.status import OrderStatus, Trigger
from waybill.order.v1 import reasons

PATHS = frozenset(
    {
        "shipping_address_id",
        "shipping_address",
        "billing_address_id",
        "billing_address",
        "comments",
        "from_user",
        "xp",
        "shipping_cost_override",
        "tax_override",
        "gratuity",
        "fees",
    }
)
_STALING = PATHS - {"comments", "from_user", "billing_address_id", "billing_address", "xp", "gratuity", "fees"}


class UpdateOrder:
    """Changes the fields of the mask. xp may change in every status; everything else while UNSUBMITTED."""

    def __init__(self, units: Units, directory: Directory, clock: Clock) -> None:
        self._units = units
        self._directory = directory
        self._clock = clock

    async def __call__(
        self, caller: Principal, draft: OrderDraft, paths: Sequence[str], etag: str, found: Violations, request: RequestKey | None
    ) -> Order:
        """The order as stored."""
        trigger = Trigger.MARK if set(paths) <= {"xp"} else Trigger.EDIT
        context = None
        if any("address" in path for path in paths):
            context = await self._context(caller, draft, trigger, etag, request)
        async with self._units.transaction() as work:
            now = self._clock.now()
            recorded = await work.requests.claim(request, {"id": draft.id}, now)
            order = await writable(
                work.orders, caller, draft.id, now, Trigger.MARK if recorded else trigger, "" if recorded else etag
            )
            if recorded is not None:
                return order
            require_override_roles(caller, paths)
            check_currencies(found, order.currency, draft.currencies)
            edited = self._edited(found, order, draft, paths, context)
            found.raise_if_any()
            if not paths:
                return order
            after, event = changed(
                edited,
                "order_updated",
                caller.user_id,
                caller.party_id,
                now,
                content=bool(_STALING & set(paths)) or ("xp" in paths and order.status is OrderStatus.UNSUBMITTED),
                data={"fields": sorted(paths)},
            )
            await work.orders.save(order, after, [event])
        return after

    async def _context(
        self, caller: Principal, draft: OrderDraft, trigger: Trigger, etag: str, request: RequestKey | None
    ) -> OrderingContext | None:
        """The addresses that are named; None when the request has been answered before."""
        async with self._units.reading() as work:
            if await work.requests.find(request) is not None:
                return None
            seen = await writable(work.orders, caller, draft.id, self._clock.now(), trigger, etag, lock=False)
        named = address_ids(draft, ())
        return await self._directory.ordering_context(seen.buyer_id, seen.user.id, caller.client_id, named, seen.guest)

    def _edited(
        self, found: Violations, order: Order, draft: OrderDraft, paths: Sequence[str], context: OrderingContext | None
    ) -> Order:
        if context is not None and {"shipping_address_id", "shipping_address"} & set(paths):
            id, address = resolve_address(
                found, "order.shipping_address", draft.shipping_address_id, draft.shipping_address, context
            )
            order = replace(order, shipping_address_id=id, shipping_address=address)
        if context is not None and {"billing_address_id", "billing_address"} & set(paths):
            id, address = resolve_address(
                found, "order.billing_address", draft.billing_address_id, draft.billing_address, context, billing=True
            )
            order = replace(order, billing_address_id=id, billing_address=address)
        if context is not None and _STALING & set(paths):
            order = replace(order, tax_exemptions=context.tax_exemptions)
        if "from_user" in paths:
            order = _named(found, order, draft)
        if "gratuity" in paths:
            order = with_gratuity(order, draft.gratuity)
        if "fees" in paths:
            order = with_fees(order, draft.fees)
        if "xp" in paths:
            order = replace(order, xp=merge_xp(order.xp, draft.xp))
            xp_size_ok(found, "order.xp", order.xp)
        return replace(
            order,
            comments=(draft if "comments" in paths else order).comments,
            shipping_cost_override=(draft if "shipping_cost_override" in paths else order).shipping_cost_override,
            tax_override=(draft if "tax_override" in paths else order).tax_override,
        )


def _named(found: Violations, order: Order, draft: OrderDraft) -> Order:
    """With what a guest calls itself. Who signed in is called as the directory has it: that may be repeated, not changed."""
    user = replace(order.user, **asdict(draft.guest))
    if order.guest or user == order.user:
        return replace(order, user=user)
    found.add("order.from_user", reasons.NO_GUEST, "only a guest's order says what its user is called")
    return order
