"""The payment service on a real server, with an order service whose answers the test sets."""

# Long because it has one short builder for each message of the context.
from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.money_pb2 import Money

from libs.auth import Principal
from libs.clock import ManualClock
from libs.db import Database
from libs.db.migrate import open_migrated
from libs.errors import Kind, WaybillError
from libs.invariants import Fact, Finding
from libs.protoconv import money_micros, money_out, time_out
from libs.service.app import Runtime, ServiceApp
from services.payment.adapters.db.tables import GATEWAY
from services.payment.main import VERSIONS, Background, assemble
from services.payment.settings import Settings
from tests.support.principals import buyer, seller
from tests.support.server import Served, fake_peers, runtime_for, serving
from waybill.directory.v1 import membership_service_pb2, membership_service_pb2_grpc
from waybill.order.v1 import (
    payment_report_service_pb2,
    payment_report_service_pb2_grpc,
    submission_decision_service_pb2,
    submission_decision_service_pb2_grpc,
    submission_pb2,
)
from waybill.payment.v1 import credit_card_service_pb2 as card_pb
from waybill.payment.v1 import credit_card_service_pb2_grpc as card_grpc
from waybill.payment.v1 import ledger_service_pb2 as ledger_pb
from waybill.payment.v1 import ledger_service_pb2_grpc as ledger_grpc
from waybill.payment.v1 import order_payment_service_pb2 as order_pb
from waybill.payment.v1 import order_payment_service_pb2_grpc as order_grpc
from waybill.payment.v1 import payment_pb2 as pay
from waybill.payment.v1 import payment_redirect_pb2 as redirect_pb
from waybill.payment.v1 import payment_reservation_service_pb2 as attempt_pb
from waybill.payment.v1 import payment_reservation_service_pb2_grpc as attempt_grpc
from waybill.payment.v1 import payment_service_pb2 as pb
from waybill.payment.v1 import payment_service_pb2_grpc as pb_grpc
from waybill.payment.v1 import payment_type_service_pb2 as type_pb
from waybill.payment.v1 import payment_type_service_pb2_grpc as type_grpc
from waybill.payment.v1 import spending_account_service_pb2 as account_pb
from waybill.payment.v1 import spending_account_service_pb2_grpc as account_grpc

START = datetime(2030, 5, 1, 12, tzinfo=UTC)
SOON = timedelta(days=6, minutes=1)
"""Less than a day before an authorization of today lapses."""


def usd(units: int, currency: str = "USD") -> Money:
    """An amount of whole units."""
    return Money(currency_code=currency, units=units)


def units(money: Money) -> int:
    """The whole units of an amount."""
    whole, rest = divmod(money_micros(money), 1_000_000)
    assert rest == 0
    return whole


def payment(id: str = "", type: str = "purchase_order", amount: int | None = None, **more: Any) -> pay.Payment:
    """A payment to add; without an amount it is the rest."""
    made = pay.Payment(id=id, type=type, **more)
    if amount is not None:
        made.amount.CopyFrom(usd(amount))
    return made


def from_account(id: str, account: str, amount: int | None = None) -> pay.Payment:
    """A payment by spending account."""
    return payment(id, "spending_account", amount, spending_account_id=account)


def by_card(id: str, card: str, amount: int | None = None) -> pay.Payment:
    """A payment by card."""
    return payment(id, "credit_card", amount, credit_card_id=card)


def reasons(problems: Any) -> list[str]:
    """The reasons of problems."""
    return [p.reason for p in problems]


