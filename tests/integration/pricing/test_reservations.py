"""Reserve, confirm, release, expire; and what the inspection says of it."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from libs.db.unit_of_work import SqlUnitsOfWork
from libs.errors import Kind, WaybillError
from libs.invariants import Fact, Finding, Summary
from libs.service.loops import Pace
from libs.service.retries import Retries
from services.pricing.adapters.db.invariants import census_store
from services.pricing.adapters.db.stores import SqlReservationStore
from services.pricing.adapters.db.tables import RESERVATIONS, SCHEDULES, TAX_RATES
from services.pricing.adapters.db.work import SqlPricingWork
from services.pricing.application.calculation.expire_reservations import ExpireReservations
from services.pricing.application.calculation.priced_groups import PricedGroups
from services.pricing.application.calculation.reserve_redemptions import Redemptions
from tests.integration.pricing.world import ORDER, line, rate, schedule, usd
from tests.support.undone import undone_once
from waybill.pricing.v1 import redemption_service_pb2 as pb

OUTLIVES = timedelta(minutes=2)
"""How much longer than its attempt a reservation lives, unless a setting says otherwise."""
LATER = OUTLIVES + timedelta(minutes=2)
L1 = {"l1": "10"}


@pytest.fixture
async def priced(world):
    await world.price("anvil", "10")
    return world


async def test_an_attempt_is_reserved_confirmed_and_stays_so(priced):
    for _ in range(2):
        assert await priced.reserve(line("l1"), expected=L1) == ("RESERVED", [])
    for _ in range(2):
        assert await priced.confirm() == "CONFIRMED"
    assert await priced.release() == "CONFIRMED"
    assert await priced.reserve(line("l1"), expected=L1) == ("CONFIRMED", [])
    assert await priced.reservations() == {1: "CONFIRMED"}


@pytest.mark.parametrize("method", ["reserve", "end"])
async def test_a_step_that_a_deadlock_undid_is_done_again(priced, monkeypatch, method):
    calls = undone_once(monkeypatch, SqlReservationStore, method)
    assert await priced.reserve(line("l1"), expected=L1) == ("RESERVED", [])
    assert await priced.confirm() == "CONFIRMED"
    assert calls == [method, method]


async def test_a_released_attempt_is_refused_and_the_next_one_is_not(priced):
    assert await priced.reserve(line("l1"), expected=L1) == ("RESERVED", [])
    for _ in range(2):
        assert await priced.release() == "RELEASED"
    assert await priced.confirm() == "RELEASED"
    assert await priced.reserve(line("l1"), expected=L1) == ("RELEASED", [("", "ATTEMPT_RELEASED")])
    assert await priced.reserve(line("l1"), attempt=2, expected=L1) == ("RESERVED", [])
    assert await priced.reservations() == {1: "RELEASED", 2: "RESERVED"}


async def test_a_release_that_comes_first_refuses_the_late_try(priced):
    assert await priced.release() == "RELEASED"
    assert await priced.reserve(line("l1"), expected=L1) == ("RELEASED", [("", "ATTEMPT_RELEASED")])
    late = await priced.reserve(line("l1"), expected={"l1": "9"})
    assert late == ("RELEASED", [("", "ATTEMPT_RELEASED")])


async def test_an_order_that_is_canceled_holds_nothing_and_a_late_step_changes_nothing(priced):
    await priced.void()
    for attempt in (1, 2, 3):
        await priced.reserve(line("l1"), attempt=attempt, expected=L1)
    assert (await priced.confirm(1), await priced.release(2)) == ("CONFIRMED", "RELEASED")
    for _ in range(2):
        await priced.void()
        assert await priced.reservations() == {1: "VOIDED", 2: "RELEASED", 3: "VOIDED"}
    assert [await step(3) for step in (priced.confirm, priced.release)] == ["VOIDED", "VOIDED"]
    assert await priced.reserve(line("l1"), attempt=3, expected=L1) == ("VOIDED", [("", "ATTEMPT_RELEASED")])


async def test_prices_that_moved_are_named_and_a_refused_try_leaves_nothing(priced):
    await priced.price("rope", "2")
    tried = await priced.reserve(
        line("l1"),
        line("l2", "rope"),
        line("l3", "unicorn"),
        line("l4", "rope", unit_price_override=usd("1")),
        expected={"l1": "10", "l2": "2.01", "l3": "5"},
    )
    assert tried == ("UNSPECIFIED", [("l2", "PRICE_CHANGED"), ("l3", "PRICE_MISSING")])
    assert await priced.reservations() == {}


async def test_a_repeat_returns_what_stands_though_prices_have_moved_since(priced):
    assert await priced.reserve(line("l1"), expected=L1) == ("RESERVED", [])
    await priced.add(schedule("dearer", "11"))
    await priced.assign(("anvil", "", "dearer"))
    assert await priced.reserve(line("l1"), expected=L1) == ("RESERVED", [])
    assert await priced.reserve(line("l1"), attempt=2, expected=L1) == ("UNSPECIFIED", [("l1", "PRICE_CHANGED")])


async def test_a_check_reports_the_problems_and_leaves_nothing(priced):
    assert await priced.reserve(line("l1"), expected=L1, validate_only=True) == ("UNSPECIFIED", [])
    wrong = await priced.reserve(line("l1"), expected={"l1": "9"}, validate_only=True, deadline=None)
    assert wrong == ("UNSPECIFIED", [("l1", "PRICE_CHANGED")])
    assert await priced.reservations() == {}


async def test_a_malformed_step_is_reported_field_by_field(priced):
    with pytest.raises(WaybillError) as refused:
        await priced.reserve(line("l1"), attempt=0, order_key="PO9123", deadline=None)
    assert [f.field for f in refused.value.fields] == ["attempt", "order_key", "deadline"]
    with pytest.raises(WaybillError) as release:
        await priced.redemptions.ReleaseRedemptions(pb.ReleaseRedemptionsRequest(order_key="x"))
    assert [f.field for f in release.value.fields] == ["attempt", "order_key"]
    assert await priced.reservations() == {}


async def test_steps_at_once_agree_on_one_end(priced):
    for attempt in range(1, 9):
        steps = [
            priced.reserve(line("l1"), attempt=attempt, expected=L1),
            priced.release(attempt),
            priced.reserve(line("l1"), attempt=attempt, expected=L1),
            priced.release(attempt),
        ]
        tried, released, again, released_again = await asyncio.gather(*steps)
        assert released == released_again == "RELEASED"
        assert {tried[0], again[0]} <= {"RESERVED", "RELEASED"}
    assert set((await priced.reservations()).values()) == {"RELEASED"}


async def test_confirm_and_release_at_once_end_in_one_state_that_both_answer(priced):
    for attempt in range(1, 9):
        await priced.reserve(line("l1"), attempt=attempt, expected=L1)
        answered = await asyncio.gather(priced.confirm(attempt), priced.release(attempt), priced.confirm(attempt))
        assert set(answered) == {(await priced.reservations())[attempt]}


class Order:
    """An order service that decides as the test sets; None is no answer."""

    def __init__(self, **decisions):
        self.decisions = decisions
        self.asked = []

    async def resolve(self, key, attempt):
        self.asked.append((key, attempt))
        decision = self.decisions[f"a{attempt}"]
        if isinstance(decision, Kind):
            raise WaybillError(decision, "NO", "no")
        return decision


class NoMemberships:
    """A directory that an expiry never asks."""

    async def group_ids(self, user_id):
        raise AssertionError(f"asked about {user_id}")


def expiring(world, order):
    units = SqlUnitsOfWork(world.database, SqlPricingWork)
    redemptions = Redemptions(units, PricedGroups(units, NoMemberships()), world.clock, OUTLIVES)
    return ExpireReservations(units, redemptions, order, world.clock, Pace(tries(world), 1_000))


async def failures(world):
    held = sa.select(RESERVATIONS.c.attempt, RESERVATIONS.c.failures).where(RESERVATIONS.c.state == "RESERVED")
    async with world.database.reading() as tx:
        return [tuple(row) for row in await tx.execute(held)]


def tries(world):
    held = RESERVATIONS.c.state == "RESERVED"
    return Retries(
        world.database, world.clock, ("pricing", "expiry"), RESERVATIONS, "expire_time", "order_key", "attempt", unfinished=held
    )


async def test_a_reservation_past_its_time_ends_as_the_order_service_decides(priced):
    for attempt in (1, 2, 3, 4):
        await priced.reserve(line("l1"), attempt=attempt, expected=L1)
    order = Order(a1="ACCEPTED", a2="REFUSED", a3="TRYING", a4=Kind.MISSING)
    expire = expiring(priced, order)
    priced.clock.advance(OUTLIVES)
    assert (await expire.once(), order.asked) == (0, [])
    priced.clock.advance(timedelta(minutes=2))
    assert await expire.once() == 2
    assert order.asked == [(ORDER, 1), (ORDER, 2), (ORDER, 3), (ORDER, 4)]
    assert await priced.reservations() == {1: "CONFIRMED", 2: "RELEASED", 3: "RESERVED", 4: "RESERVED"}
    assert await expire.once() == 0
    assert order.asked[4:] == [(ORDER, 3)], "what failed waits"
    assert [r.values for r in [record async for record in priced.app.inspected()] if isinstance(r, Fact)] == [
        {"attempt": "1", "state": "CONFIRMED", "finished": "1"},
        {"attempt": "3", "state": "RESERVED"},
        {"attempt": "4", "state": "RESERVED", "failures": "1", "failure": "NO"},
    ]
    order.decisions["a4"] = "TRYING"
    priced.clock.advance(timedelta(seconds=2))
    assert await expire.once() == 0
    assert {(4, 0), (3, 0)} == set(await failures(priced))


async def test_an_order_service_that_is_away_is_asked_once_a_round_and_nothing_ends(priced):
    for attempt in (1, 2):
        await priced.reserve(line("l1"), attempt=attempt, expected=L1)
    priced.clock.advance(LATER)
    order = Order(a1=Kind.UNAVAILABLE, a2="REFUSED")
    assert await expiring(priced, order).once() == 0
    assert order.asked == [(ORDER, 1)]
    assert await priced.reservations() == {1: "RESERVED", 2: "RESERVED"}


async def test_two_replicas_expire_the_same_reservations_once(priced):
    for attempt in range(1, 6):
        await priced.reserve(line("l1"), attempt=attempt, expected=L1)
    priced.clock.advance(LATER)
    order = Order(**{f"a{i}": "REFUSED" for i in range(1, 6)})
    await asyncio.gather(expiring(priced, order).once(), expiring(priced, order).once())
    assert await priced.reservations() == dict.fromkeys(range(1, 6), "RELEASED")


async def test_the_inspection_states_what_is_held(priced):
    await priced.reserve(line("l1"), expected=L1)
    await priced.reserve(line("l1"), attempt=2, expected=L1)
    await priced.release(2)
    assert [record async for record in priced.app.inspected()] == [
        Fact("pricing", "attempt", str(ORDER), {"attempt": "1", "state": "RESERVED"}),
        Summary("pricing", 10, 5, 0),
    ]


async def test_what_the_inspection_states_comes_in_parts(priced, monkeypatch):
    monkeypatch.setattr(census_store, "PART", 2)
    for attempt in range(1, 6):
        await priced.reserve(line("l1"), attempt=attempt, expected=L1)
    stated = [r.values["attempt"] async for r in priced.app.inspected() if isinstance(r, Fact)]
    assert stated == ["1", "2", "3", "4", "5"]


async def test_the_inspection_finds_what_is_broken(priced):
    await priced.reserve(line("l1"), expected=L1)
    await priced.tax(rate("0.1", id="us"))
    priced.broken = True
    async with priced.database.transaction() as tx:
        await tx.execute(sa.update(SCHEDULES).values(price_breaks=[[2, 1, None], [1, 2, None]]))
        await tx.execute(sa.update(TAX_RATES).values(rate="1.5"))
        await tx.execute(sa.update(RESERVATIONS).values(state="LOST"))
    found = [record async for record in priced.app.inspected() if isinstance(record, Finding)]
    assert [(f.rule, f.subject) for f in found] == [
        ("stored_as_its_contract_allows", "price schedule anvil"),
        ("stored_as_its_contract_allows", "tax rate us"),
        ("price_breaks_ascend", "price schedule anvil"),
        ("rate_is_a_share", "tax rate us"),
        ("reservation_has_a_state", f"order {ORDER}"),
    ]
