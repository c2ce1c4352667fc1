"""An order with all that belongs to it as one frozen value: its status, the step it is in, holds, goods and money.

Every move is an rpc, an answer of a gateway, a loop or the passing of time, and is made by the tables and functions of the
services' domains. What fulfillment changes is reported at once, so that a state here is one after its reports.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from libs.errors import WaybillError
from services.fulfillment.domain.supplier_orders.actions.cancel import cancel
from services.fulfillment.domain.supplier_orders.actions.freeze import freeze, unfreeze
from services.fulfillment.domain.supplier_orders.actions.give_up import give_up, stop
from services.fulfillment.domain.supplier_orders.actions.hold import hold
from services.fulfillment.domain.supplier_orders.worth import given_up
from services.order.domain.model import Order, OrderHold
from services.order.domain.progress import holds
from services.order.domain.progress.fulfillment import UnitCount, progress
from services.order.domain.status import OrderStatus, Trigger, move
from services.payment.domain.payments.states import State as PaymentState
from tests.unit.fulfillment.builders import CAUSE
from tests.unit.order import builders
from tests.unit.walk import goods, money
from tests.unit.walk.goods import Goods
from tests.unit.walk.money import Money

NOW = builders.NOW
ENDS = (OrderStatus.COMPLETED, OrderStatus.CANCELED)
GUEST, OVER = "guest", "over"
"""Whose order it is: a guest's, or one's whose token has ended. Of one that was submitted it makes no difference."""
UNPAID = "unpaid"
"""The step of an order whose payments went, as the first half of a transfer, or after one."""


@dataclass(frozen=True)
class State:
    """`step` is what the order service is in the middle of, empty when nothing is."""

    status: OrderStatus
    step: str
    holds: tuple[OrderHold, ...]
    goods: Goods
    money: Money
    left: frozenset[str] = frozenset()
    """Commands of the step that are still to be driven: `goods`, `money`."""
    guest: str = ""
    """Empty for the order of somebody who has signed in."""

    def __hash__(self) -> int:
        return hash((self.status, self.step, self.guest, len(self.holds), id(self.goods), id(self.money), self.left))

    @property
    def is_end(self) -> bool:
        """Whether nothing has to follow: no open parcel, no unfinished step, and a payment at rest."""
        return self.status in ENDS and not self.step and not self.goods.parcels and self.money.rests

    @property
    def name(self) -> str:
        """What a failure shows of it."""
        p, held = self.money.payment, [h.type for h in self.holds if h.release_time is None]
        paid = (
            f"{p.state} due {p.due} captured {p.captured} refunded {p.refunded} {[(r.type, r.result) for r in self.money.rows]}"
        )
        return f"{self.guest}{self.status} step {self.step or '-'} {sorted(self.left)} holds {held} {self.goods.name} card {paid}"


class Walk:
    """All moves of an order with lines of these quantities; those named in `without` are left out, and where its suppliers are
    `silent`, theirs. A card pays it, or what moves `outside`.
    """

    def __init__(
        self, quantities: tuple[int, ...], without: frozenset[str] = frozenset(), silent: bool = False, outside: bool = False
    ) -> None:
        self._quantities = quantities
        self._without = without
        self._outside = outside
        self._goods: dict[Goods, Goods] = {}
        self._money: dict[Money, Money] = {}
        self._moves_of_goods = cache(lambda g: [(name, self._one(after)) for name, after in goods.moves(g, silent)])
        self._moves_of_money = cache(lambda m, ended: [(name, self._same(after)) for name, after in money.moves(m, ended)])

    def _one(self, g: Goods) -> Goods:
        """The same object for the same goods, so that what is known of it is found at once."""
        return self._goods.setdefault(g, g)

    def _same(self, m: Money) -> Money:
        return self._money.setdefault(m, m)

    def first(self, guest: str = "") -> State:
        """An unsubmitted order with its payment."""
        return State(OrderStatus.UNSUBMITTED, "", (), self._one(Goods()), self._whole(), guest=guest)

    def _whole(self) -> Money:
        return self._same(money.added(sum(self._quantities) * goods.UNIT, self._outside))

    def moves(self, s: State) -> Iterator[tuple[str, State]]:
        """What leads on from a state."""
        moves = (*self._of_order(s), *self._of_guest(s), *self._of_goods(s), *self._of_money(s))
        for name, after in moves:
            if name not in self._without:
                guest = after.guest if after.status is OrderStatus.UNSUBMITTED else ""
                yield name, replace(after, goods=self._one(after.goods), money=self._same(after.money), guest=guest)

    def _of_guest(self, s: State) -> Iterator[tuple[str, State]]:
        """A transfer lets payments go first, and may stop there: what comes then is a transfer again, or another payment."""
        if s.guest == GUEST:
            yield "the token ends", replace(s, guest=OVER)
        if s.step == UNPAID and s.guest != OVER:
            yield "AddPayments", replace(s, step="", money=self._whole())
        if s.guest == GUEST and not s.left and _may(s, Trigger.DELETE):
            if s.step == UNPAID:
                yield "TransferOrder", replace(s, guest="")
            elif not s.step and s.money.payment.state in (PaymentState.OPEN, PaymentState.VOIDED) and not s.money.waits:
                yield "TransferOrder", replace(s, step=UNPAID, money=self._whole())

    def _of_goods(self, s: State) -> Iterator[tuple[str, State]]:
        for name, after in self._moves_of_goods(s.goods):
            yield name, self._reported(s, after)

    def _reported(self, s: State, after: Goods) -> State:
        """The order after fulfillment's report."""
        return replace(s, goods=after, status=_progress(s.status, self._quantities, _counts(after)))

    def _of_money(self, s: State) -> Iterator[tuple[str, State]]:
        if s.step == UNPAID:
            return
        for name, after in self._moves_of_money(s.money, s.status in ENDS):
            yield name, self._alerted(replace(s, money=after))

    def _alerted(self, s: State) -> State:
        """A payment that needs attention asks for a hold, once."""
        if s.money.payment.state is not PaymentState.ATTENTION or not holds.wants_hold(_order(s), "p1"):
            return s
        return self._held(s, holds.place(_order(s), OrderHold("p", holds.PAYMENT, NOW, payment_id="p1"), "", NOW)[0])

    def _held(self, s: State, after: Order) -> State:
        kept = tuple(h for h in after.holds if h.type == holds.PAYMENT or h.release_time is None)
        return self._reported(replace(s, holds=kept), _hold(s.goods, after.held))

    def _of_order(self, s: State) -> Iterator[tuple[str, State]]:
        steps = {
            "": self._settled,
            "submit": _trying,
            "cancel": self._canceling,
            "change": self._changing,
            UNPAID: lambda s: [("CancelOrder", replace(s, status=move("PO1", s.status, Trigger.CANCEL), step=""))],
        }
        driven = steps.get(s.step)
        yield from driven(s) if driven else self._commands(s)
        if s.status is OrderStatus.OPEN and not s.holds:
            yield "HoldOrder", self._held(s, holds.place(_order(s), OrderHold("m", holds.MANUAL, NOW), "", NOW)[0])
        for h in s.holds:
            if h.release_time is None:
                yield "ReleaseOrderHold", self._held(s, holds.release(_order(s), h.id, "", "", "", NOW)[0])

    def _settled(self, s: State) -> Iterator[tuple[str, State]]:
        if s.guest != OVER and _may(s, Trigger.SUBMIT) and s.money.untouched:
            yield "SubmitOrder", replace(s, step="submit", money=money.reserved(s.money))
        if s.status is OrderStatus.OPEN:
            yield "CancelOrder", replace(s, step="cancel")
            if _may(s, Trigger.CHANGE):
                yield "CompleteOrder", replace(s, step="change")
        elif _may(s, Trigger.CANCEL):
            yield "CancelOrder", replace(s, status=move("PO1", s.status, Trigger.CANCEL))

    def _canceling(self, s: State) -> Iterator[tuple[str, State]]:
        frozen = _freeze(s.goods)
        if frozen is None:
            # Something has shipped: the rest is canceled by a change.
            again = "change" if _may(s, Trigger.CHANGE) else ""
            yield "completer", replace(self._reported(s, _unfreeze(s.goods)), step=again)
            return
        if frozen != s.goods:
            yield "completer", replace(s, goods=frozen)
        elif _may(s, Trigger.CANCEL):
            status = move("PO1", s.status, Trigger.CANCEL)
            yield "completer", replace(s, status=status, step="canceled", left=frozenset({"goods", "money"}))
        else:
            yield "completer", replace(self._reported(s, _unfreeze(s.goods)), step="")

    def _changing(self, s: State) -> Iterator[tuple[str, State]]:
        stopped = _stop(s.goods)
        if stopped is None:
            if not any(o.former_status for o in s.goods.orders):
                yield "completer", replace(s, step="")
                return
            left = frozenset({"goods", "money"})
            yield "completer", replace(s, step="given up", left=left)
            yield "completer", replace(s, step="kept", left=frozenset({"goods"}))
            return
        yield "completer", replace(s, goods=stopped)

    def _commands(self, s: State) -> Iterator[tuple[str, State]]:
        """What is driven after a decision, in whatever order."""
        for what in s.left:
            rest = s.left - {what}
            after = replace(s, left=rest, step=s.step if rest else "")
            if what == "money":
                yield "completer", self._alerted(replace(after, money=self._paid(s)))
            else:
                yield "completer", self._reported(after, self._done(s))
                if s.step == "opened":
                    yield "completer", self._reported(after, goods.opened(self._quantities, forwarded=False))

    def _paid(self, s: State) -> Money:
        if s.step == "given up":
            orders = s.goods.orders
            total = sum(self._quantities) * goods.UNIT
            return money.lowered(s.money, total - given_up(orders).total)
        return {"opened": money.confirmed, "refused": money.released, "canceled": money.canceled}[s.step](s.money)

    def _done(self, s: State) -> Goods:
        if s.step == "opened":
            made = goods.opened(self._quantities, forwarded=True)
            return _hold(made, _order(s).held)
        if s.step == "canceled":
            return _cancel(s.goods)
        if s.step == "given up":
            return _give_up(s.goods)
        return _unfreeze(s.goods)


