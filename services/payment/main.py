"""Builds the payment service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from libs.db import Database
from libs.db.migrate import open_migrated
from libs.idempotency.outcomes import forgetting
from libs.relay.marks import Outbox
from libs.resource.database import StandardMethods
from libs.service.app import Runtime, ServiceApp
from libs.service.loops import Loop
from libs.service.retries import Retries
from services.payment.adapters.clients.order import OrderDecisions, OrderReports
from services.payment.adapters.db.alert_store import KIND, SqlAlertStore
from services.payment.adapters.db.attempt_store import SqlAttemptStore
from services.payment.adapters.db.gauges import Gauges
from services.payment.adapters.db.invariants.audit import Audit
from services.payment.adapters.db.means_store import SqlMeansStore
from services.payment.adapters.db.payment_store import SqlPaymentStore, SqlRequestStore
from services.payment.adapters.db.tables import ACCOUNT, ALERTS, ATTEMPTS, CARD, PAYMENTS, REQUESTS, TRANSACTIONS
from services.payment.adapters.db.unsettled_query import SqlUnsettledPayments
from services.payment.adapters.gateways.registry import gateway
from services.payment.application.ask_gateway import AskGateway
from services.payment.application.authorize_payments import AuthorizePayments
from services.payment.application.end_attempt import EndAttempt
from services.payment.application.expire_attempts import ExpireAttempts
from services.payment.application.lower_payments import LowerPayments
from services.payment.application.move_money import MoveMoney
from services.payment.application.order_payments import OrderPayments
from services.payment.application.reconcile_payments import ReconcilePayments
from services.payment.application.record_changes import RecordChanges
from services.payment.application.renew_authorizations import RenewAuthorizations
from services.payment.application.replace_payments import ReplacePayments
from services.payment.application.report_alerts import ReportAlerts
from services.payment.application.reserve_payments import ReservePayments
from services.payment.application.settle_transactions import SettleTransactions
from services.payment.application.spending_accounts import SpendingAccounts
from services.payment.application.void_payments import VoidPayments
from services.payment.rpc.credit_card_servicer import CreditCardServicer
from services.payment.rpc.ledger_servicer import LedgerServicer
from services.payment.rpc.payment_servicer import PaymentServicer, PaymentUseCases
from services.payment.rpc.reconciliation_servicer import ReconciliationServicer
from services.payment.rpc.spending_account_servicer import SpendingAccountServicer
from services.payment.settings import Settings
from waybill.payment.v1 import (
    credit_card_service_pb2_grpc,
    ledger_service_pb2_grpc,
    payment_service_pb2_grpc,
    reconciliation_service_pb2_grpc,
    spending_account_service_pb2_grpc,
)

VERSIONS = Path(__file__).parent / "migrations" / "versions"
PACKAGE = "waybill.payment.v1"


@dataclass(frozen=True, slots=True)
class Background:
    """What runs beside the calls."""

    expire: ExpireAttempts
    settle: SettleTransactions
    renew: RenewAuthorizations
    alerts: ReportAlerts


async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the service."""
    database = await open_migrated(settings.database_url, settings.database_schema, VERSIONS, settings.tuning)
    app, _ = assemble(settings, runtime, database)
    return app


def assemble(settings: Settings, runtime: Runtime, database: Database) -> tuple[ServiceApp, Background]:
    """Wires the service on an open database."""
    clock, ids = runtime.clock, runtime.ids
    payments, attempts, means, requests = SqlPaymentStore(), SqlAttemptStore(), SqlMeansStore(), SqlRequestStore()
    again = timedelta(seconds=settings.settle_again)
    pending, held = TRANSACTIONS.c.ask_time.is_not(None), ATTEMPTS.c.state == "RESERVED"
    ask = AskGateway(gateway(settings, database, clock), settings.gateway_timeout)
    alerts = SqlAlertStore(ids)
    record = RecordChanges(payments, alerts, means, ids, ask.name, again)
    asked = Retries(database, clock, ("payment", "settle"), TRANSACTIONS, "ask_time", "id", unfinished=pending)
    settle = SettleTransactions(database, payments, means, record, ask, clock, again, settings.void_timeout, asked)
    order_payments = OrderPayments(database, payments, attempts, means, requests, clock, ids)
    end = EndAttempt(database, payments, attempts, record, settle, clock)
    orders = OrderReports(runtime.peers)
    use = PaymentUseCases(
        order_payments=order_payments,
        reserve=ReservePayments(
            database, payments, attempts, means, order_payments, record, clock, timedelta(seconds=settings.expiry_grace)
        ),
        authorize=AuthorizePayments(database, payments, attempts, means, record, ask, clock, runtime.failpoints),
        end=end,
        void=VoidPayments(database, payments, attempts, record, settle, clock),
        lower=LowerPayments(database, payments, record, settle, clock),
        move=MoveMoney(database, payments, requests, record, settle, orders, clock),
        replace=ReplacePayments(database, payments, attempts, means, requests, order_payments, record, settle, clock),
    )
    tries = Retries(database, clock, ("payment", "expiry"), ATTEMPTS, "expire_time", "order_key", "attempt", unfinished=held)
    lapses = PAYMENTS.c.authorization_expire_time.is_not(None)
    renewals = Retries(database, clock, ("payment", "renew"), PAYMENTS, "renew_time", "order_key", unfinished=lapses)
    background = Background(
        ExpireAttempts(
            database, attempts, end, OrderDecisions(runtime.peers), clock, timedelta(seconds=settings.expiry_again), tries
        ),
        settle,
        RenewAuthorizations(database, payments, record, settle, orders, clock, timedelta(seconds=settings.renew_early), renewals),
        ReportAlerts(database, alerts, orders, clock, settings.relay),
    )
    reconcile = ReconcilePayments(database, SqlUnsettledPayments(database.dialect), payments, settle, background.expire)
    standard = StandardMethods(database, REQUESTS, ACCOUNT, clock, ids, lambda tx: tx)
    accounts = SpendingAccounts(database, means, requests, clock, ids)
    cards = StandardMethods(database, REQUESTS, CARD, clock, ids, lambda tx: tx)
    app = ServiceApp(
        name="payment",
        registrations=[
            (payment_service_pb2_grpc.add_PaymentServiceServicer_to_server, PaymentServicer(use), f"{PACKAGE}.PaymentService"),
            (
                spending_account_service_pb2_grpc.add_SpendingAccountServiceServicer_to_server,
                SpendingAccountServicer(standard, accounts),
                f"{PACKAGE}.SpendingAccountService",
            ),
            (
                credit_card_service_pb2_grpc.add_CreditCardServiceServicer_to_server,
                CreditCardServicer(cards),
                f"{PACKAGE}.CreditCardService",
            ),
            (ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server, LedgerServicer(database), f"{PACKAGE}.LedgerService"),
            (
                reconciliation_service_pb2_grpc.add_ReconciliationServiceServicer_to_server,
                ReconciliationServicer(reconcile),
                f"{PACKAGE}.ReconciliationService",
            ),
        ],
        background=[
            Loop("expiry", background.expire.once, settings.expiry_pause),
            Loop("settle", background.settle.once, settings.settle_pause),
            Loop("renew", background.renew.once, settings.renew_pause),
            Loop("alerts", background.alerts.once, settings.relay_pause),
            forgetting(database, REQUESTS, clock, settings.remembered, settings.forget_pause),
        ],
        close=database.close,
        audit=Audit(database),
        statements=lambda: database.statements,
        database=database,
        gauges=Gauges(database, clock),
        outbox=Outbox(database, {KIND: ALERTS}, clock),
    )
    return app, background