class FakeOrders:
    """What the order service decides."""

    def __init__(self) -> None:
        self.down = False
        self.states: dict[str, str] = {}
        self.asked: list[tuple[str, int]] = []
        self.unknown: set[str] = set()
        self.ended: set[str] = set()
        """Orders that have ended."""
        self.alerts: list[tuple[str, str, str, str]] = []
        """Order, payment, state and message of each payment that was reported to it."""

    async def ResolveSubmission(self, request: Any, context: Any) -> Any:
        if self.down:
            raise WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "not now", metadata={"dependency": "database"})
        self.asked.append((request.order_key, request.attempt))
        state = self.states.get(request.order_key, "REFUSED")
        return submission_decision_service_pb2.ResolveSubmissionResponse(
            state=submission_pb2.SubmissionState.Value(f"SUBMISSION_STATE_{state}")
        )

    async def ListEndedOrders(self, request: Any, context: Any) -> Any:
        if self.down:
            raise WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "not now", metadata={"dependency": "database"})
        ended = [key for key in request.order_keys if key in self.ended]
        return payment_report_service_pb2.ListEndedOrdersResponse(order_keys=ended)

    async def ReportPayments(self, request: Any, context: Any) -> Any:
        if self.down:
            raise WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "not now", metadata={"dependency": "database"})
        for m in request.payments:
            if m.order_key not in self.unknown:
                name = pay.PaymentState.Name(m.state).removeprefix("PAYMENT_STATE_")
                self.alerts.append((m.order_key, m.payment_id, name, m.message))
        return payment_report_service_pb2.ReportPaymentsResponse(unknown_order_keys=self.unknown)


class FakeMemberships(membership_service_pb2_grpc.MembershipServiceServicer):
    """A directory that knows the groups of users and counts how often it is asked."""

    def __init__(self) -> None:
        self.groups: dict[str, list[str]] = {}
        self.asked: list[str] = []

    async def ListUserGroupIds(self, request: Any, context: Any) -> Any:
        self.asked.append(request.user_id)
        return membership_service_pb2.ListUserGroupIdsResponse(user_group_ids=self.groups.get(request.user_id, []))


@dataclass(slots=True)
class World:
    """A running service, and short names for its calls."""

    served: Served
    app: ServiceApp
    background: Background
    database: Database
    clock: ManualClock
    orders: FakeOrders
    runtime: Runtime
    memberships: FakeMemberships
    acting: Principal = field(default_factory=buyer)
    """Whom the order service calls for."""
    broken: set[str] = field(default_factory=set)
    """Rules that this test breaks on purpose."""

    @property
    def payments(self) -> order_grpc.OrderPaymentServiceStub:
        """As the order service calls it."""
        return self.served.service_stub(order_grpc.OrderPaymentServiceStub, "order", self.acting)

    @property
    def attempts(self) -> attempt_grpc.PaymentReservationServiceStub:
        """As the order service calls it."""
        return self.served.service_stub(attempt_grpc.PaymentReservationServiceStub, "order", self.acting)

    def people(self, caller: Principal | None = None) -> pb_grpc.PaymentServiceStub:
        """As a user calls it."""
        return self.served.stub(pb_grpc.PaymentServiceStub, caller or seller())

    def accounts(self, caller: Principal | None = None) -> account_grpc.SpendingAccountServiceStub:
        """As a user calls it."""
        return self.served.stub(account_grpc.SpendingAccountServiceStub, caller or seller())

    def cards(self, caller: Principal | None = None) -> card_grpc.CreditCardServiceStub:
        """As a user calls it."""
        return self.served.stub(card_grpc.CreditCardServiceStub, caller or seller())

    def types(self, caller: Principal | None = None) -> type_grpc.PaymentTypeServiceStub:
        """As a user calls it."""
        return self.served.stub(type_grpc.PaymentTypeServiceStub, caller or seller())

    def ledger(self, caller: Principal | None = None) -> ledger_grpc.LedgerServiceStub:
        """As a user calls it."""
        return self.served.stub(ledger_grpc.LedgerServiceStub, caller or seller())

    async def account(self, id: str = "gift", balance: int = 100, user: str = "", exceed: bool = False) -> str:
        """An account of acme, assigned."""
        made = account_pb.SpendingAccount(
            id=id, name=id, buyer_id="acme", currency="USD", active=True, opening_balance=usd(balance)
        )
        await self.accounts().CreateSpendingAccount(account_pb.CreateSpendingAccountRequest(spending_account=made))
        await self.accounts().AssignSpendingAccounts(
            account_pb.AssignSpendingAccountsRequest(
                assignments=[account_pb.SpendingAccountAssignment(spending_account_id=id, user_id=user, allow_exceed=exceed)]
            )
        )
        return id

    async def card(self, token: str = "tok_approve", user: str = "anna", buyer_id: str = "acme") -> str:
        """A card whose id is its token."""
        await self.cards().CreateCreditCard(
            card_pb.CreateCreditCardRequest(
                credit_card=card_pb.CreditCard(
                    id=token, buyer_id=buyer_id, user_id=user, token=token, card_type="visa", partial_number="4242"
                )
            )
        )
        return token

    async def declared(self, id: str = "transfer", acceptance: str = "BY_RECORD", active: bool = True) -> str:
        """A type that the marketplace declares."""
        made = type_pb.PaymentType(id=id, name=id, acceptance=f"PAYMENT_ACCEPTANCE_{acceptance}", active=active)  # type: ignore[arg-type]
        await self.types().CreatePaymentType(type_pb.CreatePaymentTypeRequest(payment_type=made))
        return id

    async def balance(self, id: str = "gift") -> tuple[int, int]:
        """Balance and reserved."""
        got = await self.accounts().GetSpendingAccount(account_pb.GetSpendingAccountRequest(spending_account_id=id))
        return units(got.spending_account.balance), units(got.spending_account.reserved)

    async def entries(self, filter: str = "") -> list[ledger_pb.LedgerEntry]:
        """The ledger."""
        got = await self.ledger().ListLedgerEntries(ledger_pb.ListLedgerEntriesRequest(filter=filter, page_size=1_000))
        return list(got.entries)

    def order(self, total: int | None = 100, user: str = "anna", buyer_id: str = "acme") -> Order:
        """A new order."""
        return Order(self, str(uuid.uuid4()), total, user, buyer_id)

    async def records(self) -> list[Any]:
        """What the inspection says."""
        return [record async for record in self.app.inspected()]


