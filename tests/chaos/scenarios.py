"""The use cases that are interrupted: what stands before, the call that is interrupted, what must be true after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.host.sample.parties import People
from tests.chaos import captures, deletes, redirects, steps, visitors
from tests.chaos.steps import until_answered
from waybill.fulfillment.v1 import supplier_order_pb2
from waybill.order.v1 import order_pb2, submission_pb2
from waybill.payment.v1 import payment_pb2
from waybill_client import WaybillError

Step = Callable[[People, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One use case. `act` repeats its call with the same request id until it is answered."""

    name: str
    prepare: Step
    act: Step
    verify: Step
    down: str = ""
    """A context that is killed before `act` and started again after it, so that background work is what counts."""
    background: str = ""
    """Which background work belongs to the scenario, as a regular expression over the names of places."""
    beside: str = ""
    """Which of its places are not, because loops reach them too while it goes on, or because only `verify` does."""


async def _nothing(people: People, tag: str) -> None:
    return None


async def _cart(people: People, tag: str) -> None:
    await steps.cart(people.ada, tag)


async def _declined_cart(people: People, tag: str) -> None:
    await steps.cart(people.ada, tag, "decline")


async def _late_cart(people: People, tag: str) -> None:
    await steps.cart(people.ada, tag, "late")


async def _submit(people: People, tag: str) -> None:
    first = await steps.submit_until_accepted(people.ada, tag)
    # The repeat of a call that was answered.
    again = await steps.submit_until_accepted(people.ada, tag, first.submission.attempt)
    assert again.submission.attempt == first.submission.attempt, "a repeat made another attempt"


async def _submit_refused(people: People, tag: str) -> None:
    try:
        await steps.submit_until_accepted(people.ada, tag)
    except WaybillError as error:
        assert error.reason == "SUBMIT_REFUSED", error
        assert [rule.reason for rule in error.rules] == ["CARD_DECLINED"], error
        return
    # The call that waited for a dead coordinator's attempt says that it is not decided yet.
    assert (await steps.settled(people.ada, tag)).order.status == order_pb2.ORDER_STATUS_UNSUBMITTED


async def _refused(people: People, tag: str) -> None:
    await _declined_cart(people, tag)
    await _submit_refused(people, tag)
    await _is_unsubmitted(people, tag)


async def _place(people: People, tag: str) -> None:
    try:
        await until_answered(lambda: steps.place(people.ada, tag))
    except WaybillError as error:
        if error.reason != "SUBMIT_CONTENDED":
            raise
        # What a refused try added is gone with it; the order stays as a cart.
        await until_answered(lambda: steps.pay(people.ada, tag))
        await steps.submit_until_accepted(people.ada, tag)


async def _is_open(people: People, tag: str) -> None:
    found = await steps.settled(people.ada, tag)
    order = found.order
    assert order.status == order_pb2.ORDER_STATUS_OPEN, order
    assert order.submission.state == submission_pb2.SUBMISSION_STATE_ACCEPTED
    assert {line.quantity_open for line in found.line_items} == set(steps.CART.values())
    for supplier in ("northforge", "lumenworks", "wh-east"):
        await steps.supplier_order(people.clerks[supplier], tag)


async def _is_unsubmitted(people: People, tag: str) -> None:
    order = (await steps.settled(people.ada, tag)).order
    assert order.status == order_pb2.ORDER_STATUS_UNSUBMITTED
    assert order.submission.state == submission_pb2.SUBMISSION_STATE_REFUSED


async def _open(people: People, tag: str) -> None:
    await steps.place(people.ada, tag)
    await steps.settled(people.ada, tag)


async def _cancel(people: People, tag: str) -> None:
    await until_answered(lambda: steps.cancel(people.sam, tag))


async def _is_canceled(people: People, tag: str) -> None:
    found = await steps.settled(people.ada, tag)
    assert found.order.status == order_pb2.ORDER_STATUS_CANCELED
    assert {line.quantity_open for line in found.line_items} == {0}
    mine = await steps.supplier_order(people.clerks["northforge"], tag)
    assert mine.status == supplier_order_pb2.SUPPLIER_ORDER_STATUS_CANCELED


async def _shipped_a_part(people: People, tag: str) -> None:
    await _open(people, tag)
    clerk = people.clerks["northforge"]
    mine = await steps.supplier_order(clerk, tag)
    await steps.accept(clerk, mine.id)
    await steps.ship(clerk, mine.id, {"l1": 1}, "first")


async def _cancel_rest(people: People, tag: str) -> None:
    await steps.change_until_decided(lambda try_: steps.cancel(people.sam, tag, try_))


async def _give_up(people: People, tag: str) -> None:
    await steps.change_until_decided(lambda try_: steps.complete(people.sam, tag, try_))


