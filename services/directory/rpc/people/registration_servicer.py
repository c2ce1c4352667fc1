"""RegistrationService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.idempotency.key import ID_LENGTH, key_of_open
from libs.identify import folded
from libs.rpc import current
from services.directory.application.people.registration import ConfirmRegistration, Form, Register
from services.directory.application.people.users import check_password
from services.directory.application.tokens.throttle import Origin
from services.directory.contract.registrations import applicant_in
from waybill.directory.v1 import reasons
from waybill.directory.v1 import registration_service_pb2 as pb
from waybill.directory.v1 import registration_service_pb2_grpc as pb_grpc


class RegistrationServicer(pb_grpc.RegistrationServiceServicer):
    """People who make themselves users."""

    def __init__(self, register: Register, confirm: ConfirmRegistration) -> None:
        self._register = register
        self._confirm = confirm

    async def Register(self, request: pb.RegisterRequest, context: Any) -> pb.RegisterResponse:
        found = Violations()
        found.check_id("client_id", request.client_id)
        applicant = applicant_in(found, request)
        check_password(found, "password", request.password, required=True)
        found.raise_if_any()
        # Passwords and secrets are no part of what a request id is bound to: their digest would be cheap to guess.
        bare = pb.RegisterRequest()
        bare.CopyFrom(request)
        bare.password = bare.client_secret = ""
        who = "\0".join((request.client_id, folded(applicant.username), folded(applicant.email)))
        form = Form(request.client_id, request.client_secret, applicant, request.password)
        key = key_of_open(who, current().method, bare)
        await self._register(form, key, Origin(*current().source, page=request.origin))
        return pb.RegisterResponse()

    async def ConfirmRegistration(self, request: pb.ConfirmRegistrationRequest, context: Any) -> pb.ConfirmRegistrationResponse:
        found = Violations()
        for name in ("token", "password"):
            found.require(name, bool(getattr(request, name)), reasons.FIELD_REQUIRED, "is required")
        fits = len(request.request_id) <= ID_LENGTH
        found.require("request_id", fits, reasons.VALUE_OUT_OF_RANGE, f"is at most {ID_LENGTH} characters")
        found.raise_if_any()
        user_id = await self._confirm(request.token, request.password, current().method, Origin(*current().source))
        return pb.ConfirmRegistrationResponse(user_id=user_id)
