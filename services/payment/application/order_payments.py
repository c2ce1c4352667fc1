"""CreatePayments, RemovePayments, ListPayments: payments of an order that is not submitted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from libs.clock import Clock
from libs.errors import Kind, RuleViolation, Violations, WaybillError, exists, missing
from libs.ids import IdSource
from services.payment.application.ports import (
    PaymentStore,
    Request,
    RequestStore,
    Transaction,
    Transactions,
    Tx,
)
from services.payment.domain.payment import CREDIT_CARD, MAX_PAYMENTS, SPENDING_ACCOUNT, Payment, resolve
from services.payment.domain.states import State, conflict


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
    xp: dict[str, Any] = field(default_factory=dict)


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
        self, database: Transactions, store: PaymentStore, requests: RequestStore, clock: Clock, ids: IdSource
    ) -> None:
        self._db = database
        self._store = store
        self._requests = requests
        self._clock = clock
        self._ids = ids

    async def create(
        self, order: OrderRef, drafts: Sequence[Draft], found: Violations, request: Request
    ) -> list[Payment]:
        """The payments as stored."""
        found.require("payments", bool(drafts), "FIELD_REQUIRED", "at least one payment")
        async with self._db.transaction() as tx:
            now = self._clock.now()
            drafts = [draft if draft.id else replace(draft, id=self._ids.public("pay")) for draft in drafts]
            recorded = await self._requests.claim(tx, request, {"ids": [d.id for d in drafts]}, now)
            existing = await self._store.of_order(tx, order.key, lock=True)
            if recorded is not None:
                by_id = {p.id: p for p in existing}
                return [by_id[id] for id in recorded["ids"] if id in by_id]
            made = await self.add(tx, order, existing, drafts, found, now)
            found.raise_if_any()
            _, problems = resolve([*existing, *made], order.total, must_cover=False)
            if problems:
                raise WaybillError(
                    Kind.PRECONDITION, problems[0].reason, "; ".join(p.description for p in problems),
                    rules=[RuleViolation(p.reason, f"payments[{p.payment_id}]", p.description) for p in problems],
                )  # fmt: skip
        return made

    async def add(
        self, tx: Tx, order: OrderRef, existing: Sequence[Payment], drafts: Sequence[Draft], found: Violations,
        now: datetime,
    ) -> list[Payment]:  # fmt: skip
        """Checks and stores new payments within a transaction; nothing is stored when something is wrong."""
        few = len(existing) + len(drafts) <= MAX_PAYMENTS
        found.require("payments", few, "TOO_MANY_PAYMENTS", f"an order has at most {MAX_PAYMENTS} payments")
        accounts = await self._store.accounts(tx, {d.spending_account_id for d in drafts} - {""})
        cards = await self._store.cards(tx, {d.credit_card_id for d in drafts} - {""})
        given = [d.id for d in drafts]
        taken = await self._store.taken_ids(tx, given)
        made: list[Payment] = []
        last = max((p.position for p in existing), default=0)
        for i, draft in enumerate(drafts):
            where = f"payments[{i}]"
            if draft.id in taken:
                raise exists("payment", draft.id)
            if draft.type == SPENDING_ACCOUNT:
                account = accounts.get(draft.spending_account_id)
                usable = account is not None and account.buyer_id == order.buyer_id and (
                    order.user_id in account.users or "" in account.users
                )
                if account is None or not usable:
                    found.add(
                        f"{where}.spending_account_id", "SPENDING_ACCOUNT_NOT_FOUND",
                        f"no account {draft.spending_account_id!r} is assigned to this user",
                    )  # fmt: skip
                elif account.currency != order.currency:
                    found.add(f"{where}.spending_account_id", "CURRENCY_MISMATCH", f"is in {account.currency}")
            if draft.type == CREDIT_CARD:
                card = cards.get(draft.credit_card_id)
                if card is None or card.buyer_id != order.buyer_id or card.user_id not in ("", order.user_id):
                    text = f"there is no card {draft.credit_card_id!r}"
                    found.add(f"{where}.credit_card_id", "CARD_NOT_FOUND", text)
            made.append(
                Payment(
                    id=draft.id, order_key=order.key, order_id=order.id, buyer_id=order.buyer_id,
                    user_id=order.user_id, position=last + i + 1, type=draft.type, currency=order.currency,
                    create_time=now, update_time=now, amount=draft.amount,
                    spending_account_id=draft.spending_account_id, credit_card_id=draft.credit_card_id,
                    purchase_order_number=draft.purchase_order_number, description=draft.description,
                    accepted=draft.type != CREDIT_CARD, xp=draft.xp,
                )
            )  # fmt: skip
        if not found:
            await self._store.insert(tx, made)
        return made

    async def remove(self, key: uuid.UUID, payment_ids: Sequence[str], request: Request) -> None:
        """Removes payments that hold nothing."""
        async with self._db.transaction() as tx:
            if await self._requests.claim(tx, request, {}, self._clock.now()) is not None:
                return
            existing = {p.id: p for p in await self._store.of_order(tx, key, lock=True)}
            for id in payment_ids:
                if id not in existing:
                    raise missing("payment", id)
                if existing[id].state is not State.OPEN:
                    raise conflict(id, existing[id].state, "be removed")
            await self._store.remove(tx, payment_ids)

    async def list(
        self, keys: Sequence[uuid.UUID]
    ) -> tuple[list[Payment], dict[str, list[Transaction]]]:
        """Payments of several orders with their transactions."""
        async with self._db.reading() as tx:
            payments = await self._store.of_orders(tx, keys)
            rows = await self._store.transactions(tx, [p.id for p in payments])
        by_payment: dict[str, list[Transaction]] = {}
        for row in rows:
            by_payment.setdefault(row.payment_id, []).append(row)
        return payments, by_payment