async def _rest_is_canceled(people: People, tag: str) -> None:
    found = await steps.settled(people.ada, tag)
    assert found.order.status == order_pb2.ORDER_STATUS_COMPLETED
    assert {line.quantity_open for line in found.line_items} == {0}
    assert found.line_items[0].quantity_shipped == 1
    mine = await steps.supplier_order(people.clerks["northforge"], tag)
    assert mine.status == supplier_order_pb2.SUPPLIER_ORDER_STATUS_COMPLETED
    assert (found.order.canceled.total.units, found.order.canceled.total.nanos) > (0, 0)


async def _accept(people: People, tag: str) -> None:
    clerk = people.clerks["northforge"]
    mine = await until_answered(lambda: steps.supplier_order(clerk, tag))
    await until_answered(lambda: steps.accept(clerk, mine.id))


async def _is_accepted(people: People, tag: str) -> None:
    mine = await steps.supplier_order(people.clerks["northforge"], tag)
    assert mine.status == supplier_order_pb2.SUPPLIER_ORDER_STATUS_ACCEPTED


async def _reject(people: People, tag: str) -> None:
    clerk = people.clerks["wh-east"]
    mine = await until_answered(lambda: steps.supplier_order(clerk, tag))
    await until_answered(lambda: steps.reject(clerk, mine.id))


async def _is_sourced_again(people: People, tag: str) -> None:
    assert (await steps.supplier_order(people.clerks["wh-east"], tag)).status == (
        supplier_order_pb2.SUPPLIER_ORDER_STATUS_REJECTED
    )
    moved = await steps.supplier_order(people.clerks["wh-west"], tag)
    assert [line.quantity for line in moved.line_items] == [steps.CART["crate"]]


async def _accepted(people: People, tag: str) -> None:
    await _open(people, tag)
    for supplier in ("northforge", "lumenworks", "wh-east"):
        clerk = people.clerks[supplier]
        await steps.accept(clerk, (await steps.supplier_order(clerk, tag)).id)


async def _ship(people: People, tag: str) -> None:
    clerk = people.clerks["northforge"]
    mine = await until_answered(lambda: steps.supplier_order(clerk, tag))
    await until_answered(lambda: steps.ship(clerk, mine.id, {"l1": 1}))


async def _one_unit_is_shipped(people: People, tag: str) -> None:
    mine = await steps.supplier_order(people.clerks["northforge"], tag)
    assert [line.quantity_shipped for line in mine.line_items] == [1], "shipped not exactly once"


async def _packed(people: People, tag: str) -> None:
    await _accepted(people, tag)
    clerk = people.clerks["northforge"]
    mine = await steps.supplier_order(clerk, tag)
    await steps.ship(clerk, mine.id, {"l1": 1}, id=f"{tag}-box", ship_time=None)


async def _ship_packed(people: People, tag: str) -> None:
    await until_answered(lambda: steps.send(people.clerks["northforge"], f"{tag}-box"))


async def _silent_gateway(people: People, tag: str) -> None:
    await steps.cart(people.ada, tag, "timeout")
    order = await until_answered(lambda: steps.submit(people.ada, tag))
    assert order.submission.state == submission_pb2.SUBMISSION_STATE_TRYING


async def _cancel_own(people: People, tag: str) -> None:
    await until_answered(lambda: steps.cancel(people.ada, tag))


async def _nothing_came_of_it(people: People, tag: str) -> None:
    order = (await steps.settled(people.ada, tag)).order
    assert (order.status, order.is_submitted) == (order_pb2.ORDER_STATUS_CANCELED, False)
    assert order.submission.state == submission_pb2.SUBMISSION_STATE_REFUSED


async def _captured(people: People, tag: str) -> None:
    await steps.place(people.ada, tag, card="decline_refund")
    await steps.settled(people.ada, tag)
    await steps.capture(people.sam, tag)


async def _needs_attention(people: People, tag: str) -> None:
    await _is_canceled(people, tag)
    async with steps.patience():
        while (await steps.by_card(people.sam, tag)).state != payment_pb2.PAYMENT_STATE_ATTENTION:
            await steps.moment()


async def _not_forwarded(people: People, tag: str) -> None:
    await steps.forward_by_itself(people.owner, False)
    try:
        await _open(people, tag)
    finally:
        await steps.forward_by_itself(people.owner, True)


async def _forward(people: People, tag: str) -> None:
    await until_answered(lambda: steps.forward(people.sam, tag))


async def _hold(people: People, tag: str) -> None:
    await until_answered(lambda: steps.hold(people.sam, tag))


async def _is_held(people: People, tag: str) -> None:
    order = (await until_answered(lambda: steps.read(people.sam, tag))).order
    assert (order.held, [h.HasField("release_time") for h in order.holds]) == (True, [False]), "held not exactly once"
    try:
        await _ship(people, tag)
    except WaybillError as error:
        assert error.reason == "SUPPLIER_ORDER_HELD", error
    else:
        raise AssertionError("a unit of an order on hold was shipped")


