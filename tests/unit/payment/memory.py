"""Payment's ports in memory, and a gateway whose behavior a test chooses call by call."""

# Long because it is one list: every port of the context.
from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from libs.clock import ManualClock
from services.payment.application.gateway.ports import Answer, GatewayTimeout, Verdict
from services.payment.application.ports import Deletion
from services.payment.domain.means.means import Account, Card
from services.payment.domain.money.ledger import Movement, account_gains
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import PERMANENT, State
from services.payment.domain.payments.transaction import Cause, Result, Transaction, TransactionType
from tests.unit.payment.builders import a_card, an_account

LIFETIME = timedelta(days=7)


@dataclass
class Memory:
    """What the database would hold. One task at a time uses it."""

    payments: dict[str, Payment] = field(default_factory=dict)
    rows: dict[str, Transaction] = field(default_factory=dict)
    attempts: dict[tuple[uuid.UUID, int], str] = field(default_factory=dict)
    lowered: dict[uuid.UUID, int] = field(default_factory=dict)
    ended: set[uuid.UUID] = field(default_factory=set)
    deletions: dict[uuid.UUID, Deletion] = field(default_factory=dict)
    account: Account = field(default_factory=lambda: an_account(balance=1_000))
    sides: dict[str, int] = field(default_factory=dict)
    alerts: set[str] = field(default_factory=set)
    """Payments that are to be reported to the order service."""

    @asynccontextmanager
    async def reading(self, snapshot: bool = False) -> AsyncIterator[MemoryWork]:
        yield MemoryWork(self)

    async def retrying(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        kept = {name: value.copy() if hasattr(value, "copy") else value for name, value in vars(self).items()}
        try:
            return await work(MemoryWork(self))
        except Exception:
            vars(self).update(kept)
            raise


class MemoryPayments:
    """PaymentStore."""

    def __init__(self, memory: Memory) -> None:
        self._m = memory

    async def of_order(self, key: uuid.UUID, *, lock: bool = False) -> list[Payment]:
        return sorted((p for p in self._m.payments.values() if p.order_key == key), key=lambda p: p.position)

    async def of_order_or_taken(self, key: uuid.UUID, ids: Collection[str]) -> tuple[list[Payment], set[str]]:
        return await self.of_order(key), set(ids) & self._m.payments.keys()

    async def require_free(self, ids: Collection[str]) -> None:
        assert not set(ids) & self._m.payments.keys()

    async def get(self, payment_id: str, *, lock: bool = False) -> Payment | None:
        return self._m.payments.get(payment_id)

    async def insert(self, payments: Sequence[Payment]) -> None:
        await self.save(payments)

    async def save(self, payments: Sequence[Payment]) -> None:
        self._m.payments.update({p.id: p for p in payments})

    async def add_transactions(self, rows: Sequence[Transaction]) -> None:
        self._m.rows.update({row.id: row for row in rows})

    async def settle(
        self, id: str, result: Result, reference: str, message: str, now: datetime, expire: datetime | None = None
    ) -> bool:
        row = self._m.rows[id]
        if row.result is not Result.PENDING:
            return False
        self._m.rows[id] = replace(row, result=result, message=message, result_time=now, ask_time=None, expire_time=expire)
        return True

    async def take_over_refunds(self, payment_ids: Collection[str]) -> None:
        for row in list(self._m.rows.values()):
            if row.payment_id in payment_ids and row.type is TransactionType.REFUND and row.result is Result.PENDING:
                self._m.rows[row.id] = replace(row, cause=Cause.CANCEL)

    async def lowered(self, key: uuid.UUID, attempt: int, now: datetime) -> bool:
        newer = attempt > self._m.lowered.get(key, 0)
        self._m.lowered[key] = max(attempt, self._m.lowered.get(key, 0))
        return newer

    async def note_deletions(self, deletions: Mapping[uuid.UUID, Deletion], now: datetime) -> None:
        for key, deletion in deletions.items():
            known = await self.deletion(key)
            self._m.deletions[key] = Deletion(max(deletion.version, known.version), deletion.took or known.took)

    async def deletion(self, key: uuid.UUID) -> Deletion:
        return self._m.deletions.get(key, Deletion())

    async def note_paid_again(self, key: uuid.UUID, now: datetime) -> None:
        self._m.deletions[key] = replace(await self.deletion(key), took=False)

    async def ended(self, keys: Collection[uuid.UUID]) -> set[uuid.UUID]:
        return self._m.ended & set(keys)

    async def note_ends(self, keys: Collection[uuid.UUID], now: datetime) -> None:
        self._m.ended |= set(keys)

    async def transactions(self, payment_ids: Collection[str]) -> list[Transaction]:
        return [row for row in self._m.rows.values() if row.payment_id in payment_ids]

    async def lapsing(self, now: datetime, until: datetime, limit: int) -> set[uuid.UUID]:
        return {p.order_key for p in self._m.payments.values() if self._lapsing(p, now, until)}

    async def claim_lapsing(self, key: uuid.UUID, now: datetime, until: datetime) -> list[Payment]:
        return [p for p in self._m.payments.values() if p.order_key == key and self._lapsing(p, now, until)]

    def _lapsing(self, p: Payment, now: datetime, until: datetime) -> bool:
        expire = p.authorization_expire_time
        asked = {r.type for r in self._m.rows.values() if r.payment_id == p.id and r.result is Result.PENDING}
        if expire is None or expire > until or p.state not in PERMANENT or TransactionType.CAPTURE in asked:
            return False
        fit = p.state in (State.CONFIRMED, State.CAPTURED) and p.due > p.captured
        return expire <= now or (fit and TransactionType.AUTHORIZE not in asked and p.order_key not in self._m.ended)


class MemoryAttempts:
    """AttemptStore."""

    def __init__(self, memory: Memory) -> None:
        self._m = memory

    async def open(self, key: uuid.UUID, attempt: int, state: str, expire: datetime, now: datetime) -> str:
        stands = self._m.attempts.setdefault((key, attempt), "")
        self._m.attempts[key, attempt] = stands or state
        return stands

    async def lock(self, key: uuid.UUID, now: datetime) -> None: ...

    async def state(self, key: uuid.UUID, attempt: int) -> str:
        return self._m.attempts.get((key, attempt), "")

    async def end(self, key: uuid.UUID, attempt: int, state: str, now: datetime) -> tuple[bool, str]:
        stands = self._m.attempts.get((key, attempt), "")
        self._m.attempts[key, attempt] = state if stands in ("", "RESERVED") else stands
        return stands == "RESERVED", self._m.attempts[key, attempt]

    async def live(self, key: uuid.UUID) -> int:
        return max((n for (_, n), state in self._m.attempts.items() if state in ("RESERVED", "CONFIRMED")), default=0)

    async def end_all(self, key: uuid.UUID, state: str, now: datetime) -> None:
        for one, stands in self._m.attempts.items():
            self._m.attempts[one] = state if stands == "RESERVED" else stands


class NoGroups:
    """Memberships, and AssignmentStore as far as it is asked: there are no groups."""

    async def groups(self, buyer_id: str) -> set[str]:
        return set()

    async def group_ids(self, user_id: str) -> Collection[str]:
        return ()


class MemoryMeans:
    """MeansStore: one account, one card."""

    def __init__(self, memory: Memory) -> None:
        self._m = memory

    async def accounts(self, ids: Collection[str], groups: Collection[str] = (), *, lock: bool = False) -> dict[str, Account]:
        return {self._m.account.id: self._m.account}

    async def cards(self, ids: Collection[str], groups: Collection[str] = (), *, lock: bool = False) -> dict[str, Card]:
        return {"card": a_card()}

    async def hold(self, demands: Mapping[str, Any], now: datetime) -> bool:
        amount = sum(d.amount for d in demands.values())
        self._m.account = replace(self._m.account, reserved=self._m.account.reserved + amount)
        return True

    async def post(self, movements: Sequence[Movement], now: datetime, freed: Mapping[str, int] | None = None) -> None:
        for movement in movements:
            for side in movement.sides:
                self._m.sides[side.account] = self._m.sides.get(side.account, 0) + side.amount
        a = self._m.account
        gains, free = sum(account_gains(movements).values()), sum((freed or {}).values())
        self._m.account = replace(a, balance=a.balance + gains, reserved=a.reserved - free)


class MemoryRequests:
    """RequestStore that never saw a request."""

    async def find(self, request: Any) -> None:
        return None

    async def claim(self, request: Any, outcome: Any, now: datetime) -> None:
        return None


class NoTries:
    """Tries that put nothing off, and remember what failed."""

    def __init__(self) -> None:
        self.failures: list[tuple[Any, str]] = []

    async def failed(self, item: Any, why: str) -> None:
        self.failures.append((item, why))

    async def went(self, item: Any) -> None: ...


class MemoryAlerts:
    """AlertStore: which payments were given to it."""

    def __init__(self, memory: Memory) -> None:
        self._m = memory

    async def raise_for(self, payments: Sequence[Payment], now: datetime) -> None:
        self._m.alerts |= {p.id for p in payments}


class NoRedirects:
    """RedirectStore as far as it is asked: no payment waits for its buyer."""

    async def let_go(self, key: uuid.UUID, attempt: int, now: datetime) -> dict[str, str]:
        return {}

    async def save(self, redirects: Sequence[Any]) -> None:
        assert not redirects


class NoTypes:
    """TypeStore of a marketplace that declares none."""

    async def of_ids(self, ids: Collection[str], payer: Any = None, *, lock: bool = False) -> dict[str, Any]:
        return {}


class MemoryWork:
    """PaymentWork, as far as the model of a payment's life goes."""

    def __init__(self, memory: Memory) -> None:
        self.payments = MemoryPayments(memory)
        self.attempts = MemoryAttempts(memory)
        self.means = MemoryMeans(memory)
        self.assignments = NoGroups()
        self.alerts = MemoryAlerts(memory)
        self.requests = MemoryRequests()
        self.redirects = NoRedirects()
        self.types = NoTypes()


class WilfulGateway:
    """Does and answers what `mood` says: approve, decline, silent (not done), late (done, not answered)."""

    name = "wilful"

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.mood = "approve"
        self.auths: dict[str, dict[str, Any]] = {}
        self.done: dict[str, Answer] = {}
        self.under_way: list[tuple[str, Callable[[], Any]]] = []
        """What arrives later, with the key that it voids, if it does."""

    def needs_buyer(self, token: str) -> bool:
        return False

    async def start(self, key: str, token: str, amount: int, currency: str, return_url: str, until: datetime) -> Answer:
        raise AssertionError("no payment waits for its buyer")

    def callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        return None

    async def authorize(self, key: str, token: str, amount: int, currency: str) -> Answer:
        return self._do(key, lambda no: self._authorize(key, amount, no))

    async def void(self, key: str) -> Answer:
        return self._do("", lambda no: self._void(key, no), void=key)

    async def capture(self, key: str, authorization_key: str, amount: int, currency: str) -> Answer:
        return self._do(key, lambda no: self._take(key, "captured", authorization_key, amount, no))

    async def refund(self, key: str, authorization_key: str, amount: int, currency: str) -> Answer:
        return self._do(key, lambda no: self._take(key, "refunded", authorization_key, amount, no))

    async def close(self) -> None: ...

    async def get_by_key(self, key: str) -> Answer:
        if self.mood in ("silent", "late"):
            raise GatewayTimeout
        return self.done.get(key, Answer(Verdict.NOTHING))

    def arrive(self) -> None:
        """What was under way gets there."""
        arriving, self.under_way = self.under_way, []
        for _, operation in arriving:
            operation()

    def held(self, payment: Payment) -> dict[str, int]:
        """What is held of a payment and was not taken, by the key of each authorization that has not lapsed."""
        its = {key: a for key, a in self.auths.items() if key.split("/")[2] == payment.id}
        live = {key: a for key, a in its.items() if not a["void"] and a["expire"] > self.clock.now()}
        return {key: a["amount"] - a["captured"] for key, a in live.items() if a["amount"] > a["captured"]}

    def total(self, payment: Payment, what: str) -> int:
        """What was captured or refunded of a payment."""
        return sum(a[what] for key, a in self.auths.items() if key.split("/")[2] == payment.id)

    def _do(self, key: str, operation: Callable[[bool], Answer], void: str = "") -> Answer:
        if self.mood == "silent":
            self.under_way.append((void, lambda: operation(False) if not key or key not in self.done else None))
            raise GatewayTimeout
        answer = self.done[key] if key and key in self.done else operation(self.mood == "decline")
        if self.mood == "late":
            raise GatewayTimeout
        return answer

    def _authorize(self, key: str, amount: int, no: bool) -> Answer:
        if key in self.auths or no:
            answer = Answer(Verdict.DECLINED, message="no")
        else:
            expire = self.clock.now() + LIFETIME
            self.auths[key] = {"amount": amount, "captured": 0, "refunded": 0, "void": False, "expire": expire}
            answer = Answer(Verdict.APPROVED, expire_time=expire)
        return self.done.setdefault(key, answer)

    def _void(self, key: str, no: bool) -> Answer:
        empty = {"amount": 0, "captured": 0, "refunded": 0, "expire": self.clock.now()}
        if no and key in self.auths and not self.auths[key]["void"]:
            # It has answered: the same request, sent before, does nothing when it arrives.
            self.under_way = [(void, operation) for void, operation in self.under_way if void != key]
            return Answer(Verdict.DECLINED, message="no")
        self.auths.setdefault(key, empty)["void"] = True
        return Answer(Verdict.APPROVED)

    def _take(self, key: str, what: str, authorization_key: str, amount: int, no: bool) -> Answer:
        a = self.auths.get(authorization_key, {"amount": 0, "captured": 0, "refunded": 0, "void": True})
        limit = a["captured"] if what == "refunded" else a["amount"]
        gone = what == "captured" and (a["void"] or a["expire"] <= self.clock.now())
        if no or gone or a[what] + amount > limit:
            return self.done.setdefault(key, Answer(Verdict.DECLINED, message="no"))
        a[what] += amount
        return self.done.setdefault(key, Answer(Verdict.APPROVED))
