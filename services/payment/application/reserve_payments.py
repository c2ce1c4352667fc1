"""ReservePayments: the first wave of a submit. Amounts are resolved, balances held, promises noted."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from libs.clock import Clock
from libs.errors import Violations
from libs.ids import IdSource
from services.payment.application.order_payments import Draft, OrderPayments, OrderRef
from services.payment.application.ports import Account, PaymentStore, Transaction, Transactions, Tx
from services.payment.domain.payment import CREDIT_CARD, SPENDING_ACCOUNT, Payment, Problem, resolve
from services.payment.domain.states import Event, State, move

OUTLIVES = timedelta(minutes=2)
"""How much longer than the attempt's deadline a reservation lives before anyone asks about it."""


@dataclass(frozen=True, slots=True)
class Step:
    """The key of a step of submit, and how it is meant."""

    attempt: int
    deadline: datetime
    validate_only: bool
    must_cover_total: bool


@dataclass(frozen=True, slots=True)
class Reserved:
    """What was reserved, or why not."""

    state: str
    problems: list[Problem]
    payments: list[Payment]

    @property
    def needs_authorization(self) -> bool:
        """Whether a gateway has to be asked."""
        return any(p.type == CREDIT_CARD and p.due for p in self.payments)


class ReservePayments:
    """One transaction; a refused try leaves nothing."""

    def __init__(
        self, database: Transactions, store: PaymentStore, order_payments: OrderPayments, clock: Clock, ids: IdSource
    ) -> None:
        self._db = database
        self._store = store
        self._order_payments = order_payments
        self._clock = clock
        self._ids = ids

    async def __call__(self, order: OrderRef, step: Step, new: Sequence[Draft], found: Violations) -> Reserved:
        """Idempotent by (order, attempt)."""
        if step.validate_only:
            async with self._db.reading() as tx:
                payments = await self._store.of_order(tx, order.key)
                _, problems = await self._judge(tx, order, payments, step, lock=False)
                return Reserved("", problems, payments)
        async with self._db.transaction() as tx:
            now = self._clock.now()
            expire = step.deadline + OUTLIVES
            payments = await self._store.of_order(tx, order.key, lock=True)
            state = await self._store.attempt_state(tx, order.key, step.attempt)
            if state == "RELEASED":
                gone = Problem("", "ATTEMPT_RELEASED", "the attempt was released before")
                return Reserved(state, [gone], payments)
            if state:
                return Reserved(state, [], payments)
            fresh = [draft for draft in new if not draft.id or draft.id not in {p.id for p in payments}]
            if fresh and not payments:
                drafts = [d if d.id else replace(d, id=self._ids.public("pay")) for d in fresh]
                payments = await self._order_payments.add(tx, order, payments, drafts, found, now)
                if found:
                    problems = [Problem("", v.reason, f"{v.field}: {v.description}") for v in found.items]
                    return Reserved("", problems, [])
            resolved, problems = await self._judge(tx, order, payments, step, lock=True)
            if problems:
                return Reserved("", problems, payments)
            held = [
                replace(
                    p, state=move(p.id, p.state, Event.RESERVE), attempt=step.attempt, version=p.version + 1,
                    update_time=now,
                )
                for p in resolved
            ]  # fmt: skip
            state = await self._store.open_attempt(tx, order.key, step.attempt, "RESERVED", expire, now)
            await self._store.save(tx, held)
            await self._store.reserve_balances(tx, held, step.attempt)
            await self._store.add_transactions(tx, [self._noted(p, step.attempt, now) for p in held if p.due])
            return Reserved(state, [], held)

    def _noted(self, payment: Payment, attempt: int, now: datetime) -> Transaction:
        return Transaction(
            self._ids.public("ptx"), payment.id, "RESERVE", "SUCCEEDED", payment.due, attempt, now, result_time=now
        )

    async def _judge(
        self, tx: Tx, order: OrderRef, payments: Sequence[Payment], step: Step, *, lock: bool
    ) -> tuple[list[Payment], list[Problem]]:
        resolved, problems = resolve(payments, order.total, step.must_cover_total)
        wanted = {p.spending_account_id for p in resolved if p.type == SPENDING_ACCOUNT}
        accounts = await self._store.accounts(tx, wanted, lock=lock)
        problems += [
            Problem(p.id, "CURRENCY_MISMATCH", f"is in {p.currency}, the order in {order.currency}")
            for p in resolved
            if p.currency != order.currency
        ]
        problems += [
            Problem(
                p.id, "PAYMENT_STATE_CONFLICT", f"is {p.state.value}", p.state is State.VOID_PENDING
            )
            for p in resolved
            if p.state is not State.OPEN
        ]
        return resolved, problems + balance_problems(resolved, accounts, order.user_id, self._clock.now())


def balance_problems(
    payments: Sequence[Payment], accounts: Mapping[str, Account], user_id: str, now: datetime
) -> list[Problem]:
    """Accounts that do not exist for the user, are out of time, or do not suffice. Demand is summed per account."""
    problems: list[Problem] = []
    demand: dict[str, int] = {}
    for p in payments:
        if p.type != SPENDING_ACCOUNT:
            continue
        account = accounts.get(p.spending_account_id)
        if account is None or account.buyer_id != p.buyer_id or not (user_id in account.users or "" in account.users):
            problems.append(Problem(p.id, "SPENDING_ACCOUNT_NOT_FOUND", "no such account is assigned to the user"))
            continue
        early = account.start_time is not None and now < account.start_time
        late = account.end_time is not None and now >= account.end_time
        if not account.active or early or late:
            problems.append(Problem(p.id, "SPENDING_ACCOUNT_EXPIRED", "the account cannot be paid with now"))
            continue
        demand[account.id] = demand.get(account.id, 0) + p.due
        exceed = account.users.get(user_id, False) or account.users.get("", False)
        if not exceed and demand[account.id] > account.balance - account.reserved:
            contended = demand[account.id] <= account.balance
            problems.append(Problem(p.id, "BALANCE_EXCEEDED", "the balance does not suffice", contended))
    return problems


def key_of(order_key: uuid.UUID, attempt: int, payment_id: str, what: str = "authorize") -> str:
    """The gateway key of an operation: ours, and the same on every retry."""
    return f"{order_key}/{attempt}/{payment_id}/{what}"
