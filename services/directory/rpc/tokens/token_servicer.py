"""TokenService."""

from __future__ import annotations

from typing import Any

from libs.clock import Clock
from libs.errors import Violations
from libs.protoconv import time_out
from libs.rpc import current
from services.directory.application.tokens.access_tokens import Issued
from services.directory.application.tokens.impersonation import Impersonate
from services.directory.application.tokens.issue_token import IssueToken
from services.directory.application.tokens.ports import KeyRing
from services.directory.application.tokens.throttle import Origin
from waybill.directory.v1 import reasons
from waybill.directory.v1 import token_service_pb2 as pb
from waybill.directory.v1 import token_service_pb2_grpc as pb_grpc


class TokenServicer(pb_grpc.TokenServiceServicer):
    """Tokens and the keys to verify them with."""

    def __init__(self, issue: IssueToken, impersonate: Impersonate, keys: KeyRing, clock: Clock) -> None:
        self._issue = issue
        self._impersonate = impersonate
        self._keys = keys
        self._clock = clock

    async def IssueToken(self, request: pb.IssueTokenRequest, context: Any) -> pb.IssueTokenResponse:
        grant = request.WhichOneof("grant")
        caller = current().principal if grant == "impersonation" else None
        _require_fields(request)
        client, origin = (request.client_id, request.client_secret), Origin(*current().source, page=request.origin)
        if caller is not None:
            who = request.impersonation
            made = await self._impersonate(caller, request.client_id, who.user_id, who.buyer_id, request.roles, request.origin)
        elif grant == "password":
            user = request.password
            made = await self._issue.by_password(*client, user.username, user.password, request.roles, origin)
        elif grant == "refresh":
            made = await self._issue.by_refresh(*client, request.refresh.refresh_token, request.roles, origin)
        elif grant == "guest":
            made = await self._issue.by_guest(*client, request.roles, origin)
        else:
            made = await self._issue.by_client(*client, request.roles, origin)
        return _answer(made)

    async def GetKeySet(self, request: pb.GetKeySetRequest, context: Any) -> pb.GetKeySetResponse:
        found = await self._keys.key_set(self._clock.now())
        answer = pb.GetKeySetResponse(audience=found.audience, revision=found.revision)
        if request.revision == found.revision:
            answer.unchanged = True
        else:
            answer.keys.extend(pb.JsonWebKey(**key) for key in found.keys)
        return answer


def _answer(made: Issued) -> pb.IssueTokenResponse:
    answer = pb.IssueTokenResponse(
        access_token=made.token, token_type="Bearer", expire_time=time_out(made.expire_time), roles=sorted(made.roles)
    )
    answer.order_id = made.order_id
    answer.lifetime.FromTimedelta(made.lifetime)
    if made.refresh is not None:
        answer.refresh_token = made.refresh.token
        answer.refresh_expire_time.FromDatetime(made.refresh.expire_time)
    return answer


def _require_fields(request: pb.IssueTokenRequest) -> None:
    """What is missing is a mistake of the program, not a wrong password, and does not count as a failed attempt. A public
    client has no secret, so grants by password and by refresh token may come without one."""
    found, grant = Violations(), request.WhichOneof("grant")
    required = {"client_id": request.client_id, "grant": grant}
    if grant == "password":
        required |= {"password.username": request.password.username, "password.password": request.password.password}
    elif grant == "refresh":
        required["refresh.refresh_token"] = request.refresh.refresh_token
    elif grant == "client_credentials":
        required["client_secret"] = request.client_secret
    elif grant == "impersonation":
        required["impersonation.user_id"] = request.impersonation.user_id
    for field, value in required.items():
        found.require(field, bool(value), reasons.FIELD_REQUIRED, "is required")
    found.raise_if_any()
