"""Builds the payment service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from libs.audit.log import SqlAuditLog
from libs.clock import Clock
from libs.db import Database, Tx
from libs.db.migrate import open_migrated
from libs.db.unit_of_work import SqlUnitsOfWork
from libs.idempotency.outcomes import forgetting
from libs.relay.change_feed import SqlChangeFeed
from libs.relay.marks import Outbox
from libs.resource.database import Resource, StandardMethods
from libs.service.app import Runtime, ServiceApp
from libs.service.loops import Loop, Pace
from libs.service.retries import Retries
from libs.service.startup import StartupError
from services.payment.adapters.clients.directory import DirectoryMemberships
from services.payment.adapters.clients.order import OrderDecisions, OrderReports
from services.payment.adapters.db.gauges import Gauges
from services.payment.adapters.db.invariants.inspection import Inspection
from services.payment.adapters.db.means import guests_cards
from services.payment.adapters.db.means.assignment_lists import SqlAssignmentLists
from services.payment.adapters.db.money.ledger_query import SqlLedgerEntries
from services.payment.adapters.db.payments import gone_orders
from services.payment.adapters.db.redirects import old_redirects
from services.payment.adapters.db.tables import (
    ACCOUNT,
    ALERTS,
    ATTEMPTS,
    AUDIT,
    CARD,
    CHANGES,
    PAYMENTS,
    REDIRECTS,
    REQUESTS,
    TRANSACTIONS,
    TYPE,
)
from services.payment.adapters.db.watching.alert_store import KIND
from services.payment.adapters.db.work import SqlPaymentWork
from services.payment.adapters.gateways.registry import Surroundings
from services.payment.adapters.gateways.registry import gateways as chosen_gateways
from services.payment.adapters.gateways.testing import TestGateway
from services.payment.application.attempts.authorize_payments import AuthorizePayments
from services.payment.application.attempts.end_attempt import EndAttempt
from services.payment.application.attempts.expire_attempts import ExpireAttempts
from services.payment.application.attempts.reserve_payments import ReservePayments
from services.payment.application.gateway.ask_gateway import AskGateway
from services.payment.application.gateway.gateways import Gateways
from services.payment.application.means.card_assignments import CardAssignments
from services.payment.application.means.payer_groups import PayerGroups
from services.payment.application.means.spending_accounts import SpendingAccounts
from services.payment.application.means.type_assignments import TypeAssignments
from services.payment.application.money.capture_shipped import CaptureShipped
from services.payment.application.money.lower_payments import LowerPayments
from services.payment.application.money.move_money import MoveMoney
from services.payment.application.money.record_transaction import RecordTransaction
from services.payment.application.money.renew_authorizations import RenewAuthorizations
from services.payment.application.money.settle_transactions import SettleTransactions
from services.payment.application.money.void_payments import VoidPayments
from services.payment.application.payments.delete_payments import DeletePayments
from services.payment.application.payments.order_payments import OrderPayments
from services.payment.application.payments.replace_payments import ReplacePayments
from services.payment.application.payments.update_payment import UpdatePayment
from services.payment.application.ports import Units
from services.payment.application.record_changes import Books, RecordChanges
from services.payment.application.redirects.adopt_redirects import AdoptRedirects
from services.payment.application.redirects.play_provider import PlayProvider
from services.payment.application.redirects.provider_callbacks import HandleProviderCallback
from services.payment.application.redirects.settle_redirects import SettleRedirects
from services.payment.application.redirects.start_payment import StartPayment
from services.payment.application.watching.reconcile_payments import ReconcilePayments
from services.payment.application.watching.report_alerts import ReportAlerts
from services.payment.rpc.attempts.payment_reservation_servicer import PaymentReservationServicer
from services.payment.rpc.means.credit_card_servicer import CreditCardServicer
from services.payment.rpc.means.payment_type_servicer import PaymentTypeServicer
from services.payment.rpc.means.spending_account_servicer import SpendingAccountServicer
from services.payment.rpc.money.ledger_servicer import LedgerServicer
from services.payment.rpc.money.payment_servicer import PaymentServicer
from services.payment.rpc.payments.order_payment_servicer import OrderPaymentServicer, OrderPaymentUseCases
from services.payment.rpc.redirects.callback_listener import CallbackListener
from services.payment.rpc.redirects.provider_callback_servicer import ProviderCallbackServicer
from services.payment.rpc.redirects.provider_page import ProviderPage
from services.payment.rpc.watching.reconciliation_servicer import ReconciliationServicer
from services.payment.settings import Settings
from waybill.payment.v1 import (
    credit_card_service_pb2_grpc,
    ledger_service_pb2_grpc,
    order_payment_service_pb2_grpc,
    payment_reservation_service_pb2_grpc,
    payment_service_pb2_grpc,
    payment_type_service_pb2_grpc,
    provider_callback_service_pb2_grpc,
    reconciliation_service_pb2_grpc,
    spending_account_service_pb2_grpc,
)

VERSIONS = Path(__file__).parent / "migrations" / "versions"
PACKAGE = "waybill.payment.v1"


@dataclass(frozen=True, slots=True)
class Servicers:
    """Of payments: what the order service calls, and what people do."""

    orders: OrderPaymentServicer
    reservations: PaymentReservationServicer
    people: PaymentServicer


@dataclass(frozen=True, slots=True)
class Background:
    """What runs beside the calls."""

    expire: ExpireAttempts
    settle: SettleTransactions
    renew: RenewAuthorizations
    alerts: ReportAlerts
    redirects: SettleRedirects
    callbacks: HandleProviderCallback
    """What providers begin."""
    play: PlayProvider | None
    """Buyers on pages of the test gateway, where that is in use."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What payments are built on."""

    database: Database
    units: Units
    gateways: Gateways
    groups: PayerGroups


