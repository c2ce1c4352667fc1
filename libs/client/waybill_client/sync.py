"""The blocking client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import grpc

from waybill.directory.v1.token_service_pb2_grpc import TokenServiceStub
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client.calls import OPTIONS, identified, target
from waybill_client.errors import WaybillError, from_rpc_error
from waybill_client.services import Services
from waybill_client.session import SIGN_IN, TOKENS, Credentials, Metadata, Token, place_order_request
from waybill_client.watching import Watch


class _Channel:
    """What a stub needs: calls with a token, errors in our form. A call whose token was over is made once more."""

    def __init__(
        self,
        channel_of: Callable[[str], grpc.Channel],
        metadata: Callable[[], Metadata],
        outlived: Callable[[WaybillError, Metadata], bool],
    ) -> None:
        self._channel_of = channel_of
        self._metadata = metadata
        self._outlived = outlived

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        inner = self._channel_of(method).unary_unary(method, *args, **kwargs)

        def call(request: Any, timeout: float | None = 60.0) -> Any:
            request = identified(request)
            for again in (True, False):
                metadata = self._metadata()
                try:
                    return inner(request, timeout=timeout, metadata=metadata)
                except grpc.RpcError as error:
                    refusal = from_rpc_error(error)
                if not (self._outlived(refusal, metadata) and again):
                    raise refusal
            raise AssertionError("unreachable")

        return call

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        inner = self._channel_of(method).unary_stream(method, *args, **kwargs)

        def call(request: Any, timeout: float | None = None) -> Iterator[Any]:
            begun = False
            for again in (True, False):
                metadata = self._metadata()
                try:
                    for message in inner(request, timeout=timeout, metadata=metadata):
                        begun = True
                        yield message
                    return
                except grpc.RpcError as error:
                    refusal = from_rpc_error(error)
                if not (self._outlived(refusal, metadata) and again) or begun:
                    raise refusal

        return call


class Waybill(Services):
    """A marketplace, seen by one caller.

    Calls are methods of services, such as `waybill.orders.GetOrder(...)`; they raise `WaybillError`.
    """

    def __init__(
        self,
        address: str,
        client_id: str,
        client_secret: str = "",
        *,
        username: str = "",
        password: str = "",
        roles: Sequence[str] = (),
        guest: bool = False,
        credentials: grpc.ChannelCredentials | None = None,
        addresses: Mapping[str, str] | None = None,
    ) -> None:
        """`addresses` says where single contexts are served, such as {"directory": "10.0.0.5:8420"}, when there is no
        one address in front of them. `guest` shops without a user, for one order: once its
        token is over, so is this client."""
        self._credentials = Credentials(client_id, client_secret, username, password, tuple(roles), guest)
        self._tls = credentials
        self._address = address
        self._addresses = dict(addresses or {})
        self._channels: dict[str, grpc.Channel] = {}
        self._token = Token()
        self._lock = threading.Lock()
        self.channel = _Channel(self._channel_of, self._metadata, self._outlived)

    def _channel_of(self, method: str) -> grpc.Channel:
        """The channel of a method such as `/waybill.order.v1.OrderService/GetOrder`: one per address."""
        context = method.split(".")[1] if method.startswith("/waybill.") else ""
        address = self._addresses.get(context, self._address)
        channel = self._channels.get(address)
        if channel is None:
            if self._tls is None:
                channel = grpc.insecure_channel(target(address), options=OPTIONS)
            else:
                channel = grpc.secure_channel(target(address), self._tls, options=OPTIONS)
            self._channels[address] = channel
        return channel

    def _metadata(self) -> Metadata:
        with self._lock:
            if not self._token.fresh:
                try:
                    self._sign_in()
                except WaybillError as error:
                    if not self._token.refused(error):
                        raise
                    self._sign_in()
            return self._token.metadata

    def _sign_in(self) -> None:
        try:
            tokens = TokenServiceStub(self._channel_of(TOKENS))
            request = self._credentials.request(self._token.refresh_token)
            self._token.keep(tokens.IssueToken(request, timeout=SIGN_IN))
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def guest_order(self) -> tuple[str, str]:
        """The id of the one order of a guest, and the token that whoever signs in has it transferred with; empty for others."""
        self._metadata()
        return self._token.order_id, self._token.text if self._token.order_id else ""

    def _outlived(self, error: WaybillError, used: Metadata) -> bool:
        return self._token.outlived(error, used)

    def place_order(
        self, lines: Mapping[str, int], *, id: str = "", purchase_order: str = "", request_id: str = ""
    ) -> order_pb2.Order:
        """A whole checkout: product ids and quantities, default address, cheapest methods, on a purchase order.

        A `request_id` of your own makes a repeat of the call have one effect.
        """
        request = place_order_request(lines, id, purchase_order, request_id)
        return self.checkout.PlaceOrder(request).order

    def watch_orders(
        self, request: order_service_pb2.WatchOrdersRequest, *, patience: float = 60.0
    ) -> Iterator[order_service_pb2.WatchOrdersResponse]:
        """Every change that the request asks for, once, in the order in which it became visible.

        When a server ends, another is asked to go on where the stream ended; when its token ends, the caller signs in again
        first. That fails when there has been no server for `patience` seconds; a stream that never began fails at once.
        Messages without an event are checkpoints: keep the newest `resume_token` to go on after your own restart.
        """
        watch = Watch(request, patience)
        while True:
            try:
                for message in self.orders.WatchOrders(watch.request):
                    watch.saw(message)
                    yield message
                return
            except WaybillError as error:
                time.sleep(watch.wait(error))

    def close(self) -> None:
        """Closes the channel."""
        for channel in self._channels.values():
            channel.close()

    def __enter__(self) -> Waybill:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