@dataclass(slots=True)
class Order:
    """One order, as the order service speaks of it."""

    world: World
    key: str
    total: int | None
    """In dollars; None while it is not calculated."""
    user: str
    buyer_id: str
    types: tuple[str, ...] = ("credit_card", "spending_account", "purchase_order")
    """Types of payment that its channel names."""
    may_exceed: bool = False
    """Whether its channel admits payments above the total."""

    def reference(self) -> dict[str, Any]:
        """How requests name it."""
        return {
            "order_key": self.key,
            "order_id": f"PO-{self.key[:8]}",
            "buyer_id": self.buyer_id,
            "user_id": self.user,
            **({"currency": "USD"} if self.total is None else {"total": money_out(self.total * 1_000_000, "USD")}),
            "payment_types": self.types,
            "may_exceed_total": self.may_exceed,
        }

    async def add(self, *payments: pay.Payment, request_id: str = "") -> list[pay.Payment]:
        got = await self.world.payments.CreatePayments(
            order_pb.CreatePaymentsRequest(**self.reference(), payments=payments, request_id=request_id, order_version=1)
        )
        return list(got.payments)

    async def update(self, payment: pay.Payment, *fields: str, request_id: str = "") -> pay.Payment:
        """UpdatePayment; what is set where no field is named."""
        got = await self.world.payments.UpdatePayment(
            order_pb.UpdatePaymentRequest(
                **self.reference(), payment=payment, update_mask=FieldMask(paths=fields), request_id=request_id
            )
        )
        return got.payment

    async def start(
        self, id: str, request_id: str = "", return_url: str = "https://shop.example/back"
    ) -> redirect_pb.PaymentRedirect:
        """StartPayment."""
        request = order_pb.StartPaymentRequest(**self.reference(), payment_id=id, return_url=return_url, request_id=request_id)
        return (await self.world.payments.StartPayment(request)).redirect

    async def remove(self, *ids: str, request_id: str = "") -> None:
        await self.world.payments.RemovePayments(
            order_pb.RemovePaymentsRequest(order_key=self.key, payment_ids=ids, request_id=request_id)
        )

    async def reserve(
        self, attempt: int = 1, *new: pay.Payment, validate_only: bool = False, must_cover: bool = True
    ) -> attempt_pb.ReservePaymentsResponse:
        return await self.world.attempts.ReservePayments(
            attempt_pb.ReservePaymentsRequest(
                **self.reference(),
                attempt=attempt,
                deadline=self._deadline(),
                validate_only=validate_only,
                must_cover_total=must_cover,
                new_payments=new,
            )
        )

    async def authorize(self, attempt: int = 1) -> attempt_pb.AuthorizePaymentsResponse:
        return await self.world.attempts.AuthorizePayments(
            attempt_pb.AuthorizePaymentsRequest(order_key=self.key, attempt=attempt, deadline=self._deadline())
        )

    async def confirm(self, attempt: int = 1) -> attempt_pb.ConfirmPaymentsResponse:
        return await self.world.attempts.ConfirmPayments(attempt_pb.ConfirmPaymentsRequest(order_key=self.key, attempt=attempt))

    async def release(self, attempt: int = 1) -> str:
        got = await self.world.attempts.ReleasePayments(attempt_pb.ReleasePaymentsRequest(order_key=self.key, attempt=attempt))
        return attempt_pb.PaymentReservationState.Name(got.state).removeprefix("PAYMENT_RESERVATION_STATE_")

    async def void(self) -> list[pay.Payment]:
        got = await self.world.payments.VoidPayments(order_pb.VoidPaymentsRequest(order_key=self.key))
        return list(got.payments)

    async def lower(self, attempt: int, due: int) -> list[pay.Payment]:
        request = order_pb.LowerPaymentsRequest(order_key=self.key, attempt=attempt, due=usd(due))
        return list((await self.world.payments.LowerPayments(request)).payments)

    async def capture_shipped(self, shipped: int) -> tuple[list[int], int]:
        """What each payment has captured then, and what is missing."""
        request = order_pb.CaptureShippedRequest(order_key=self.key, shipped=usd(shipped))
        got = await self.world.payments.CaptureShipped(request)
        return [units(p.captured_amount) for p in got.payments], units(got.missing)

    async def payments(self) -> list[pay.Payment]:
        got = await self.world.payments.ListPayments(order_pb.ListPaymentsRequest(order_keys=[self.key]))
        return list(got.orders[0].payments)

    async def states(self) -> list[str]:
        """States of its payments."""
        return [state(p) for p in await self.payments()]

    async def opened(self, *payments: pay.Payment) -> None:
        """Submits it with these payments."""
        await self.add(*payments)
        assert not (await self.reserve()).problems
        assert not (await self.authorize()).problems
        await self.confirm()

    def _deadline(self) -> Any:
        return time_out(self.world.clock.now() + timedelta(seconds=20))


