"""TransferOrder: what a guest has put together becomes the order of whoever signed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Kind, Violations, WaybillError, missing, precondition, stale
from libs.idempotency.key import RequestKey
from services.order.application.access import readable, require_settled, require_writable
from services.order.application.building.delete_order import LOOKS
from services.order.application.building.quoted import Priced, Quoted, again, noted
from services.order.application.peers import OrderingContext, Peers
from services.order.application.ports import OrderWork, Units
from services.order.application.records import Outcome
from services.order.domain.checkout.quotes import Quote, asked, with_sums
from services.order.domain.history import changed, placed
from services.order.domain.model import Address, Line, Order
from services.order.domain.reading.visibility import Direction, scope
from services.order.domain.status import Trigger
from waybill.order.v1 import reasons

Verify = Callable[[str], Awaitable[Principal]]
"""Who a token is of. Raises UNAUTHENTICATED where it does not hold."""


class TransferOrder:
    """Whoever shows a guest's token has the guest's order, while nothing was submitted. User, company and channel are the
    caller's from then on, and all that followed from the guest's is worked out anew: addresses, cost centers, prices, freight,
    tax. Payments go first, as when an order is deleted: none comes at the version that the order had."""

    def __init__(self, units: Units, peers: Peers, verify: Verify, clock: Clock) -> None:
        self._units = units
        self._peers = peers
        self._verify = verify
        self._clock = clock

    async def __call__(self, caller: Principal, anonymous_token: str, request: RequestKey | None) -> Quoted:
        """The order as it has become, with its lines at the caller's prices."""
        async with self._units.reading(snapshot=True) as work:
            recorded = await work.requests.find(request)
            if recorded is not None:
                return await self._again(work, caller, recorded)
        guest = await self._guest(anonymous_token)
        for _ in range(LOOKS):
            async with self._units.reading(snapshot=True) as work:
                seen = await readable(work.orders, guest, guest.order_id)
                lines = await work.orders.lines(seen.key)
            require_writable(guest, seen, self._clock.now(), Trigger.DELETE)
            require_settled(seen)
            context = await self._context(caller, seen, lines)
            assert context.user is not None
            theirs = replace(seen, buyer_id=caller.party_id, user=context.user)
            quote = await self._peers.pricing.quote(theirs, [asked(line) for line in lines])
            await self._peers.payments.delete(seen)
            try:
                async with self._units.transaction() as work:
                    return await self._transfer(work, caller, guest, seen, _New(context, quote), request)
            except _Overtaken:
                continue
        raise stale("order", guest.order_id, str(seen.version))

    async def _guest(self, token: str) -> Principal:
        found = Violations()
        found.require("anonymous_token", bool(token), reasons.FIELD_REQUIRED, "is required")
        found.raise_if_any()
        try:
            guest = await self._verify(token)
        except WaybillError as error:
            if error.kind is not Kind.UNAUTHENTICATED:
                raise
            guest = None
        held = guest is not None and guest.is_guest
        found.require("anonymous_token", held, reasons.GUEST_TOKEN_INVALID, "is no token of a guest that holds")
        found.raise_if_any()
        assert guest is not None
        return guest

    async def _context(self, caller: Principal, order: Order, lines: Sequence[Line]) -> OrderingContext:
        """What the directory says of the caller and the channel that the caller came by. Raises where the channel of the order
        does not admit the caller's company, or this one may not order, or orders in another currency."""
        named = {order.shipping_address_id, order.billing_address_id, *(line.shipping_address_id for line in lines)} - {""}
        context = await self._peers.directory.ordering_context(
            caller.party_id,
            caller.user_id,
            caller.client_id,
            named,
            admitting=order.client_id,
            cost_centers={line.cost_center for line in lines},
        )
        if not context.admitted:
            text = f"the channel of order {order.id} does not admit {caller.party_id}"
            raise precondition(reasons.BUYER_NOT_ADMITTED, text, order=order.id)
        found, where = Violations(), "anonymous_token"
        active = context.buyer_active and context.user is not None and context.user_active
        found.require(where, active, reasons.BUYER_INACTIVE, "the buyer or the user may not order")
        text = f"the order is in {order.currency}, and this buyer orders in {context.currency}"
        found.require(where, context.currency == order.currency, reasons.CURRENCY_MISMATCH, text)
        found.raise_if_any()
        return context

    async def _transfer(
        self, work: OrderWork, caller: Principal, guest: Principal, seen: Order, new: _New, request: RequestKey | None
    ) -> Quoted:
        now, context = self._clock.now(), new.context
        lines = await work.orders.lines(seen.key)
        priced = Priced.by(new.quote, _moved(lines, context))
        recorded = await work.requests.claim(request, {"id": seen.id, "price_problems": noted(priced.problems)}, now)
        if recorded is not None:
            return await self._again(work, caller, recorded)
        order = await work.orders.find(seen.id, scope(guest, Direction.ALL), lock=True)
        if order is None or order.key != seen.key:
            raise missing("order", seen.id)
        require_writable(guest, order, now, Trigger.DELETE)
        require_settled(order)
        if order.version != seen.version or not priced.fits:
            raise _Overtaken
        assert context.user is not None
        ship_id, ship_to = _kept(order.shipping_address_id, order.shipping_address, context, context.shipping_addresses)
        bill_id, bill_to = _kept(order.billing_address_id, order.billing_address, context, context.billing_addresses)
        made = replace(
            order,
            guest=False,
            buyer_id=caller.party_id,
            user=context.user,
            client_id=caller.client_id,
            policy=context.policy,
            tax_exemptions=context.tax_exemptions,
            shipping_address_id=ship_id or _id(context.default_shipping_address, ship_to),
            shipping_address=ship_to or context.default_shipping_address,
            billing_address_id=bill_id or _id(context.default_billing_address, bill_to),
            billing_address=bill_to or context.default_billing_address,
        )
        after, event = changed(
            with_sums(made, priced.lines),
            "order_transferred",
            caller.user_id,
            caller.party_id,
            now,
            content=True,
            data=_left(order, lines, priced.lines),
            ship_to=placed(_elsewhere(lines, priced.lines), all=True),
        )
        await work.orders.update_lines(order.key, priced.other_than(lines))
        await work.orders.save(order, after, [event])
        return Quoted(after, priced.lines, priced.problems)

    async def _again(self, work: OrderWork, caller: Principal, recorded: Outcome) -> Quoted:
        order = await work.orders.find(recorded["id"], scope(caller, Direction.ALL))
        if order is None:
            raise missing("order", recorded["id"])
        return again(order, await work.orders.lines(order.key), recorded)


