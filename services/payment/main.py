"""Builds the payment service."""

from __future__ import annotations

from pathlib import Path

from libs.db.migrate import open_migrated
from libs.resource import StandardMethods
from libs.service import Runtime, ServiceApp
from services.payment.adapters.clients.order import OrderDecisions
from services.payment.adapters.db.audit import Audit
from services.payment.adapters.db.payment_store import SqlPaymentStore, SqlRequestStore
from services.payment.adapters.db.tables import ACCOUNT, CARD, REQUESTS
from services.payment.adapters.gateways.testing import TestGateway
from services.payment.application.authorize_payments import AuthorizePayments
from services.payment.application.end_attempt import EndAttempt
from services.payment.application.expire_attempts import ExpireAttempts
from services.payment.application.move_money import MoveMoney
from services.payment.application.order_payments import OrderPayments
from services.payment.application.reserve_payments import ReservePayments
from services.payment.application.void_payments import VoidPayments
from services.payment.rpc.credit_card_servicer import CreditCardServicer
from services.payment.rpc.ledger_servicer import LedgerServicer
from services.payment.rpc.payment_servicer import PaymentServicer, PaymentUseCases
from services.payment.rpc.spending_account_servicer import SpendingAccountServicer
from services.payment.settings import Settings
from waybill.payment.v1 import (
    credit_card_service_pb2_grpc,
    ledger_service_pb2_grpc,
    payment_service_pb2_grpc,
    spending_account_service_pb2_grpc,
)

VERSIONS = Path(__file__).parent / "migrations" / "versions"
PACKAGE = "waybill.payment.v1"


async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the service."""
    db = await open_migrated(settings.database_url, settings.database_schema, VERSIONS, settings.pool_size)
    clock, ids = runtime.clock, runtime.ids
    store, requests, gateway = SqlPaymentStore(), SqlRequestStore(), TestGateway(db)
    order_payments = OrderPayments(db, store, requests, clock, ids)
    end = EndAttempt(db, store, clock, ids)
    void = VoidPayments(db, store, gateway, clock, ids)
    use = PaymentUseCases(
        order_payments=order_payments,
        reserve=ReservePayments(db, store, order_payments, clock, ids),
        authorize=AuthorizePayments(db, store, gateway, clock, ids),
        end=end,
        void=void,
        move=MoveMoney(db, store, requests, gateway, clock, ids),
    )
    accounts = StandardMethods(db, REQUESTS, ACCOUNT, clock, ids)
    cards = StandardMethods(db, REQUESTS, CARD, clock, ids)
    expire = ExpireAttempts(db, store, end, OrderDecisions(runtime.peers), clock)
    return ServiceApp(
        name="payment",
        registrations=[
            (
                payment_service_pb2_grpc.add_PaymentServiceServicer_to_server,
                PaymentServicer(use),
                f"{PACKAGE}.PaymentService",
            ),
            (
                spending_account_service_pb2_grpc.add_SpendingAccountServiceServicer_to_server,
                SpendingAccountServicer(accounts, store, db, clock, ids),
                f"{PACKAGE}.SpendingAccountService",
            ),
            (
                credit_card_service_pb2_grpc.add_CreditCardServiceServicer_to_server,
                CreditCardServicer(cards),
                f"{PACKAGE}.CreditCardService",
            ),
            (
                ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server,
                LedgerServicer(db),
                f"{PACKAGE}.LedgerService",
            ),
        ],
        background=[expire.run, void.run],
        close=db.close,
        audit=Audit(db),
        statements=lambda: db.statements,
    )