def state(p: pay.Payment) -> str:
    """The state of a payment by its short name."""
    return pay.PaymentState.Name(p.state).removeprefix("PAYMENT_STATE_")


def transactions(p: pay.Payment) -> list[str]:
    """`AUTHORIZE SUCCEEDED` and so on, in order."""
    return [
        pay.PaymentTransactionType.Name(t.type).removeprefix("PAYMENT_TRANSACTION_TYPE_")
        + " "
        + pay.PaymentTransactionResult.Name(t.result).removeprefix("PAYMENT_TRANSACTION_RESULT_")
        for t in p.transactions
    ]


async def capture(
    world: World, id: str, amount: int | None = None, request_id: str = "", caller: Principal | None = None
) -> pay.Payment:
    """CapturePayment."""
    request = pb.CapturePaymentRequest(payment_id=id, request_id=request_id)
    if amount is not None:
        request.amount.CopyFrom(usd(amount))
    return (await world.people(caller).CapturePayment(request)).payment


async def refund(
    world: World, id: str, amount: int | None = None, request_id: str = "", caller: Principal | None = None
) -> pay.Payment:
    """RefundPayment."""
    request = pb.RefundPaymentRequest(payment_id=id, request_id=request_id)
    if amount is not None:
        request.amount.CopyFrom(usd(amount))
    return (await world.people(caller).RefundPayment(request)).payment


