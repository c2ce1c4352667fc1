"""Spending accounts that are counted in a unit of the seller's own: points."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from libs.errors import WaybillError
from libs.invariants import Finding
from services.payment.adapters.db.invariants import worth
from services.payment.adapters.db.tables import PAYMENTS
from tests.integration.payment.test_accounts_and_cards import create
from tests.integration.payment.test_replacement import in_need, replaced
from tests.integration.payment.world import World, by_card, from_account, payment, reasons, refund, state, units, usd
from waybill.payment.v1 import spending_account_service_pb2 as pb


def pts(amount: int, nanos: int = 0) -> Money:
    """So many points."""
    return Money(currency_code="PTS", units=amount, nanos=nanos)


def points(balance: int = 20_000, worth: str = "0.01", **more: Any) -> pb.SpendingAccount:
    """An account of points that pays orders in dollars."""
    values = {"currency": "PTS", "rate": Decimal(value=worth), "order_currency": "USD", "opening_balance": pts(balance), **more}
    return pb.SpendingAccount(id="gift", name="Points", buyer_id="acme", active=True, **values)


async def refused(call: Awaitable[Any]) -> WaybillError:
    """Why a call was refused."""
    with pytest.raises(WaybillError) as error:
        await call
    return error.value


async def assigned(world: World, account: pb.SpendingAccount, exceed: bool = False) -> pb.SpendingAccount:
    """An account that everyone of acme may pay with."""
    made = await create(world, account)
    everyone = pb.SpendingAccountAssignment(spending_account_id="gift", allow_exceed=exceed)
    await world.accounts().AssignSpendingAccounts(pb.AssignSpendingAccountsRequest(assignments=[everyone]))
    return made


async def test_an_order_is_paid_by_points_and_a_card_and_the_points_come_back_in_shares(world: World) -> None:
    made = await assigned(world, points())
    assert (made.balance, made.currency, made.rate.value, made.order_currency) == (pts(20_000), "PTS", "0.01", "USD")
    await world.card()
    order = world.order(100)
    await order.add(from_account("p1", "gift"), by_card("p2", "tok_approve", 40))
    reserved = (await order.reserve()).payments[0]
    assert (reserved.unit, reserved.rate.value, reserved.debited_units) == ("PTS", "0.01", pts(6_000))
    assert (units(reserved.resolved_amount), units(reserved.due_amount)) == (60, 60)
    assert await world.balance() == (20_000, 6_000)
    # What a point is worth afterwards is of no account to this payment.
    changed = pb.SpendingAccount(id="gift", rate=Decimal(value="0.05"))
    mask = FieldMask(paths=["rate"])
    await world.accounts().UpdateSpendingAccount(pb.UpdateSpendingAccountRequest(spending_account=changed, update_mask=mask))
    await order.authorize()
    await order.confirm()
    assert await world.balance() == (14_000, 0)
    assert (await refund(world, "p1", 20)).refunded_units == pts(2_000)
    p1 = next(p for p in await order.lower(1, 70) if p.id == "p1")
    assert (units(p1.due_amount), p1.rate.value) == (40, "0.01"), "what was given back is lowered first"
    (p1, _) = await order.void()
    assert (state(p1), p1.debited_units, p1.refunded_units) == ("VOIDED", pts(6_000), pts(6_000))
    assert [t.units.units for t in (await order.payments())[0].transactions] == [6_000, 6_000, 2_000, 4_000]
    assert await world.balance() == (20_000, 0)


async def test_every_movement_of_points_balances_in_points_and_in_money(world: World) -> None:
    await assigned(world, points(1_000, "0.03"))
    order = world.order(1)
    await order.opened(from_account("p1", "gift"))
    assert await world.balance() == (966, 0), "a dollar is 33 points and a third: 34"
    entries = await world.entries('payment_id = "p1"')
    assert [(e.account, e.amount) for e in entries] == [
        ("marketplace:receipts", usd(1)),
        ("marketplace:points", usd(-1)),
        ("marketplace:points", pts(34)),
        ("spending_account:gift", pts(-34)),
    ]
    await refund(world, "p1")
    assert await world.balance() == (1_000, 0)
    sums: dict[tuple[str, str], int] = {}
    for e in await world.entries():
        key = (e.account, e.amount.currency_code)
        sums[key] = sums.get(key, 0) + e.amount.units
    assert sums == {
        ("marketplace:issued", "PTS"): -1_000,
        ("spending_account:gift", "PTS"): 1_000,
        ("marketplace:receipts", "USD"): 0,
        ("marketplace:points", "USD"): 0,
        ("marketplace:points", "PTS"): 0,
    }


async def test_a_refused_or_released_attempt_leaves_the_points(world: World) -> None:
    await assigned(world, points(5_000))
    order = world.order(100)
    await order.add(from_account("p1", "gift"))
    first = await order.reserve()
    assert [(p.reason, p.contended) for p in first.problems] == [("BALANCE_EXCEEDED", False)]
    await world.accounts().AdjustSpendingAccount(pb.AdjustSpendingAccountRequest(spending_account_id="gift", amount=pts(5_000)))
    assert not (await order.reserve(2)).problems
    assert await order.release(2) == "RELEASED"
    assert await world.balance() == (10_000, 0)
    (p,) = await order.payments()
    assert (state(p), p.unit, p.HasField("debited_units")) == ("OPEN", "", False)


async def test_two_orders_at_once_never_spend_the_same_points(world: World) -> None:
    await assigned(world, points(15_000))
    orders = [world.order(100), world.order(100)]
    for i, order in enumerate(orders):
        await order.add(from_account(f"p{i}", "gift"))
    answers = await asyncio.gather(*(order.reserve() for order in orders))
    assert sorted(reasons(answer.problems) for answer in answers) == [[], ["BALANCE_EXCEEDED"]]
    assert await world.balance() == (15_000, 10_000)


async def test_points_replace_a_card_that_needs_attention(world: World) -> None:
    await assigned(world, points())
    order = await in_need(world)
    (made,) = await replaced(order, from_account("p2", "gift"))
    assert (state(made), made.debited_units) == ("CONFIRMED", pts(10_000))
    assert await world.balance() == (10_000, 0)


async def test_points_pay_orders_of_their_order_currency_only(world: World) -> None:
    await assigned(world, points(order_currency="EUR"))
    error = await refused(world.order(100).add(from_account("", "gift"), payment("", "purchase_order", 1)))
    assert [(f.field, f.reason) for f in error.fields] == [("payments[0].spending_account_id", "CURRENCY_MISMATCH")]


async def test_an_account_says_all_of_its_unit_and_amounts_are_such_as_the_unit_has(world: World) -> None:
    cases: list[tuple[dict[str, Any], set[tuple[str, str]]]] = [
        ({"rate": Decimal()}, {("rate", "VALUE_OUT_OF_RANGE")}),
        ({"rate": Decimal(), "order_currency": ""}, {("currency", "FIELD_INVALID")}),
        ({"rate": Decimal(value="0.0000001")}, {("rate", "AMOUNT_TOO_PRECISE")}),
        ({"currency": "USD"}, {("rate", "FIELD_INVALID"), ("order_currency", "FIELD_INVALID")}),
        ({"currency": "pts", "unit_digits": 7}, {("currency", "FIELD_INVALID"), ("unit_digits", "VALUE_OUT_OF_RANGE")}),
        ({"opening_balance": pts(1, 500_000_000)}, {("opening_balance", "AMOUNT_TOO_PRECISE")}),
        ({"opening_balance": usd(1)}, {("opening_balance", "CURRENCY_MISMATCH")}),
    ]
    for more, faults in cases:
        opening = more.pop("opening_balance", Money(currency_code=more.get("currency", "PTS")))
        account = points(**more)
        account.opening_balance.CopyFrom(opening)
        error = await refused(create(world, account))
        assert {(f.field.removeprefix("spending_account."), f.reason) for f in error.fields} == faults


async def test_an_account_of_points_is_adjusted_in_points_and_keeps_its_unit(world: World) -> None:
    await assigned(world, points(10, unit_digits=1))

    def by(amount: Money) -> Any:
        request = pb.AdjustSpendingAccountRequest(spending_account_id="gift", amount=amount)
        return world.accounts().AdjustSpendingAccount(request)

    assert (await by(pts(0, 100_000_000))).spending_account.balance == pts(10, 100_000_000)
    said = {}
    for amount in (usd(1), pts(0, 10_000_000), Money(currency_code="no unit", units=1)):
        said[amount.currency_code] = [(f.field, f.reason) for f in (await refused(by(amount))).fields]
    assert said == {
        "USD": [("amount", "CURRENCY_MISMATCH")],
        "PTS": [("amount", "AMOUNT_TOO_PRECISE")],
        "no unit": [("amount.currency_code", "FIELD_INVALID")],
    }
    changed = pb.SpendingAccount(id="gift", currency="MILES", unit_digits=2, order_currency="EUR")
    error = await refused(world.accounts().UpdateSpendingAccount(pb.UpdateSpendingAccountRequest(spending_account=changed)))
    assert {f.field for f in error.fields} == {f"spending_account.{n}" for n in ("currency", "unit_digits", "order_currency")}


async def test_points_take_as_many_statements_for_ten_payments_as_for_one(world: World) -> None:
    await assigned(world, points())
    counts = []
    for n in (1, 10):
        order = world.order(100)
        before = world.served.statements
        assert not (await order.reserve(1, *(from_account(f"{n}-{i}", "gift", 100 // n) for i in range(n)))).problems
        middle = world.served.statements
        await order.confirm()
        counts.append((middle - before, world.served.statements - middle))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("off", [-1, 1])
@pytest.mark.parametrize("column", ["debited_units", "refunded_units", "rate"])
async def test_the_inspection_finds_one_millionth_too_many_or_too_few_of_many_units(world: World, column: str, off: int) -> None:
    await assigned(world, points(900_000_000_000, unit_digits=6))
    order = world.order(7_000_000_001)
    await order.opened(from_account("p1", "gift"))
    await refund(world, "p1", 3_000_000_000)
    assert not [r for r in await world.records() if isinstance(r, Finding)]
    async with world.database.transaction() as tx:
        await tx.execute(PAYMENTS.update().values({column: PAYMENTS.c[column] + off}))
    found = [r for r in await world.records() if isinstance(r, Finding)]
    assert ("units_are_worth_the_amount", "p1") in {(f.rule, f.subject) for f in found}
    world.broken = {f.rule for f in found}


async def test_the_inspection_finds_what_cannot_be_of_units_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worth, "PAGE", 2)
    await assigned(world, points())
    order = world.order(100)
    await order.opened(*(from_account(f"p{i}", "gift", 20) for i in range(4)), payment("p4"))
    broken: dict[str, dict[str, Any]] = {
        "p0": {"unit_digits": 7},
        "p1": {"rate": 0},
        "p2": {"unit": ""},
        "p3": {"refunded": 20_000_001},
        "p4": {"rate": 1},
    }
    async with world.database.transaction() as tx:
        for id, values in broken.items():
            await tx.execute(PAYMENTS.update().where(PAYMENTS.c.id == id).values(**values))
    found = [r for r in await world.records() if isinstance(r, Finding)]
    assert [f.subject for f in found if f.rule == worth.RULE] == list(broken)
    world.broken = {f.rule for f in found}
