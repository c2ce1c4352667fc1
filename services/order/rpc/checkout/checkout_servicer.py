"""CheckoutService."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from libs.errors import Violations
from libs.rpc import current
from services.order.application.checkout.payments import ChangedPayment, OrderPayments
from services.order.application.checkout.place_order import Paying, PlaceOrder, Wishes
from services.order.application.checkout.simulate_order_sourcing import SimulateOrderSourcing
from services.order.application.checkout.start_payment import StartPayment
from services.order.application.checkout.validate_order import ValidateOrder
from services.order.application.checkout.worksheets import Worksheets
from services.order.application.submission.submit_order import SubmitOrder
from services.order.contract.problems import problem_out
from services.order.domain.checkout.ranking import check_ranking
from services.order.domain.policy import PURCHASE_ORDER
from services.order.rpc.checkout.convert_payment import documents_in, payments_in, payments_out
from services.order.rpc.checkout.convert_simulation import simulation_out
from services.order.rpc.checkout.convert_worksheet import worksheet_out
from services.order.rpc.convert_in import lines_in, order_in
from services.order.rpc.convert_lines import lines_out
from services.order.rpc.convert_out import order_out
from services.order.rpc.order_servicer import request_key
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import checkout_service_pb2_grpc as pb_grpc
from waybill.order.v1 import reasons
from waybill.payment.v1.payment_pb2 import Payment
from waybill.payment.v1.payment_redirect_pb2 import PaymentRedirect

MAX_SELECTIONS = 5_000
MAX_PAYMENTS = 20
MAX_WISHES = 100
"""Most ship methods that a PlaceOrder may name."""


@dataclass(frozen=True, slots=True)
class CheckoutUseCases:
    """What the servicer calls."""

    worksheets: Worksheets
    payments: OrderPayments
    validate: ValidateOrder
    submit: SubmitOrder
    place: PlaceOrder
    start: StartPayment
    simulate: SimulateOrderSourcing


class CheckoutServicer(pb_grpc.CheckoutServiceServicer):
    """Converts, calls, converts."""

    def __init__(self, use: CheckoutUseCases) -> None:
        self._use = use

    async def GetWorksheet(self, request: pb.GetWorksheetRequest, context: Any) -> pb.GetWorksheetResponse:
        caller = current().principal
        sheet = await self._use.worksheets.get(caller, request.order_id)
        return pb.GetWorksheetResponse(worksheet=worksheet_out(sheet, caller))

    async def EstimateShipping(self, request: pb.EstimateShippingRequest, context: Any) -> pb.EstimateShippingResponse:
        caller, key = request_key(request)
        sheet = await self._use.worksheets.estimate(caller, request.order_id, key)
        return pb.EstimateShippingResponse(worksheet=worksheet_out(sheet, caller))

    async def SelectShipMethods(self, request: pb.SelectShipMethodsRequest, context: Any) -> pb.SelectShipMethodsResponse:
        caller, key = request_key(request)
        found = Violations()
        count = len(request.selections)
        found.require("selections", 0 < count <= MAX_SELECTIONS, reasons.TOO_MANY_ITEMS, f"1 to {MAX_SELECTIONS:,}")
        found.raise_if_any()
        selections = [(s.ship_estimate_id, s.ship_method_id) for s in request.selections]
        sheet = await self._use.worksheets.select(caller, request.order_id, selections, key)
        return pb.SelectShipMethodsResponse(worksheet=worksheet_out(sheet, caller))

    async def CalculateOrder(self, request: pb.CalculateOrderRequest, context: Any) -> pb.CalculateOrderResponse:
        caller, key = request_key(request)
        sheet = await self._use.worksheets.calculate(caller, request.order_id, key)
        return pb.CalculateOrderResponse(worksheet=worksheet_out(sheet, caller))

    async def AddPayments(self, request: pb.AddPaymentsRequest, context: Any) -> pb.AddPaymentsResponse:
        caller, key = request_key(request)
        _few_payments(request.payments)
        made = await self._use.payments.add(caller, request.order_id, documents_in(request.payments), request.request_id, key)
        return pb.AddPaymentsResponse(payments=payments_out(made))

    async def UpdatePayment(self, request: pb.UpdatePaymentRequest, context: Any) -> pb.UpdatePaymentResponse:
        caller, key = request_key(request)
        found = Violations()
        found.check_id("payment.id", request.payment.id)
        found.raise_if_any()
        (document,) = documents_in([request.payment])
        changed = ChangedPayment(request.payment.id, document, list(request.update_mask.paths))
        made = await self._use.payments.update(caller, request.order_id, changed, request.request_id, key)
        return pb.UpdatePaymentResponse(payment=payments_out([made])[0])

    async def RemovePayments(self, request: pb.RemovePaymentsRequest, context: Any) -> pb.RemovePaymentsResponse:
        caller, key = request_key(request)
        found = Violations()
        count = len(request.payment_ids)
        found.require("payment_ids", 0 < count <= MAX_PAYMENTS, reasons.TOO_MANY_ITEMS, f"1 to {MAX_PAYMENTS} payments")
        found.raise_if_any()
        await self._use.payments.remove(caller, request.order_id, list(request.payment_ids), request.request_id, key)
        return pb.RemovePaymentsResponse()

    async def StartPayment(self, request: pb.StartPaymentRequest, context: Any) -> pb.StartPaymentResponse:
        caller, key = request_key(request)
        found = Violations()
        found.check_id("payment_id", request.payment_id)
        found.raise_if_any()
        asked = (request.order_id, request.payment_id, request.return_url, request.request_id)
        begun = await self._use.start(caller, *asked, key)
        return pb.StartPaymentResponse(redirect=PaymentRedirect.FromString(begun))

    async def ListPayments(self, request: pb.ListPaymentsRequest, context: Any) -> pb.ListPaymentsResponse:
        found = await self._use.payments.list(current().principal, request.order_id)
        return pb.ListPaymentsResponse(payments=payments_out(found))

    async def ValidateOrder(self, request: pb.ValidateOrderRequest, context: Any) -> pb.ValidateOrderResponse:
        found = await self._use.validate(current().principal, request.order_id)
        return pb.ValidateOrderResponse(reasons=[problem_out(r) for r in found])

    async def SimulateOrderSourcing(
        self, request: pb.SimulateOrderSourcingRequest, context: Any
    ) -> pb.SimulateOrderSourcingResponse:
        found = Violations()
        check_ranking(found, request.strategy, request.stages)
        found.raise_if_any()
        made = await self._use.simulate(current().principal, request.order_id, request.strategy, list(request.stages))
        return simulation_out(made)

    async def SubmitOrder(self, request: pb.SubmitOrderRequest, context: Any) -> pb.SubmitOrderResponse:
        caller, key = request_key(request)
        order = await self._use.submit(caller, request.order_id, request.etag, key)
        return pb.SubmitOrderResponse(order=order_out(order))

    async def PlaceOrder(self, request: pb.PlaceOrderRequest, context: Any) -> pb.PlaceOrderResponse:
        caller, key = request_key(request)
        _few_payments(request.payments)
        found = Violations()
        wishes = _wishes_in(found, request)
        draft = order_in(found, request.order)
        draft = replace(draft, currencies=(*draft.currencies, *payments_in(found, request.payments)))
        payments = Paying(documents_in(request.payments), documents_in([Payment(type=PURCHASE_ORDER)]))
        order, lines = await self._use.place(caller, draft, lines_in(found, request.line_items), wishes, payments, found, key)
        return pb.PlaceOrderResponse(order=order_out(order), line_items=lines_out(order, lines))


def _wishes_in(found: Violations, request: pb.PlaceOrderRequest) -> Wishes:
    few = len(request.ship_method_ids) <= MAX_WISHES
    found.require("ship_method_ids", few, reasons.TOO_MANY_ITEMS, f"at most {MAX_WISHES}")
    found.raise_if_any()
    for i, id in enumerate(request.ship_method_ids):
        found.check_id(f"ship_method_ids[{i}]", id)
    fastest = request.ship_method_preference == pb.SHIP_METHOD_PREFERENCE_FASTEST
    return Wishes(tuple(request.ship_method_ids), fastest)


def _few_payments(payments: Any) -> None:
    found = Violations()
    found.require("payments", len(payments) <= MAX_PAYMENTS, reasons.TOO_MANY_ITEMS, f"at most {MAX_PAYMENTS}")
    found.raise_if_any()
