"""Signing in, and keeping a token fresh."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import grpc

from waybill.directory.v1 import token_service_pb2 as pb
from waybill.order.v1 import checkout_service_pb2 as checkout_pb
from waybill.order.v1 import line_item_pb2
from waybill_client.errors import WaybillError

Metadata = tuple[tuple[str, str], ...]
TOKENS = "/waybill.directory.v1.TokenService/IssueToken"
SIGN_IN = 30.0
"""Seconds that a directory may take: every other call of the client waits meanwhile."""
EARLY = 30.0
"""Seconds before its end at which a token is renewed."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to get a token: the client's secret alone, a user's name and password, or as a guest nothing."""

    client_id: str
    client_secret: str = ""
    username: str = ""
    password: str = ""
    roles: tuple[str, ...] = ()
    guest: bool = False

    def request(self, refresh_token: str = "") -> pb.IssueTokenRequest:
        """The call that gets one, by a refresh token if there is one."""
        made = pb.IssueTokenRequest(client_id=self.client_id, client_secret=self.client_secret, roles=self.roles)
        if refresh_token:
            made.refresh.CopyFrom(pb.RefreshGrant(refresh_token=refresh_token))
        elif self.guest:
            made.guest.CopyFrom(pb.GuestGrant())
        elif self.username:
            made.password.CopyFrom(pb.PasswordGrant(username=self.username, password=self.password))
        else:
            made.client_credentials.CopyFrom(pb.ClientCredentialsGrant())
        return made


def is_over(error: WaybillError) -> bool:
    """Whether a call or stream was refused because its token has ended. It ends with its time, with the key that has signed it,
    and with what it was given for: a new one says what is left."""
    over = error.reason in ("TOKEN_EXPIRED", "TOKEN_INVALID", "TOKEN_REVOKED")
    return error.code is grpc.StatusCode.UNAUTHENTICATED and over


class Token:
    """The current token."""

    def __init__(self) -> None:
        self.text = self.refresh_token = self.order_id = ""
        self._until = 0.0

    @property
    def fresh(self) -> bool:
        """Whether it can still be used."""
        # A guest's is for one order, and another one would be for another: whoever asks the server hears when it is over.
        return bool(self.order_id) or (bool(self.text) and time.monotonic() < self._until)

    def keep(self, answer: pb.IssueTokenResponse) -> None:
        """Takes a new one. How long it is good counts from now: no clock needs to agree with the server's."""
        self.text, self.refresh_token, self.order_id = answer.access_token, answer.refresh_token, answer.order_id
        self._until = time.monotonic() + answer.lifetime.seconds - EARLY

    def outlived(self, error: WaybillError, used: Metadata) -> bool:
        """Whether a call was refused because the token it carried is over, as after a sleep of this machine. It is used
        no more, unless somebody has signed in again in the meantime."""
        if not is_over(error) or self.order_id:
            return False
        if used == self.metadata:
            self._until = 0.0
        return True

    def refused(self, error: WaybillError) -> bool:
        """Whether it was a refresh token that was refused: then it is over, and signing in anew says what is left."""
        final = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.RESOURCE_EXHAUSTED)
        tried, self.refresh_token = bool(self.refresh_token), "" if error.code in final else self.refresh_token
        return tried and not self.refresh_token

    @property
    def metadata(self) -> Metadata:
        """As a call carries it."""
        return (("authorization", f"Bearer {self.text}"),)


def place_order_request(lines: Mapping[str, int], id: str, purchase_order: str, request_id: str) -> checkout_pb.PlaceOrderRequest:
    """A whole checkout of these products and quantities."""
    made = checkout_pb.PlaceOrderRequest(
        line_items=[line_item_pb2.LineItem(product_id=p, quantity=q) for p, q in lines.items()],
        request_id=request_id or uuid.uuid4().hex,
    )
    made.order.id = id
    if purchase_order:
        made.payments.add(type="purchase_order", purchase_order_number=purchase_order)
    return made
