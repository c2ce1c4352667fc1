"""CreatePayments, RemovePayments, ListPayments: payments of an order that is not submitted."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import FieldViolation, Kind, RuleViolation, Violations, WaybillError, missing
from libs.idempotency.key import RequestKey
from libs.ids import IdSource
from libs.json_value import JsonObject
from services.payment.application.means.payer_groups import PayerGroups
from services.payment.application.ports import PaymentWork, Units
from services.payment.domain.means.declared import shown
from services.payment.domain.means.means import Means, Payer, unusable
from services.payment.domain.money.recording import authorized
from services.payment.domain.payments.payment import MAX_PAYMENTS, Payment, Problem, misstated, untaken
from services.payment.domain.payments.states import State, conflict
from services.payment.domain.payments.transaction import Result, Transaction
from services.payment.domain.payments.types import Holding, behavior, known
from services.payment.domain.redirects.redirect import Redirect
from waybill.payment.v1 import reasons

STANDS = "be removed: what was authorized outside stands until its void is recorded"


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
    xp: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderRef:
    """What the order service passes."""

    key: uuid.UUID
    id: str
    buyer_id: str
    user_id: str
    total: int
    """0 where `calculated` says that there is none."""
    currency: str
    guest: bool = False
    version: int = 0
    """That payments were asked for at; 0 where they come with an attempt to submit, which no deletion can be under way with."""
    caller: Principal | None = None
    """Whom the order service calls for."""
    may_exceed: bool = False
    """Whether its channel admits payments above the total."""
    types: Collection[str] = ()
    """The types of payment that its channel names."""
    groups: Collection[str] = ()
    """Those of its user that may have something to pay with; see `OrderPayments.knowing`."""
    calculated: bool = True
    """Whether it has a total; payments are added and changed before, too."""

    @property
    def known_total(self) -> int | None:
        """Its total, if there is one."""
        return self.total if self.calculated else None


@dataclass(frozen=True, slots=True)
class Listed:
    """A payment as it is listed."""

    payment: Payment
    transactions: Sequence[Transaction]
    redirect: Redirect | None
    """The last authorization that was begun for its buyer, of one that is open."""


class OrderPayments:
    """Adds, removes, lists."""

    def __init__(self, units: Units, clock: Clock, ids: IdSource, groups: PayerGroups) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._groups = groups

    async def create(self, order: OrderRef, drafts: Sequence[Draft], request: RequestKey | None) -> list[Payment]:
        """The payments as stored. Everything that is wrong is reported at once."""
        now = self._clock.now()
        made = self.compose(order, drafts, now)
        order = await self.knowing(order)

        async def store(work: PaymentWork) -> list[Payment]:
            recorded = await work.requests.claim(request, {"ids": [p.id for p in made]}, now)
            if recorded is not None:
                by_id = {p.id: p for p in await work.payments.of_order(order.key)}
                return [by_id[id] for id in recorded["ids"] if id in by_id]
            attempt = await self._live(work, order.key, now)
            if attempt:
                raise submission_in_progress(order.id, attempt)
            deletion = await work.payments.deletion(order.key)
            if order.version <= deletion.version:
                raise _being_deleted(order.id)
            existing = await work.payments.of_order(order.key)
            placed = placed_after(existing, made)
            problems = misstated([*existing, *placed], order.known_total, order.may_exceed)
            means = await self.means(work, order, placed)
            placed = [shown(p, means.types.get(p.type), 0) for p in placed]
            problems += [*untaken(placed, order.types), *unusable(placed, means, now)]
            if len(existing) + len(placed) > MAX_PAYMENTS:
                text = f"an order has at most {MAX_PAYMENTS} payments"
                problems.append(Problem("", reasons.TOO_MANY_PAYMENTS, text, field="payments"))
            if problems:
                raise refused(placed, problems)
            await work.payments.require_free([p.id for p in placed])
            await work.payments.insert(placed)
            if deletion.took:
                await work.payments.note_paid_again(order.key, now)
            return placed

        return await self._units.retrying(store)

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
                external=not known(draft.type),
            )
            for i, draft in enumerate(drafts, start=1)
        ]

    async def knowing(self, order: OrderRef) -> OrderRef:
        """The order with the groups of its user, which are asked for outside of any transaction."""
        return replace(order, groups=await self._groups.paying(order.caller, order.buyer_id, order.user_id))

    async def means(self, work: PaymentWork, order: OrderRef, payments: Sequence[Payment], *, lock: bool = False) -> Means:
        """The accounts, cards and declared types that payments of an order draw on; none of a kind is no statement."""
        payer = Payer({p.user_id for p in payments}, order.groups, order.buyer_id)
        outside = [p for p in payments if p.holding is Holding.EXTERNAL]
        recorded: dict[str, list[Transaction]] = {}
        for row in await work.payments.transactions([p.id for p in outside]):
            recorded.setdefault(row.payment_id, []).append(row)
        return Means(
            await work.means.accounts({p.spending_account_id for p in payments}, payer, lock=lock),
            await work.means.cards({p.credit_card_id for p in payments}, payer, lock=lock),
            order.guest,
            await work.types.of_ids({p.type for p in outside}, payer, lock=lock),
            {id: authorized(rows) for id, rows in recorded.items()},
        )

    async def remove(self, key: uuid.UUID, payment_ids: Sequence[str], request: RequestKey | None) -> None:
        """Removes payments that hold nothing."""

        async def take_out(work: PaymentWork) -> None:
            now = self._clock.now()
            if await work.requests.claim(request, {}, now) is not None:
                return
            attempt = await self._live(work, key, now)
            existing = {p.id: p for p in await work.payments.of_order(key, lock=True)}
            for id in payment_ids:
                if id not in existing:
                    raise missing("payment", id)
            await self._take_out(work, [existing[id] for id in payment_ids], attempt, now)

        await self._units.retrying(take_out)

    async def _take_out(self, work: PaymentWork, payments: Sequence[Payment], attempt: int, now: datetime) -> None:
        for payment in payments:
            if attempt:
                raise submission_in_progress(payment.order_id, attempt)
            if payment.state not in (State.OPEN, State.VOIDED):
                raise conflict(payment.id, payment.state, "be removed")
        ids = [p.id for p in payments]
        recorded: dict[str, list[Transaction]] = {}
        for row in await work.payments.transactions(ids):
            if row.result is Result.PENDING:
                raise conflict(row.payment_id, State.VOID_PENDING, "be removed")
            recorded.setdefault(row.payment_id, []).append(row)
        for payment in payments:
            if authorized(recorded.get(payment.id, ())):
                raise conflict(payment.id, payment.state, STANDS)
        await work.redirects.end([p.id for p in payments if p.holding is Holding.GATEWAY], now)
        await work.payments.remove(ids, now)

    async def _live(self, work: PaymentWork, key: uuid.UUID, now: datetime) -> int:
        """The attempt that holds the order's payments, if any; none can begin to until the transaction ends."""
        await work.attempts.lock(key, now)
        return await work.attempts.live(key)

    async def list(self, keys: Sequence[uuid.UUID]) -> list[Listed]:
        """Payments of several orders with their transactions, in three statements at most."""
        async with self._units.reading(snapshot=True) as work:
            payments = await work.payments.of_orders(keys)
            rows = await work.payments.transactions([p.id for p in payments])
            begun = [p.id for p in payments if p.holding is Holding.GATEWAY and p.state is State.OPEN]
            redirects = {r.payment_id: r for r in await work.redirects.of_payments(begun)}
        by_payment: dict[str, list[Transaction]] = {}
        for row in rows:
            by_payment.setdefault(row.payment_id, []).append(row)
        return [Listed(p, by_payment.get(p.id, []), redirects.get(p.id)) for p in payments]


