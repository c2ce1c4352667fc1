"""Builds the order service."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from libs.audit.log import SqlAuditLog
from libs.clock import Clock
from libs.db import Database
from libs.db.migrate import open_migrated
from libs.db.unit_of_work import SqlUnitsOfWork
from libs.idempotency.outcomes import forgetting
from libs.relay.awaited import SharedLooks
from libs.relay.tail import SharedTail
from libs.resource.database import StandardMethods
from libs.service.app import Runtime, ServiceApp
from libs.service.loops import Loop
from libs.service.retries import Retries
from services.order.adapters.clients.catalog import CatalogClient
from services.order.adapters.clients.directory import DirectoryClient
from services.order.adapters.clients.fulfillment import FulfillmentClient
from services.order.adapters.clients.payment import PaymentClient
from services.order.adapters.clients.pricing import PricingClient
from services.order.adapters.clients.shipping import ShippingClient
from services.order.adapters.db.aftercare.command_queries import SqlCommandQueries
from services.order.adapters.db.gauges import Gauges
from services.order.adapters.db.invariants.inspection import Inspection
from services.order.adapters.db.reading import last_bodies
from services.order.adapters.db.reading.change_feed import OrderChangeFeed
from services.order.adapters.db.reading.feed import OrderEvents, SqlFeed
from services.order.adapters.db.reading.versions import OrderVersions
from services.order.adapters.db.resources import APPROVAL_RULE, SUB_STATUS
from services.order.adapters.db.submission.submission_queries import SqlSubmissionQueries
from services.order.adapters.db.tables import AUDIT, CANCELLATIONS, CAPTURES, HOLD_COMMANDS, REQUESTS, SUBMISSIONS
from services.order.adapters.db.work import SqlOrderWork
from services.order.application.aftercare.cancel_order import CancelOrder
from services.order.application.aftercare.complete_order import ChangeOrder
from services.order.application.aftercare.forward_order import ForwardOrder
from services.order.application.aftercare.operate_commands import OperateCommands
from services.order.application.approval.approving_groups import ApprovingGroups
from services.order.application.approval.begin_case import BeginCase
from services.order.application.approval.decide_approvals import DecideApprovals
from services.order.application.approval.read_approvals import ReadApprovals
from services.order.application.approval.read_subject import ReadSubject
from services.order.application.building.build_order import BuildOrder
from services.order.application.building.carts import Carts
from services.order.application.building.create_order import CreateOrder
from services.order.application.building.delete_order import DeleteOrder
from services.order.application.building.line_items import LineItems
from services.order.application.building.sweep_carts import SweepCarts
from services.order.application.building.transfer_order import TransferOrder
from services.order.application.building.update_order import UpdateOrder
from services.order.application.checkout.compared_plans import ComparedPlans
from services.order.application.checkout.payments import OrderPayments
from services.order.application.checkout.place_order import PlaceOrder
from services.order.application.checkout.simulate_order_sourcing import SimulateOrderSourcing
from services.order.application.checkout.start_payment import StartPayment
from services.order.application.checkout.validate_order import ValidateOrder
from services.order.application.checkout.worksheets import Worksheets
from services.order.application.completer import CompleteSubmissions, Driver
from services.order.application.drivers import Attempts, Cancels, Captures, Holds
from services.order.application.peers import Peers
from services.order.application.progress.capture_shipped import CaptureShipped
from services.order.application.progress.ended_orders import EndedOrders
from services.order.application.progress.hold_order import HoldOrder, NewDecisions
from services.order.application.progress.report_fulfillment import ReportFulfillment
from services.order.application.progress.set_sub_status import SetSubStatus
from services.order.application.reading.read_orders import ReadOrders
from services.order.application.reading.watch_orders import EVERYTHING, WatchOrders, takes
from services.order.application.submission.attempts import APPROVE, CHANGE, SUBMIT
from services.order.application.submission.legs.registry import legs_of_submit
from services.order.application.submission.operate_submissions import AttemptDriver, OperateSubmissions
from services.order.application.submission.resolve_submission import ResolveSubmission
from services.order.application.submission.steps import Steps
from services.order.application.submission.submit_order import SubmitOrder
from services.order.application.submission.try_submission import TrySubmission
from services.order.contract.approval_expressions import ApprovalExpressions
from services.order.rpc.aftercare.command_servicer import OrderCommandServicer
from services.order.rpc.approval.approval_rule_servicer import ApprovalRuleServicer
from services.order.rpc.approval.approval_servicer import ApprovalServicer
from services.order.rpc.building.cart_servicer import CartServicer
from services.order.rpc.building.line_item_servicer import LineItemServicer
from services.order.rpc.checkout.checkout_servicer import CheckoutServicer, CheckoutUseCases
from services.order.rpc.convert_out import order_plain
from services.order.rpc.order_servicer import OrderServicer, OrderUseCases
from services.order.rpc.progress.report_servicer import FulfillmentReportServicer, PaymentReportServicer
from services.order.rpc.progress.sub_status_servicer import OrderSubStatusServicer
from services.order.rpc.submission.submission_decision_servicer import SubmissionDecisionServicer
from services.order.rpc.submission.submission_servicer import SubmissionServicer
from services.order.settings import Settings
from waybill.order.v1 import (
    approval_rule_service_pb2_grpc,
    approval_service_pb2_grpc,
    cart_service_pb2_grpc,
    checkout_service_pb2_grpc,
    fulfillment_report_service_pb2_grpc,
    line_item_service_pb2_grpc,
    order_command_service_pb2_grpc,
    order_service_pb2_grpc,
    order_sub_status_service_pb2_grpc,
    payment_report_service_pb2_grpc,
    submission_decision_service_pb2_grpc,
    submission_service_pb2_grpc,
)

VERSIONS = Path(__file__).parent / "migrations" / "versions"
PACKAGE = "waybill.order.v1"


async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the service."""
    db = await open_migrated(settings.database_url, settings.database_schema, VERSIONS, settings.tuning)
    return _wire(settings, db, runtime)