async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the service."""
    database = await open_migrated(settings.database_url, settings.database_schema, VERSIONS, settings.tuning)
    app, background = assemble(settings, runtime, database)
    if settings.callback_bind:
        page = None if background.play is None else ProviderPage(background.play)
        listener = CallbackListener(background.callbacks, settings.callback_patience, settings.callback_connections, page)
        try:
            await listener.open(settings.callback_bind)
        except StartupError:
            await app.close()
            raise
        app.close = _closing(listener, app.close)
    return app


def _closing(listener: CallbackListener, close: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """No call-back is taken by a service that has no database any more."""

    async def both() -> None:
        await listener.close()
        await close()

    return both


# Long because wiring is one list: what is built, from what, and where it is served.
def assemble(settings: Settings, runtime: Runtime, database: Database) -> tuple[ServiceApp, Background]:
    """Wires the service on an open database."""
    clock, ids = runtime.clock, runtime.ids

    def bind(tx: Tx) -> SqlPaymentWork:
        return SqlPaymentWork(tx, ids)

    def standard(resource: Resource) -> StandardMethods[SqlPaymentWork]:
        return StandardMethods(database, REQUESTS, resource, clock, ids, bind)

    units = SqlUnitsOfWork(database, bind)
    gateways = chosen_gateways(Surroundings(settings, database, clock))
    lists = SqlAssignmentLists(database)
    groups = PayerGroups(units, DirectoryMemberships(runtime.peers))
    served, background = _payments(settings, runtime, Wiring(database, units, gateways, groups))
    reconcile = ReconcilePayments(units, background.settle, background.expire)
    accounts = SpendingAccounts(units, clock, ids)

    async def close() -> None:
        try:
            await gateways.close()
        finally:
            await database.close()

    changes = SqlChangeFeed(database, CHANGES)
    audit = SqlAuditLog(database, AUDIT.metadata)
    app = ServiceApp(
        name="payment",
        registrations=[
            (
                order_payment_service_pb2_grpc.add_OrderPaymentServiceServicer_to_server,
                served.orders,
                f"{PACKAGE}.OrderPaymentService",
            ),
            (
                payment_reservation_service_pb2_grpc.add_PaymentReservationServiceServicer_to_server,
                served.reservations,
                f"{PACKAGE}.PaymentReservationService",
            ),
            (payment_service_pb2_grpc.add_PaymentServiceServicer_to_server, served.people, f"{PACKAGE}.PaymentService"),
            (
                spending_account_service_pb2_grpc.add_SpendingAccountServiceServicer_to_server,
                SpendingAccountServicer(standard(ACCOUNT), accounts, groups, lists),
                f"{PACKAGE}.SpendingAccountService",
            ),
            (
                credit_card_service_pb2_grpc.add_CreditCardServiceServicer_to_server,
                CreditCardServicer(standard(CARD), CardAssignments(units, clock), groups, lists),
                f"{PACKAGE}.CreditCardService",
            ),
            (
                payment_type_service_pb2_grpc.add_PaymentTypeServiceServicer_to_server,
                PaymentTypeServicer(standard(TYPE), TypeAssignments(units, clock), groups, lists),
                f"{PACKAGE}.PaymentTypeService",
            ),
            (
                ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server,
                LedgerServicer(SqlLedgerEntries(database)),
                f"{PACKAGE}.LedgerService",
            ),
            (
                provider_callback_service_pb2_grpc.add_ProviderCallbackServiceServicer_to_server,
                ProviderCallbackServicer(background.callbacks),
                f"{PACKAGE}.ProviderCallbackService",
            ),
            (
                reconciliation_service_pb2_grpc.add_ReconciliationServiceServicer_to_server,
                ReconciliationServicer(reconcile),
                f"{PACKAGE}.ReconciliationService",
            ),
        ],
        background=[
            Loop("expiry", background.expire.once, settings.expiry_pause),
            Loop("settle", background.settle.once, settings.settle_pause),
            Loop("redirects", background.redirects.once, settings.settle_pause),
            Loop("renew", background.renew.once, settings.renew_pause),
            Loop("alerts", background.alerts.once, settings.relay_pause),
            forgetting(database, REQUESTS, clock, settings.remembered, settings.forget_pause),
            gone_orders.forgetting(database, clock, settings.remembered, settings.forget_pause),
            old_redirects.forgetting(database, clock, settings.remembered, settings.forget_pause),
            guests_cards.sweeping(database, clock, timedelta(days=settings.guest_card_age), settings.forget_pause),
            changes.forgetting(clock, settings.changes_kept),
            audit.forgetting(clock, settings.audit_kept),
        ],
        close=close,
        inspection=Inspection(database),
        statements=lambda: database.statements,
        database=database,
        audit=audit,
        changes=changes,
        gauges=Gauges(database, clock),
        outbox=Outbox(database, {KIND: ALERTS}, clock),
    )
    return app, background


def _payments(settings: Settings, runtime: Runtime, on: Wiring) -> tuple[Servicers, Background]:
    database, units, gateways = on.database, on.units, on.gateways
    clock, ids = runtime.clock, runtime.ids
    again = timedelta(seconds=settings.settle_again)
    books = Books(units, RecordChanges(ids, gateways, again), clock)
    ask = AskGateway(gateways, settings.gateway_timeout)
    tries = _tries(database, clock)
    settle = SettleTransactions(books, ask, settings.void_timeout, Pace(tries["settle"], settings.settle_batch, again))
    redirect_pace = Pace(tries["redirects"], settings.settle_batch, again)
    settle_redirects = SettleRedirects(units, clock, ask, redirect_pace, runtime.failpoints)
    redirects = AdoptRedirects(units, gateways, settle_redirects, settings.void_timeout)
    orders, order_payments, end = (
        OrderReports(runtime.peers),
        OrderPayments(units, clock, ids, on.groups),
        EndAttempt(books, settle),
    )
    served = Servicers(
        OrderPaymentServicer(
            OrderPaymentUseCases(
                order_payments=order_payments,
                update=UpdatePayment(units, clock, order_payments),
                replace=ReplacePayments(books, order_payments, settle),
                void=VoidPayments(books, settle),
                lower=LowerPayments(books, settle),
                capture_shipped=CaptureShipped(books, settle),
                delete=DeletePayments(units, clock),
                start=StartPayment(books, ids, order_payments, redirects, runtime.failpoints),
            ),
            timedelta(seconds=settings.redirect_lifetime),
        ),
        PaymentReservationServicer(
            ReservePayments(books, order_payments, redirects, timedelta(seconds=settings.expiry_grace)),
            AuthorizePayments(books, ask, runtime.failpoints),
            end,
        ),
        PaymentServicer(MoveMoney(books, settle, orders), RecordTransaction(books)),
    )
    expiry = Pace(tries["expiry"], settings.expiry_batch, timedelta(seconds=settings.expiry_again))
    early = timedelta(seconds=settings.renew_early)
    callbacks, tested = HandleProviderCallback(units, gateways, settle_redirects, clock), gateways.named(TestGateway.name)
    background = Background(
        ExpireAttempts(units, clock, end, OrderDecisions(runtime.peers), expiry),
        settle,
        RenewAuthorizations(books, settle, orders, early, Pace(tries["renew"], settings.renew_batch)),
        ReportAlerts(units, orders, clock, settings.relay),
        settle_redirects,
        callbacks,
        PlayProvider(tested, callbacks) if isinstance(tested, TestGateway) else None,
    )
    return served, background


def _tries(database: Database, clock: Clock) -> dict[str, Retries]:
    """By what is tried: the rows that wait longer each time it fails."""
    pending, held = TRANSACTIONS.c.ask_time.is_not(None), ATTEMPTS.c.state == "RESERVED"
    lapses = PAYMENTS.c.authorization_expire_time.is_not(None)

    def tries(what: str, table: sa.Table, due: str, *key: str, unfinished: sa.ColumnElement[bool]) -> Retries:
        return Retries(database, clock, ("payment", what), table, due, *key, unfinished=unfinished)

    return {
        "settle": tries("settle", TRANSACTIONS, "ask_time", "id", unfinished=pending),
        "expiry": tries("expiry", ATTEMPTS, "expire_time", "order_key", "attempt", unfinished=held),
        "redirects": tries("redirects", REDIRECTS, "ask_time", "id", unfinished=REDIRECTS.c.ask_time.is_not(None)),
        "renew": tries("renew", PAYMENTS, "renew_time", "order_key", unfinished=lapses),
    }
