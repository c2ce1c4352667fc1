"""The inspection finds what is wrong: each rule is broken on purpose, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from libs.invariants import Fact, Finding, Summary
from services.payment.adapters.db.invariants.rules import rules
from services.payment.adapters.db.tables import ACCOUNTS, ATTEMPTS, GATEWAY, LEDGER, PAYMENTS, TRANSACTIONS
from tests.integration.payment.world import World, by_card, capture, from_account, payment, refund, running, void_payment

P, T = PAYMENTS.c, TRANSACTIONS.c


def paid(id: str, **values: Any) -> sa.Update:
    """Changes one payment."""
    return PAYMENTS.update().where(P.id == id).values(**values)


BREAKAGES: list[tuple[str, sa.UpdateBase]] = [
    ("ledger_movement_balances", LEDGER.update().where(LEDGER.c.number == 1).values(amount=7)),
    ("balance_is_ledger_sum", ACCOUNTS.update().values(balance=1)),
    ("reserved_is_sum_of_reservations", ACCOUNTS.update().values(reserved=1)),
    ("held_payment_has_attempt", ATTEMPTS.delete().where(ATTEMPTS.c.state == "RESERVED")),
    ("permanent_payment_has_attempt", ATTEMPTS.delete().where(ATTEMPTS.c.state == "CONFIRMED")),
    ("void_pending_has_void", paid("account", state="VOID_PENDING")),
    ("authorizing_has_authorization", paid("held_card", state="AUTHORIZING")),
    ("held_card_is_authorized", TRANSACTIONS.delete().where(T.payment_id == "card", T.type == "AUTHORIZE")),
    ("what_ends_was_begun", TRANSACTIONS.update().where(T.payment_id == "promise", T.type == "CONFIRM").values(type="VOID")),
    ("amount_is_resolved", paid("account", resolved_amount=1)),
    ("captured_is_within_authorization", paid("card", captured=100_000_000)),
    ("due_is_within_resolved_amount", paid("card", due=51_000_000)),
    ("refunded_is_within_taken", paid("card", refunded=99_000_000)),
    ("captured_is_sum_of_captures", paid("card", captured=1)),
    ("refunded_is_sum_of_refunds", paid("card", refunded=1)),
    ("ledger_shows_what_is_kept", LEDGER.delete().where(LEDGER.c.payment_id == "promise")),
    ("gateway_holds_what_is_wanted", paid("card", state="VOIDED")),
    (
        "one_authorization_a_payment",
        TRANSACTIONS.update().where(T.payment_id == "held_card", T.type == "AUTHORIZE").values(payment_id="card"),
    ),
    ("one_open_attempt", ATTEMPTS.update().values(state="RESERVED")),
]


@pytest.fixture
async def stored(databases: Any) -> AsyncIterator[World]:
    """One order that is open, one that is undecided. What a test breaks is put right before the end."""
    async with running(databases) as world:
        await world.account(balance=100)
        await world.card()
        order, other = world.order(100), world.order(60)
        await order.opened(from_account("account", "gift", 30), by_card("card", "tok_approve", 50), payment("promise"))
        await capture(world, "card", 40)
        await refund(world, "card", 10)
        await other.add(from_account("held", "gift", 20), by_card("held_card", "tok_approve"))
        await order.reserve(2)
        await other.reserve()
        await other.authorize()
        yield world


def test_what_is_broken_are_rules() -> None:
    assert {rule for rule, _ in BREAKAGES} <= {rule.name for rule in rules("sqlite")}


@pytest.mark.parametrize(("rule", "breakage"), BREAKAGES, ids=[rule for rule, _ in BREAKAGES])
async def test_the_inspection_finds_a_broken_rule(stored: World, rule: str, breakage: sa.UpdateBase) -> None:
    if rule == "one_open_attempt":
        async with stored.database.transaction() as tx:
            row = (await tx.execute(sa.select(ATTEMPTS).where(ATTEMPTS.c.state == "RESERVED"))).mappings().first()
            await tx.execute(ATTEMPTS.insert(), {**row, "attempt": 9})
    async with stored.database.transaction() as tx:
        assert (await tx.execute(breakage)).rowcount
    records = await stored.records()
    found = {r.rule for r in records if isinstance(r, Finding)}
    assert rule in found
    (summary,) = (r for r in records if isinstance(r, Summary))
    # One more is worked out by the domain: of what payments draw in units of the seller's own.
    assert (summary.rules, summary.rows > 0) == (len(rules("sqlite")) + 1, True)
    stored.broken = found


async def test_nothing_is_found_where_nothing_is_wrong(stored: World) -> None:
    assert [r for r in await stored.records() if isinstance(r, Finding)] == []
    async with stored.database.reading() as tx:
        assert (await tx.execute(sa.select(sa.func.count()).select_from(GATEWAY))).scalar() == 4


async def test_what_the_seller_gave_up_is_stated_beside_what_is_promised(stored: World) -> None:
    stored.orders.ended |= {r.order_key for r in await stored.records() if isinstance(r, Fact)}
    await void_payment(stored, "card")
    (stated,) = [
        r.values for r in await stored.records() if isinstance(r, Fact) and r.kind == "payments" and r.values["charged"] != "0"
    ]
    assert (stated["due"], stated["promised"], stated["given_up"], stated["resolved"]) == (
        "90000000",
        "90000000",
        "10000000",
        "100000000",
    )
