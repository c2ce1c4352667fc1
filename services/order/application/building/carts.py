"""GetCart, AddCartItems, PinCart, UnpinCart: the order that a user means by its cart."""

from __future__ import annotations

from collections.abc import Sequence

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations, WaybillError, exists, missing, stale, was_deleted
from libs.idempotency.key import RequestKey
from services.order.application.access import locked
from services.order.application.building.build_order import BuildOrder
from services.order.application.building.create_order import created, quoted
from services.order.application.building.delete_order import LOOKS
from services.order.application.building.line_items import LineItems
from services.order.application.building.quoted import Quoted, noted
from services.order.application.peers import Pricing
from services.order.application.ports import OrderIdOfDeleted, OrderIdTaken, OrderWork, Units
from services.order.application.records import Cart, Outcome
from services.order.domain.building.drafts import LineDraft, OrderDraft
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.model import Line, Order
from services.order.domain.reading.visibility import Direction, scope
from services.order.domain.status import OrderStatus, Trigger, move
from waybill.order.v1 import reasons
from waybill.type.v1 import reasons as common

_NEW = OrderDraft(id="", buyer_id="", user_id="", currency="")
_ENDED = (common.RESOURCE_NOT_FOUND, reasons.ORDER_STATUS_CONFLICT)
"""Why nothing can be added to an order that was a cart a moment ago: it is gone, or was submitted."""


class Carts:
    """A cart is an order: what is pinned, or else the newest that was not submitted. A guest's is the one of its token."""

    def __init__(self, units: Units, build: BuildOrder, pricing: Pricing, line_items: LineItems, clock: Clock) -> None:
        self._units = units
        self._build = build
        self._pricing = pricing
        self._line_items = line_items
        self._clock = clock

    async def get(self, caller: Principal) -> tuple[Cart, tuple[Line, ...]] | None:
        """The cart with its lines, if there is one."""
        async with self._units.reading(snapshot=True) as work:
            cart = await _cart(work, caller)
            if cart is None or cart.order.status is not OrderStatus.UNSUBMITTED:
                return None
            return cart, await work.orders.lines(cart.order.key)

    async def add(self, caller: Principal, drafts: Sequence[LineDraft], found: Violations, request: RequestKey | None) -> Quoted:
        """The cart and the added lines. Of calls at the same time one makes the order, and the others add to it."""
        for last in (*(False,) * (LOOKS - 1), True):
            async with self._units.reading(snapshot=True) as work:
                recorded = await work.requests.find(request)
                cart = None if recorded else await _cart(work, caller)
            # Each look finds what is wrong by itself.
            wrong = Violations()
            wrong.also(found)
            if recorded is not None:
                return await self._line_items.add(caller, recorded["order"], drafts, "", wrong, request)
            if cart is None:
                try:
                    return await self._begun(caller, drafts, wrong, request)
                except _Overtaken:
                    continue
                except OrderIdTaken as error:
                    # A guest's: it is there by now, or in the hands of whoever it was transferred to.
                    if last:
                        raise exists("order", str(error)) from None
                    continue
            try:
                return await self._line_items.add(caller, cart.order.id, drafts, "", wrong, request)
            except WaybillError as error:
                if caller.is_guest or last or error.reason not in _ENDED:
                    raise
        raise stale("cart", caller.user_id, "")

    async def _begun(
        self, caller: Principal, drafts: Sequence[LineDraft], found: Violations, request: RequestKey | None
    ) -> Quoted:
        """A new order. Raises `_Overtaken` when there is one by now."""
        found.require("line_items", bool(drafts), reasons.FIELD_REQUIRED, "at least one line")
        order, lines, _ = await self._build(caller, _NEW, drafts, found)
        made = await quoted(self._pricing, order, lines)
        order, lines = made.order, made.lines
        outcome: Outcome = {"order": order.id, "line_items": [line.id for line in lines], "price_problems": noted(made.problems)}
        async with self._units.transaction() as work:
            if await work.requests.claim(request, outcome, self._clock.now()) is not None:
                raise _Overtaken
            await work.orders.insert(order, lines, Worksheet(), [created(order, lines, caller)])
            if caller.is_guest:
                try:
                    await work.orders.require_not_deleted(order.id)
                except OrderIdOfDeleted:
                    raise was_deleted("order", order.id) from None
            elif not await work.carts.begin(order):
                raise _Overtaken
        return made

    async def pin(self, caller: Principal, order_id: str, request: RequestKey | None) -> Order:
        """The order that is the cart now."""
        async with self._units.transaction() as work:
            recorded = await work.requests.claim(request, {"order": order_id}, self._clock.now())
            order = await locked(work.orders, caller, order_id)
            if order.guest or (order.buyer_id, order.user.id) != (caller.party_id, caller.user_id):
                raise missing("order", order_id)
            if recorded is None:
                move(order.id, order.status, Trigger.EDIT)
                await work.carts.pin(order)
        return order

    async def unpin(self, caller: Principal, request: RequestKey | None) -> None:
        """No error where nothing is pinned."""
        async with self._units.transaction() as work:
            if await work.requests.claim(request, {}, self._clock.now()) is None:
                await work.carts.unpin(caller.party_id, caller.user_id)


class _Overtaken(Exception):
    """Somebody else made the cart at the same time: undoes the transaction."""


async def _cart(work: OrderWork, caller: Principal) -> Cart | None:
    """A guest's order is found in whatever status it is: there is no other."""
    if not caller.is_guest:
        return await work.carts.find(caller.party_id, caller.user_id)
    order = await work.orders.find(caller.order_id, scope(caller, Direction.ALL))
    return None if order is None else Cart(order, pinned=False)
