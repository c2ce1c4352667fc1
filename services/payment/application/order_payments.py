"""CreatePayments, RemovePayments, ListPayments: payments of an order that is not submitted."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from libs.clock import Clock
from libs.errors import FieldViolation, Kind, RuleViolation, Violations, WaybillError, missing
from libs.ids import IdSource
from services.payment.application.ports import AttemptStore, MeansStore, PaymentStore, Request, RequestStore, Transactions, Tx
from services.payment.domain.means import Means, unusable
from services.payment.domain.payment import MAX_PAYMENTS, Payment, Problem, resolve
from services.payment.domain.states import State, conflict
from services.payment.domain.transaction import Result, Transaction
from services.payment.domain.types import behavior


@dataclass(frozen=True, slots=True)
class Draft:
    """A payment as asked for."""

    id: str
    type: str
    amount: int | None
    spending_account_id: str = ""
    credit_card_id: str = ""
    purchase_order_number: str = ""
    description: str = ""
    xp: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderRef:
    """What the order service passes."""

    key: uuid.UUID
    id: str
    buyer_id: str
    user_id: str
    total: int
    currency: str


class OrderPayments:
    """Adds, removes, lists."""

    def __init__(
        self,
        database: Transactions,
        payments: PaymentStore,
        attempts: AttemptStore,
        means: MeansStore,
        requests: RequestStore,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._db = database
        self._payments = payments
        self._attempts = attempts
        self._means = means
        self._requests = requests
        self._clock = clock
        self._ids = ids

    async def create(self, order: OrderRef, drafts: Sequence[Draft], request: Request) -> list[Payment]:
        """The payments as stored. Everything that is wrong is told at once."""
        now = self._clock.now()
        made = self.compose(order, drafts, now)

        async def work(tx: Tx) -> list[Payment]:
            recorded = await self._requests.claim(tx, request, {"ids": [p.id for p in made]}, now)
            if recorded is not None:
                by_id = {p.id: p for p in await self._payments.of_order(tx, order.key)}
                return [by_id[id] for id in recorded["ids"] if id in by_id]
            attempt = await self._live(tx, order.key, now)
            if attempt:
                raise submission_in_progress(order.id, attempt)
            existing = await self._payments.of_order(tx, order.key)
            placed = placed_after(existing, made)
            _, problems = resolve([*existing, *placed], order.total, must_cover=False)
            problems += unusable(placed, await self.means(tx, placed), now)
            if len(existing) + len(placed) > MAX_PAYMENTS:
                text = f"an order has at most {MAX_PAYMENTS} payments"
                problems.append(Problem("", "TOO_MANY_PAYMENTS", text, field="payments"))
            if problems:
                raise refused(placed, problems)
            await self._payments.insert(tx, placed)
            return placed

        return await self._db.retrying(work)

    def compose(self, order: OrderRef, drafts: Sequence[Draft], now: datetime) -> list[Payment]:
        """Payments as they would be stored."""
        return [
            Payment(
                id=draft.id or self._ids.public("pay"),
                order_key=order.key,
                order_id=order.id,
                buyer_id=order.buyer_id,
                user_id=order.user_id,
                position=i,
                type=draft.type,
                currency=order.currency,
                create_time=now,
                update_time=now,
                amount=draft.amount,
                spending_account_id=draft.spending_account_id,
                credit_card_id=draft.credit_card_id,
                purchase_order_number=draft.purchase_order_number,
                description=draft.description,
                accepted=behavior(draft.type).accepted_at_once,
                xp=draft.xp,
            )
            for i, draft in enumerate(drafts, start=1)
        ]

    async def means(self, tx: Tx, payments: Sequence[Payment], *, lock: bool = False) -> Means:
        """The accounts and cards that payments draw on; none of a kind is no statement."""
        return Means(
            await self._means.accounts(tx, {p.spending_account_id for p in payments}, lock=lock),
            await self._means.cards(tx, {p.credit_card_id for p in payments}),
        )

    async def remove(self, key: uuid.UUID, payment_ids: Sequence[str], request: Request) -> None:
        """Removes payments that hold nothing."""

        async def work(tx: Tx) -> None:
            now = self._clock.now()
            if await self._requests.claim(tx, request, {}, now) is not None:
                return
            attempt = await self._live(tx, key, now)
            existing = {p.id: p for p in await self._payments.of_order(tx, key, lock=True)}
            for id in payment_ids:
                if id not in existing:
                    raise missing("payment", id)
                if attempt:
                    raise submission_in_progress(existing[id].order_id, attempt)
                if existing[id].state not in (State.OPEN, State.VOIDED):
                    raise conflict(id, existing[id].state, "be removed")
            for row in await self._payments.transactions(tx, payment_ids):
                if row.result is Result.PENDING:
                    raise conflict(row.payment_id, State.VOID_PENDING, "be removed")
            await self._payments.remove(tx, payment_ids)

        await self._db.retrying(work)

    async def _live(self, tx: Tx, key: uuid.UUID, now: datetime) -> int:
        """The attempt that holds the order's payments, if any; none can begin to until the transaction ends."""
        await self._attempts.lock(tx, key, now)
        return await self._attempts.live(tx, key)

    async def list(self, keys: Sequence[uuid.UUID]) -> tuple[list[Payment], dict[str, list[Transaction]]]:
        """Payments of several orders with their transactions, in two statements."""
        async with self._db.reading(snapshot=True) as tx:
            payments = await self._payments.of_orders(tx, keys)
            rows = await self._payments.transactions(tx, [p.id for p in payments])
        by_payment: dict[str, list[Transaction]] = {}
        for row in rows:
            by_payment.setdefault(row.payment_id, []).append(row)
        return payments, by_payment


def placed_after(existing: Sequence[Payment], made: Sequence[Payment]) -> list[Payment]:
    """New payments, at positions after those that the order has."""
    last = max((p.position for p in existing), default=0)
    return [replace(p, position=last + p.position) for p in made]


def submission_in_progress(order_id: str, attempt: int) -> WaybillError:
    """ABORTED: by the time of the retry the order is submitted, which its service tells, or the attempt released."""
    return WaybillError(
        Kind.STALE,
        "SUBMISSION_IN_PROGRESS",
        f"the payments of order {order_id} are those of its submit by now",
        metadata={"order": order_id, "attempt": str(attempt)},
        retry_after=timedelta(seconds=1),
    )


def refused(made: Sequence[Payment], problems: Sequence[Problem]) -> WaybillError:
    """Problems of a field of the request make it invalid; a sum above the total alone is a rule."""
    index = {p.id: i for i, p in enumerate(made)}
    found = Violations()
    rules: list[RuleViolation] = []
    for p in problems:
        if p.field:
            where = f"payments[{index[p.payment_id]}].{p.field}" if p.payment_id in index else "payments"
            found.items.append(FieldViolation(where, p.reason, p.description))
        else:
            rules.append(RuleViolation(p.reason, "payments", p.description))
    if found:
        found.items += [FieldViolation(rule.subject, rule.type, rule.description) for rule in rules]
        return found.error()
    text = "; ".join(rule.description for rule in rules)
    return WaybillError(Kind.PRECONDITION, rules[0].type, text, rules=rules)
