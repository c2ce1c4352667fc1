"""The asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import grpc

from waybill.directory.v1.token_service_pb2_grpc import TokenServiceStub
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client.aio_services import AsyncServices
from waybill_client.calls import OPTIONS, identified, target
from waybill_client.errors import WaybillError, from_rpc_error
from waybill_client.session import SIGN_IN, TOKENS, Credentials, Metadata, Token, place_order_request
from waybill_client.watching import Watch


class _Channel:
    """What a stub needs: calls with a token, errors in our form. A call whose token was over is made once more."""

    def __init__(
        self,
        channel_of: Callable[[str], grpc.aio.Channel],
        metadata: Callable[[], Awaitable[Metadata]],
        outlived: Callable[[WaybillError, Metadata], bool],
    ) -> None:
        self._channel_of = channel_of
        self._metadata = metadata
        self._outlived = outlived

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        kwargs.pop("_registered_method", None)
        inner = self._channel_of(method).unary_unary(method, *args, **kwargs)

        async def call(request: Any, timeout: float | None = 60.0) -> Any:
            request = identified(request)
            for again in (True, False):
                metadata = await self._metadata()
                try:
                    return await inner(request, timeout=timeout, metadata=metadata)
                except grpc.aio.AioRpcError as error:
                    refusal = from_rpc_error(error)
                if not (self._outlived(refusal, metadata) and again):
                    raise refusal
            raise AssertionError("unreachable")

        return call

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        kwargs.pop("_registered_method", None)
        inner = self._channel_of(method).unary_stream(method, *args, **kwargs)

        async def call(request: Any, timeout: float | None = None) -> AsyncIterator[Any]:
            begun = False
            for again in (True, False):
                metadata = await self._metadata()
                try:
                    async for message in inner(request, timeout=timeout, metadata=metadata):
                        begun = True
                        yield message
                    return
                except grpc.aio.AioRpcError as error:
                    refusal = from_rpc_error(error)
                if not (self._outlived(refusal, metadata) and again) or begun:
                    raise refusal

        return call


class AsyncWaybill(AsyncServices):
    """A marketplace, seen by one caller. The same as `Waybill`, to be awaited."""

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
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._token = Token()
        self._lock = asyncio.Lock()
        self.channel = _Channel(self._channel_of, self._metadata, self._outlived)

    def _channel_of(self, method: str) -> grpc.aio.Channel:
        """The channel of a method such as `/waybill.order.v1.OrderService/GetOrder`: one per address."""
        context = method.split(".")[1] if method.startswith("/waybill.") else ""
        address = self._addresses.get(context, self._address)
        channel = self._channels.get(address)
        if channel is None:
            if self._tls is None:
                channel = grpc.aio.insecure_channel(target(address), options=OPTIONS)
            else:
                channel = grpc.aio.secure_channel(target(address), self._tls, options=OPTIONS)
            self._channels[address] = channel
        return channel

    @staticmethod
    async def connect(address: str, client_id: str, client_secret: str = "", **options: Any) -> AsyncWaybill:
        """A client that has signed in; raises when it cannot."""
        made = AsyncWaybill(address, client_id, client_secret, **options)
        await made._metadata()
        return made

    def at(self, address: str) -> AsyncWaybill:
        """The same caller, who asks another server of the marketplace for its inspection, its outbox, its changes and its log
        of administrative acts."""
        made = AsyncWaybill(
            self._address,
            self._credentials.client_id,
            credentials=self._tls,
            addresses={**self._addresses, "inspection": address, "operations": address, "changes": address, "audit": address},
        )
        made._credentials, made._token, made._lock, made._channels = (self._credentials, self._token, self._lock, self._channels)
        return made

    async def _metadata(self) -> Metadata:
        if not self._token.fresh:
            async with self._lock:
                if not self._token.fresh:
                    try:
                        await self._sign_in()
                    except WaybillError as error:
                        if not self._token.refused(error):
                            raise
                        await self._sign_in()
        return self._token.metadata

    async def _sign_in(self) -> None:
        try:
            tokens = TokenServiceStub(self._channel_of(TOKENS))
            request = self._credentials.request(self._token.refresh_token)
            self._token.keep(await tokens.IssueToken(request, timeout=SIGN_IN))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def guest_order(self) -> tuple[str, str]:
        """The id of the one order of a guest, and the token that whoever signs in has it transferred with; empty for others."""
        await self._metadata()
        return self._token.order_id, self._token.text if self._token.order_id else ""

    def _outlived(self, error: WaybillError, used: Metadata) -> bool:
        return self._token.outlived(error, used)

    async def place_order(
        self, lines: Mapping[str, int], *, id: str = "", purchase_order: str = "", request_id: str = ""
    ) -> order_pb2.Order:
        """A whole checkout: product ids and quantities, default address, cheapest methods, on a purchase order."""
        answer = await self.checkout.PlaceOrder(place_order_request(lines, id, purchase_order, request_id))
        return answer.order

    async def watch_orders(
        self, request: order_service_pb2.WatchOrdersRequest, *, patience: float = 60.0
    ) -> AsyncIterator[order_service_pb2.WatchOrdersResponse]:
        """Every change that the request asks for, once, in the order in which it became visible.

        When a server ends, another is asked to go on where the stream ended; when its token ends, the caller signs in again
        first. That fails when there has been no server for `patience` seconds; a stream that never began fails at once.
        Messages without an event are checkpoints: keep the newest `resume_token` to go on after your own restart.
        """
        watch = Watch(request, patience)
        while True:
            try:
                async for message in self.orders.WatchOrders(watch.request):
                    watch.saw(message)
                    yield message
                return
            except WaybillError as error:
                await asyncio.sleep(watch.wait(error))

    async def close(self) -> None:
        """Closes the channel."""
        for channel in self._channels.values():
            await channel.close()

    async def __aenter__(self) -> AsyncWaybill:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