async def _held(people: People, tag: str) -> None:
    await _accepted(people, tag)
    await steps.hold(people.sam, tag)


async def _release(people: People, tag: str) -> None:
    await until_answered(lambda: steps.release(people.sam, tag))


async def _is_released(people: People, tag: str) -> None:
    order = (await until_answered(lambda: steps.read(people.sam, tag))).order
    assert (order.held, [h.HasField("release_time") for h in order.holds]) == (False, [True])
    mine = await steps.supplier_order(people.clerks["northforge"], tag)
    assert not mine.held, "it still cannot ship"


async def _all_but_one(people: People, tag: str) -> None:
    await _accepted(people, tag)
    for supplier, items in (("lumenworks", {"l3": 1}), ("wh-east", {"l2": 3})):
        clerk = people.clerks[supplier]
        await steps.ship(clerk, (await steps.supplier_order(clerk, tag)).id, items)


async def _ship_the_rest(people: People, tag: str) -> None:
    clerk = people.clerks["northforge"]
    mine = await until_answered(lambda: steps.supplier_order(clerk, tag))
    await until_answered(lambda: steps.ship(clerk, mine.id, {"l1": 2}))


async def _completes(people: People, tag: str) -> None:
    mine = await steps.supplier_order(people.clerks["northforge"], tag)
    assert mine.status == supplier_order_pb2.SUPPLIER_ORDER_STATUS_COMPLETED
    async with steps.patience():
        while True:
            found = await until_answered(lambda: steps.read(people.ada, tag))
            if found.order.status == order_pb2.ORDER_STATUS_COMPLETED:
                return
            await steps.moment()


_TRIES = (
    r"order>(directory|catalog)|order>\w+\.(Reserve|Authorize)|order\.submit\.tried|SubmitOrder\._wait|fulfillment\.ReserveStock|"
    r"payment\.(ReservePayments|AuthorizePayments|authorize)|TestGateway\.(authorize|get_by_key)"
)
"""What the completer does every second about an attempt whose gateway is silent."""
SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("submit", _cart, _submit, _is_open),
        Scenario("refuse", _declined_cart, _submit_refused, _is_unsubmitted),
        Scenario("late-gateway", _late_cart, _submit, _is_open, background="CompleteSubmissions"),
        Scenario("place", _nothing, _place, _is_open),
        Scenario("cancel", _open, _cancel, _is_canceled),
        Scenario("cancel-rest", _shipped_a_part, _cancel_rest, _rest_is_canceled),
        Scenario("give-up", _shipped_a_part, _give_up, _rest_is_canceled),
        Scenario("hold", _accepted, _hold, _is_held),
        Scenario("release", _held, _release, _is_released),
        Scenario("accept", _open, _accept, _is_accepted),
        Scenario("reject", _open, _reject, _is_sourced_again),
        Scenario("ship", _accepted, _ship, _one_unit_is_shipped),
        Scenario("ship-packed", _packed, _ship_packed, _one_unit_is_shipped),
        Scenario("cancel-running", _silent_gateway, _cancel_own, _nothing_came_of_it, beside=_TRIES),
        Scenario("attention", _captured, _cancel, _needs_attention, background="ReportAlerts", beside="ListPayments"),
        Scenario("forward", _not_forwarded, _forward, _is_open),
        Scenario("complete", _all_but_one, _ship_the_rest, _completes),
        Scenario(
            "capture", captures.accepted, _ship, captures.is_captured_once, background=captures.CAPTURE, beside="ListPayments"
        ),
        Scenario("redirect", redirects.cart, redirects.pay, redirects.is_held_once, beside=redirects.LOOP),
        Scenario("redirect-removed", redirects.agreed, redirects.take_away, redirects.nothing_is_held, background=redirects.LOOP),
        Scenario("delete-order", _cart, deletes.delete_order, deletes.order_is_gone, beside=deletes.VERIFIED),
        Scenario(
            "finish-deletion",
            _cart,
            deletes.delete_order,
            deletes.order_is_gone,
            beside=deletes.VERIFIED,
            background=deletes.FINISHED,
        ),
        Scenario("delete-refused", _refused, deletes.delete_order, deletes.order_is_gone, beside=deletes.VERIFIED),
        Scenario("delete-resources", deletes.make, deletes.delete, deletes.all_are_gone, beside=deletes.VERIFIED),
        Scenario("transfer", visitors.guest_order, visitors.transfer, visitors.is_adas, beside=visitors.TRANSFER),
        Scenario("confirm-registration", visitors.registration, visitors.confirm, visitors.is_user, beside="SignIns"),
        Scenario("report-back", _all_but_one, _ship_the_rest, _completes, down="order", background=r"Reporting\._|>order"),
    )
}