async def void_payment(world: World, id: str, request_id: str = "", caller: Principal | None = None) -> pay.Payment:
    """VoidPayment."""
    request = pb.VoidPaymentRequest(payment_id=id, request_id=request_id)
    return (await world.people(caller).VoidPayment(request)).payment


async def record(world: World, id: str, type: str, amount: int, caller: Principal | None = None, **more: Any) -> pay.Payment:
    """RecordTransaction."""
    request = pb.RecordTransactionRequest(payment_id=id, type=f"PAYMENT_TRANSACTION_TYPE_{type}", **more)  # type: ignore[arg-type]
    request.amount.CopyFrom(usd(amount))
    return (await world.people(caller).RecordTransaction(request)).payment


@asynccontextmanager
async def running(databases: Any, **settings: Any) -> AsyncIterator[World]:
    """A running payment service; ends with its inspection."""
    url, schema = await databases("payment")
    clock, orders = ManualClock(START), FakeOrders()
    runtime = runtime_for("payment", clock=clock)
    made = Settings(url, schema, **settings)
    database = await open_migrated(url, schema, VERSIONS)
    app, background = assemble(made, runtime, database)
    registration = (
        submission_decision_service_pb2_grpc.add_SubmissionDecisionServiceServicer_to_server,
        orders,
        "waybill.order.v1.SubmissionDecisionService",
    )
    reports = (
        payment_report_service_pb2_grpc.add_PaymentReportServiceServicer_to_server,
        orders,
        "waybill.order.v1.PaymentReportService",
    )
    memberships = FakeMemberships()
    groups = (
        membership_service_pb2_grpc.add_MembershipServiceServicer_to_server,
        memberships,
        "waybill.directory.v1.MembershipService",
    )
    peers = {"order": [_partial(registration), reports], "directory": [groups]}
    async with fake_peers(peers, peers=runtime.peers), serving(app) as served:
        world = World(served, app, background, database, clock, orders, runtime, memberships)
        yield world
        found = {r.rule for r in await world.records() if isinstance(r, Finding)}
        assert found == world.broken, found


def _partial(registration: Any) -> Any:
    """The generated add function wants every method: those that are not faked answer UNIMPLEMENTED."""
    add, fake, name = registration
    base = submission_decision_service_pb2_grpc.SubmissionDecisionServiceServicer

    class Whole(base):  # type: ignore[misc, valid-type]
        ResolveSubmission = fake.ResolveSubmission

    return add, Whole(), name


def facts(records: list[Any], kind: str) -> list[Fact]:
    """Facts of one kind."""
    return [r for r in records if isinstance(r, Fact) and r.kind == kind]


async def held_at_gateway(world: World) -> list[str]:
    """Tokens of what the test gateway holds."""
    async with world.database.reading() as tx:
        c = GATEWAY.c
        rows = await tx.execute(sa.select(c.token).where(c.operation == "authorize", c.state == "DONE"))
        return [row.token for row in rows]


async def later(world: World) -> int:
    """Lets the background loop look again."""
    world.clock.advance(timedelta(seconds=60))
    return await world.background.settle.once()


async def opened(world: World, token: str = "tok_approve") -> Order:
    """An order paid by card, whose authorization lapses in less than a day."""
    await world.card(token)
    order = world.order(100)
    await order.opened(by_card("p1", token))
    assert await world.background.renew.once() == 0, "not yet"
    world.clock.advance(SOON)
    return order
