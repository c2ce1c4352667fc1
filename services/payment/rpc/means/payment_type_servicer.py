"""PaymentTypeService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.idempotency.key import RequestKey, key_of
from libs.query.request import page_request
from libs.resource.contract import Methods
from libs.rpc import current
from libs.rpc.call import calling_as
from services.payment.application.means.payer_groups import PayerGroups
from services.payment.application.means.type_assignments import TypeAssignments
from services.payment.application.ports import AssignmentLists, PaymentWork
from services.payment.domain.means import declared
from services.payment.domain.means.declared import Key
from waybill.payment.v1 import payment_type_service_pb2 as pb
from waybill.payment.v1 import payment_type_service_pb2_grpc as pb_grpc


class PaymentTypeServicer(pb_grpc.PaymentTypeServiceServicer):
    """Types of payment that the marketplace declares."""

    def __init__(
        self, standard: Methods[PaymentWork], assigning: TypeAssignments, groups: PayerGroups, lists: AssignmentLists
    ) -> None:
        self._standard = standard
        self._assigning = assigning
        self._groups = groups
        self._lists = lists

    async def CreatePaymentType(self, request: pb.CreatePaymentTypeRequest, context: Any) -> pb.CreatePaymentTypeResponse:
        found = Violations()
        declared.check(found, "payment_type", request.payment_type.id)
        (made,) = await self._standard.create(request, [request.payment_type], "payment_type", before=found)
        return pb.CreatePaymentTypeResponse(payment_type=made)

    async def GetPaymentType(self, request: pb.GetPaymentTypeRequest, context: Any) -> pb.GetPaymentTypeResponse:
        with calling_as(await self._groups.knowing(current().principal)):
            found = await self._standard.get(request.payment_type_id)
        return pb.GetPaymentTypeResponse(payment_type=found)

    async def ListPaymentTypes(self, request: pb.ListPaymentTypesRequest, context: Any) -> pb.ListPaymentTypesResponse:
        with calling_as(await self._groups.knowing(current().principal)):
            page = await self._standard.list(request)
        return pb.ListPaymentTypesResponse(
            payment_types=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdatePaymentType(self, request: pb.UpdatePaymentTypeRequest, context: Any) -> pb.UpdatePaymentTypeResponse:
        made = await self._standard.update(request, request.payment_type, "payment_type")
        return pb.UpdatePaymentTypeResponse(payment_type=made)

    async def DeletePaymentType(self, request: pb.DeletePaymentTypeRequest, context: Any) -> pb.DeletePaymentTypeResponse:
        await self._standard.delete(request, request.payment_type_id)
        return pb.DeletePaymentTypeResponse()

    async def AssignPaymentTypes(self, request: pb.AssignPaymentTypesRequest, context: Any) -> pb.AssignPaymentTypesResponse:
        await self._assigning.assign([_assignment(item) for item in request.assignments], _key(request))
        return pb.AssignPaymentTypesResponse()

    async def UnassignPaymentTypes(
        self, request: pb.UnassignPaymentTypesRequest, context: Any
    ) -> pb.UnassignPaymentTypesResponse:
        await self._assigning.unassign([_assignment(item) for item in request.assignments], _key(request))
        return pb.UnassignPaymentTypesResponse()

    async def ListPaymentTypeAssignments(
        self, request: pb.ListPaymentTypeAssignmentsRequest, context: Any
    ) -> pb.ListPaymentTypeAssignmentsResponse:
        page = await self._lists.types(current().principal, page_request(request))
        return pb.ListPaymentTypeAssignmentsResponse(
            assignments=[
                pb.PaymentTypeAssignment(payment_type_id=id, buyer_id=buyer, user_id=user, user_group_id=group)
                for id, buyer, user, group in page.items
            ],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )


def _key(request: Any) -> RequestKey | None:
    return key_of(current().principal, current().method, request)


def _assignment(item: pb.PaymentTypeAssignment) -> Key:
    return item.payment_type_id, item.buyer_id, item.user_id, item.user_group_id
