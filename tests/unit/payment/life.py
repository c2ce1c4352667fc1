"""One order and payment's use cases on memory: what the model of a payment's life drives, and what it must find at rest."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from libs.clock import ManualClock
from libs.errors import WaybillError
from libs.failpoints import Failpoints
from libs.ids import SequentialIds
from libs.service.loops import Pace
from services.payment.application.attempts.authorize_payments import AuthorizePayments
from services.payment.application.attempts.end_attempt import EndAttempt
from services.payment.application.attempts.reserve_payments import ReservePayments
from services.payment.application.gateway.ask_gateway import AskGateway
from services.payment.application.gateway.gateways import Gateways
from services.payment.application.means.payer_groups import PayerGroups
from services.payment.application.money.capture_shipped import CaptureShipped
from services.payment.application.money.lower_payments import LowerPayments
from services.payment.application.money.move_money import MoveMoney
from services.payment.application.money.renew_authorizations import RenewAuthorizations
from services.payment.application.money.settle_transactions import SettleTransactions
from services.payment.application.money.void_payments import VoidPayments
from services.payment.application.payments.order_payments import OrderPayments, OrderRef
from services.payment.application.payments.replace_payments import ReplacePayments
from services.payment.application.record_changes import Books, RecordChanges
from services.payment.application.redirects.adopt_redirects import AdoptRedirects
from services.payment.application.redirects.settle_redirects import SettleRedirects
from services.payment.domain.money.authorization import Hold, authorizations
from services.payment.domain.money.shipped import missing
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import PERMANENT, State
from services.payment.domain.payments.transaction import Cause, Result, Transaction, TransactionType
from services.payment.domain.payments.types import CREDIT_CARD, Holding
from tests.unit.payment.builders import NOW, ORDER, a_payment
from tests.unit.payment.memory import Memory, NoGroups, NoTries, WilfulGateway

TOTAL = 140
REF = OrderRef(ORDER, "PO1", "acme", "anna", TOTAL, "USD")
AGAIN = timedelta(seconds=10)


class Life:
    """The use cases, wired as the service wires them; the clock, the gateway and the order service are the test's."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock, self.memory, self.over = ManualClock(NOW), Memory(), False
        self.gateway = WilfulGateway(self.clock)
        # Memory has what the use cases of this model call, and no more of the ports.
        units: Any = self.memory
        ids, gateways = SequentialIds(), Gateways({CREDIT_CARD: self.gateway})
        books = Books(units, RecordChanges(ids, gateways, AGAIN), self.clock)
        ask = AskGateway(gateways, 5.0)
        self.settle = SettleTransactions(books, ask, 1.0, Pace(NoTries(), 50, AGAIN))
        orders = OrderPayments(units, self.clock, ids, PayerGroups(units, NoGroups()))
        looks = SettleRedirects(units, self.clock, ask, Pace(NoTries(), 50, AGAIN), Failpoints())
        self.reserve = ReservePayments(books, orders, AdoptRedirects(units, gateways, looks, 1.0), timedelta(0))
        self.authorize = AuthorizePayments(books, ask, Failpoints())
        self.end = EndAttempt(books, self.settle)
        self.void = VoidPayments(books, self.settle)
        self.lower = LowerPayments(books, self.settle)
        self.capture_shipped, self.shipped = CaptureShipped(books, self.settle), 0
        peer: Any = self
        self.move = MoveMoney(books, self.settle, peer)
        self.replace = ReplacePayments(books, orders, self.settle)
        self.renewals = NoTries()
        self.renew = RenewAuthorizations(books, self.settle, peer, timedelta(days=1), Pace(self.renewals, 50))
        made = (
            a_payment("account", "spending_account", 20, spending_account_id="gift", position=1),
            a_payment("card", "credit_card", 60, credit_card_id="card", position=2, accepted=False),
            a_payment("promise", amount=20, position=3),
            a_payment("second", "credit_card", credit_card_id="card", position=4, accepted=False),
        )
        self.memory.payments = {p.id: p for p in made}

    async def ended(self, keys: Collection[Any], *, captured: bool = False) -> set[Any]:
        """The order service says which orders have ended."""
        return set(keys) if self.over and not (captured and self.missing) else set()

    @property
    def missing(self) -> int:
        """What has shipped and is not taken."""
        return missing(list(self.memory.payments.values()), self.shipped)

    def run(self, work: Any) -> Any:
        """The outcome; a refusal is one."""
        try:
            return self.loop.run_until_complete(work)
        except WaybillError as refused:
            return refused

    @property
    def cards(self) -> list[Payment]:
        """Payments of which a gateway holds the money."""
        return [p for p in self.memory.payments.values() if p.holding is Holding.GATEWAY]

    def rows(self, p: Payment) -> list[Transaction]:
        """A payment's transactions."""
        return [row for row in self.memory.rows.values() if row.payment_id == p.id]

    def waiting(self) -> list[Transaction]:
        """What the gateway is asked on about."""
        return [row for row in self.memory.rows.values() if row.result is Result.PENDING and row.ask_time is not None]

    def first_lapse(self) -> datetime | None:
        """When the first authorization lapses that is known to be held."""
        return min((p.authorization_expire_time for p in self.cards if p.authorization_expire_time), default=None)

    def uncovered(self) -> int:
        """What payments that need attention have still to take."""
        return sum(p.uncaptured for p in self.cards if p.state is State.ATTENTION)

    def come_to_rest(self) -> None:
        """What was under way arrives, and the gateway answers everything."""
        self.gateway.mood = "approve"
        self.gateway.arrive()
        for _ in range(30):
            waiting = self.waiting()
            for row in waiting:
                self.run(self.settle.settle(row))
            if not waiting and not self.run(self.renew.once()):
                return
        raise AssertionError("never at rest")

    def check_books(self) -> None:
        """At every moment."""
        m = self.memory
        assert not self.renewals.failures
        assert sum(m.sides.values()) == 0
        assert m.account.balance == 1_000 + m.sides.get("spending_account:gift", 0)
        reserved = [p.due for p in m.payments.values() if p.holding is Holding.BALANCE and p.state is State.RESERVED]
        assert m.account.reserved == sum(reserved)
        # What the order is paid by is never more than it was, however often a payment is replaced.
        assert sum(p.due for p in m.payments.values() if p.state in PERMANENT) <= TOTAL
        for p in m.payments.values():
            assert 0 <= p.due <= (p.resolved_amount or 0)
            assert p.state is not State.ATTENTION or p.id in m.alerts

    def check_at_rest(self) -> None:
        """The gateway holds what the order wants: exactly, authorization by authorization."""
        for p in self.cards:
            self._check_card(p)

    def _check_card(self, p: Payment) -> None:
        assert p.captured == self.gateway.total(p, "captured")
        assert p.refunded == self.gateway.total(p, "refunded")
        its = authorizations(self.rows(p))
        held = self.gateway.held(p)
        assert held == {a.key: a.rest for a in its if a.hold is Hold.HELD and a.rest}, "what is recorded is what is held"
        assert p.state in {*PERMANENT, State.OPEN, State.VOIDED}
        # The gateway declined to void these: they are known, and lapse or wait for a person.
        kept = {a.key: a.rest for a in its if a.kept and a.key in held}
        if p.state in PERMANENT and p.due > p.captured:
            assert len(held) - len(kept) == 1 or kept or p.state is State.ATTENTION, "covered once"
            assert len(held) - len(kept) <= 1, "covered once"
            for a in its:
                if a.key in held and a.key not in kept:
                    # An authorization stays as large as it was when less became due, or more was taken of another.
                    elsewhere = (p.resolved_amount or 0) - p.due + p.captured - a.captured
                    assert p.uncaptured <= held[a.key] <= p.uncaptured + elsewhere
        else:
            assert held == (kept if p.state is State.ATTENTION else {}), "nobody wants it"
        assert p.state is not State.ATTENTION or self._has_cause(p), "no person has to look without a cause"

    def _has_cause(self, p: Payment) -> bool:
        """What brings a payment to a person's attention, read from what happened and not from its state."""
        rows = self.rows(p)
        declined = {(row.type, row.cause) for row in rows if row.result is Result.DECLINED}
        undone = [row.create_time for row in rows if row.cause is Cause.CANCEL]
        taken = any(row.type is TransactionType.CAPTURE and row.result is Result.SUCCEEDED for row in rows)
        return (
            any(row.type is TransactionType.LAPSE for row in rows)
            or any(row.type is TransactionType.VOID and row.cause is Cause.REQUEST for row in rows)
            or (TransactionType.AUTHORIZE, Cause.RENEWAL) in declined
            or any(type is TransactionType.VOID for type, _ in declined)
            or any((TransactionType.REFUND, cause) in declined for cause in (Cause.CANCEL, Cause.CHANGE))
            or (bool(undone) and taken)
        )