def placed_after(existing: Sequence[Payment], made: Sequence[Payment]) -> list[Payment]:
    """New payments, at positions after those that the order has."""
    last = max((p.position for p in existing), default=0)
    return [replace(p, position=last + p.position) for p in made]


def submission_in_progress(order_id: str, attempt: int) -> WaybillError:
    """ABORTED: by the time of the retry the order is submitted, which its service shows, or the attempt released."""
    return WaybillError(
        Kind.STALE,
        reasons.SUBMISSION_IN_PROGRESS,
        f"the payments of order {order_id} are those of its submit by now",
        metadata={"order": order_id, "attempt": str(attempt)},
        retry_after=timedelta(seconds=1),
    )


def _being_deleted(order_id: str) -> WaybillError:
    """ABORTED: by the time of the retry the order is gone, or has a newer version."""
    return WaybillError(
        Kind.STALE,
        reasons.ORDER_BEING_DELETED,
        f"order {order_id} is being deleted",
        metadata={"order": order_id},
        retry_after=timedelta(seconds=1),
    )


def refused(made: Sequence[Payment], problems: Sequence[Problem], field: str = "") -> WaybillError:
    """Problems of a field of the request make it invalid; a sum above the total alone is a rule.

    `field` is where the request has its only payment; where it is not given the request has a list of `payments`.
    """
    index = {p.id: i for i, p in enumerate(made)}
    found = Violations()
    rules: list[RuleViolation] = []
    for p in problems:
        if p.field:
            at = field or f"payments[{index.get(p.payment_id, 0)}]"
            where = f"{at}.{p.field}" if p.payment_id in index else "payments"
            found.items.append(FieldViolation(where, p.reason, p.description))
        else:
            rules.append(RuleViolation(p.reason, "payments", p.description))
    if found:
        found.items += [FieldViolation(rule.subject, rule.type, rule.description) for rule in rules]
        return found.error()
    text = "; ".join(rule.description for rule in rules)
    first = index.get(problems[0].payment_id)
    account = "" if first is None else made[first].spending_account_id
    metadata = {"spending_account": account} if account else {}
    return WaybillError(Kind.PRECONDITION, rules[0].type, text, metadata=metadata, rules=rules)