@cache
def _hold(g: Goods, held: bool) -> Goods:
    return goods.applied(g, hold(g.orders, held, NOW))


@cache
def _freeze(g: Goods) -> Goods | None:
    try:
        return goods.applied(g, freeze(g.orders, NOW))
    except WaybillError:
        return None


@cache
def _unfreeze(g: Goods) -> Goods:
    return goods.applied(g, unfreeze(g.orders, NOW))


@cache
def _stop(g: Goods) -> Goods | None:
    try:
        return goods.applied(g, stop(g.orders, NOW))
    except WaybillError:
        return None


@cache
def _give_up(g: Goods) -> Goods:
    return goods.ended(g, give_up(g.orders, CAUSE, NOW))


@cache
def _cancel(g: Goods) -> Goods:
    return goods.ended(g, cancel(g.orders, CAUSE, NOW))


def _trying(s: State) -> Iterator[tuple[str, State]]:
    """An attempt to submit: decided by what the gateway says, or by its time."""
    if s.money.accepted:
        status = move("PO1", s.status, Trigger.SUBMIT)
        yield "completer", replace(s, status=status, step="opened", left=frozenset({"goods", "money"}))
    yield "completer", replace(s, step="refused", left=frozenset({"money"}))
    status = move("PO1", s.status, Trigger.CANCEL)
    yield "CancelOrder", replace(s, status=status, step="refused", left=frozenset({"money"}))


def _may(s: State, trigger: Trigger) -> bool:
    return _allowed(s.status, trigger)


@cache
def _allowed(status: OrderStatus, trigger: Trigger) -> bool:
    try:
        move("PO1", status, trigger)
    except WaybillError:
        return False
    return True


def _order(s: State) -> Order:
    return builders.order(status=s.status, holds=s.holds)


def _counts(g: Goods) -> tuple[UnitCount, ...]:
    return tuple(UnitCount(x.line_item_id, x.quantity, x.shipped, x.canceled) for o in g.orders for x in o.lines)


@cache
def _progress(status: OrderStatus, quantities: tuple[int, ...], counts: tuple[UnitCount, ...]) -> OrderStatus:
    lines = [builders.line(f"l{n}", quantity) for n, quantity in enumerate(quantities)]
    return progress(builders.order(status=status), lines, counts, NOW).order.status