# Long because wiring is one list: what is built, from what, and where it is served.
def _wire(settings: Settings, db: Database, runtime: Runtime) -> ServiceApp:
    clock, ids, peers = runtime.clock, runtime.ids, runtime.peers
    units = SqlUnitsOfWork(db, SqlOrderWork)
    watched = settings.watch
    tail = SharedTail(OrderEvents(db), EVERYTHING, takes, watched.watch_pause, watched.watch_pause * watched.watch_quiet)
    others = Peers(
        directory=DirectoryClient(peers),
        catalog=CatalogClient(peers),
        pricing=PricingClient(peers),
        shipping=ShippingClient(peers),
        fulfillment=FulfillmentClient(peers),
        payments=PaymentClient(peers, settings.attempts.authorize_timeout),
    )
    directory, catalog, fulfillment = others.directory, others.catalog, others.fulfillment
    report = ReportFulfillment(units, clock)
    steps = Steps(report, clock, runtime.failpoints, peers.acting, _retries(db, clock, SUBMISSIONS), settings.attempts)

    build_order = BuildOrder(directory, catalog, clock, ids)
    worksheets = Worksheets(units, others, clock)
    legs = legs_of_submit(others)
    tries = TrySubmission(directory, catalog, legs)
    approvals = BeginCase(directory, ApprovalExpressions())
    submit = SubmitOrder(units, legs, tries, approvals, steps)
    changes = ChangeOrder(units, others, submit, steps)
    cancel = CancelOrder(units, others, submit, changes, steps)
    hold = HoldOrder(units, fulfillment, report, NewDecisions(clock, ids, settings.attempts.command))
    waits = settings.reads
    versions = SharedLooks(OrderVersions(db), waits.version_pause, waits.version_longest_pause)
    read = ReadOrders(units, clock, versions)
    kinds: dict[str, AttemptDriver] = {SUBMIT: submit, APPROVE: submit, CHANGE: changes}
    drivers: list[Driver] = [
        Attempts(units, kinds, steps.retries),
        Cancels(cancel, _retries(db, clock, CANCELLATIONS)),
        Holds(hold, _retries(db, clock, HOLD_COMMANDS)),
        Captures(CaptureShipped(units, others.payments, clock, runtime.failpoints), _retries(db, clock, CAPTURES)),
    ]
    order_servicer = OrderServicer(
        OrderUseCases(
            create=CreateOrder(units, build_order, others.pricing, clock),
            read=read,
            update=UpdateOrder(units, directory, clock),
            cancel=cancel,
            delete=DeleteOrder(units, others.payments, clock, order_plain),
            transfer=TransferOrder(units, others, runtime.verify, clock),
            changes=changes,
            forward=ForwardOrder(units, fulfillment, report, clock),
            hold=hold,
            sub_status=SetSubStatus(units, clock),
            watch=WatchOrders(SqlUnitsOfWork(db, SqlFeed), tail, clock, settings.resumable),
        ),
        waits.version_wait,
    )
    checkout_servicer = CheckoutServicer(
        CheckoutUseCases(
            worksheets=worksheets,
            payments=OrderPayments(units, others.payments, clock),
            validate=ValidateOrder(units, tries, clock, settings.attempts.deadline),
            submit=submit,
            place=PlaceOrder(units, build_order, worksheets, submit, others.payments),
            start=StartPayment(units, others.payments, directory, clock),
            simulate=SimulateOrderSourcing(units, ComparedPlans(others)),
        )
    )
    line_items = LineItems(units, directory, catalog, others.pricing, clock)
    carts = Carts(units, build_order, others.pricing, line_items, clock)
    sweep = SweepCarts(units, others.payments, clock, order_plain, settings.carts)
    rules = StandardMethods(db, REQUESTS, APPROVAL_RULE, clock, ids, SqlOrderWork)
    completer = CompleteSubmissions(units, drivers, clock, settings.completer)
    audit = SqlAuditLog(db, AUDIT.metadata)
    return ServiceApp(
        name="order",
        registrations=[
            (order_service_pb2_grpc.add_OrderServiceServicer_to_server, order_servicer, f"{PACKAGE}.OrderService"),
            (
                line_item_service_pb2_grpc.add_LineItemServiceServicer_to_server,
                LineItemServicer(line_items, read),
                f"{PACKAGE}.LineItemService",
            ),
            (cart_service_pb2_grpc.add_CartServiceServicer_to_server, CartServicer(carts), f"{PACKAGE}.CartService"),
            (checkout_service_pb2_grpc.add_CheckoutServiceServicer_to_server, checkout_servicer, f"{PACKAGE}.CheckoutService"),
            (
                approval_rule_service_pb2_grpc.add_ApprovalRuleServiceServicer_to_server,
                ApprovalRuleServicer(rules, ApprovingGroups(directory), ReadSubject(units, directory), clock),
                f"{PACKAGE}.ApprovalRuleService",
            ),
            (
                approval_service_pb2_grpc.add_ApprovalServiceServicer_to_server,
                ApprovalServicer(DecideApprovals(units, directory, submit, approvals, steps), ReadApprovals(units, directory)),
                f"{PACKAGE}.ApprovalService",
            ),
            (
                order_sub_status_service_pb2_grpc.add_OrderSubStatusServiceServicer_to_server,
                OrderSubStatusServicer(StandardMethods(db, REQUESTS, SUB_STATUS, clock, ids, SqlOrderWork)),
                f"{PACKAGE}.OrderSubStatusService",
            ),
            (
                fulfillment_report_service_pb2_grpc.add_FulfillmentReportServiceServicer_to_server,
                FulfillmentReportServicer(report),
                f"{PACKAGE}.FulfillmentReportService",
            ),
            (
                payment_report_service_pb2_grpc.add_PaymentReportServiceServicer_to_server,
                PaymentReportServicer(hold, EndedOrders(units)),
                f"{PACKAGE}.PaymentReportService",
            ),
            (
                submission_decision_service_pb2_grpc.add_SubmissionDecisionServiceServicer_to_server,
                SubmissionDecisionServicer(ResolveSubmission(units, submit, clock)),
                f"{PACKAGE}.SubmissionDecisionService",
            ),
            (
                submission_service_pb2_grpc.add_SubmissionServiceServicer_to_server,
                SubmissionServicer(OperateSubmissions(SqlUnitsOfWork(db, SqlSubmissionQueries), kinds)),
                f"{PACKAGE}.SubmissionService",
            ),
            (
                order_command_service_pb2_grpc.add_OrderCommandServiceServicer_to_server,
                OrderCommandServicer(OperateCommands(units, SqlUnitsOfWork(db, SqlCommandQueries), cancel, hold)),
                f"{PACKAGE}.OrderCommandService",
            ),
        ],
        background=[
            Loop("completer", completer.once, settings.completer_pause),
            Loop("sweep", sweep.once, settings.carts.sweep_pause),
            forgetting(db, REQUESTS, clock, settings.remembered, settings.forget_pause),
            last_bodies.forgetting(db, clock, settings.changes_kept, settings.forget_pause),
            audit.forgetting(clock, settings.audit_kept),
        ],
        close=db.close,
        inspection=Inspection(db),
        statements=lambda: db.statements,
        database=db,
        audit=audit,
        changes=OrderChangeFeed(db),
        gauges=Gauges(db, clock, settings.carts),
    )


def _retries(db: Database, clock: Clock, table: sa.Table) -> Retries:
    """How often what a table drives has failed: known by the order, attempts by their number too."""
    known_by = ("order_key", "attempt") if table is SUBMISSIONS else ("order_key",)
    unfinished = {
        SUBMISSIONS: ~SUBMISSIONS.c.finished,
        CANCELLATIONS: CANCELLATIONS.c.state != "FINISHED",
        CAPTURES: CAPTURES.c.next_action_time.is_not(None),
    }.get(table)
    return Retries(db, clock, ("order", "completer"), table, "next_action_time", *known_by, unfinished=unfinished)