@dataclass(frozen=True, slots=True)
class _New:
    """What directory and pricing say of the order once it is the caller's."""

    context: OrderingContext
    quote: Quote


class _Overtaken(Exception):
    """The order has changed since its payments went: undoes the transaction."""


def _kept(id: str, address: Address | None, context: OrderingContext, book: Mapping[str, Address]) -> tuple[str, Address | None]:
    """An address of the guest's order that may stay: of the book if the new user may use it, a one-time one unless its buyer
    restricts addresses."""
    if id:
        return (id, book[id]) if id in book else ("", None)
    return "", None if context.restrict_addresses else address


def _id(default: Address | None, kept: Address | None) -> str:
    return "" if kept is not None or default is None else str(default.get("id", ""))


def _moved(lines: Sequence[Line], context: OrderingContext) -> list[Line]:
    """The lines; what may not go where it went goes where their order goes, and what may not be booked where it was is booked
    nowhere."""
    moved = []
    for line in lines:
        id, address = _kept(line.shipping_address_id, line.shipping_address, context, context.shipping_addresses)
        booked = line.cost_center if context.cost_centers.allow(line.cost_center) else ""
        moved.append(replace(line, shipping_address_id=id, shipping_address=address, cost_center=booked))
    return moved


def _left(order: Order, before: Sequence[Line], after: Sequence[Line]) -> dict[str, str | int]:
    """What the event says of what the order had as a guest's."""
    had: dict[str, str | int] = {"client_id": order.client_id, "user_id": order.user.id}
    cleared = sum(line.cost_center != old.cost_center for line, old in zip(after, before, strict=True))
    return {**had, "cost_centers_cleared": cleared} if cleared else had


def _elsewhere(before: Sequence[Line], after: Sequence[Line]) -> list[Line]:
    """Those that go elsewhere from now on."""

    def place(line: Line) -> tuple[str, Address | None]:
        return line.shipping_address_id, line.shipping_address

    return [line for line, old in zip(after, before, strict=True) if place(line) != place(old)]
