"""A caller who does not wait: so many calls at a time, each again as soon as it is answered, whatever the answer is.

`python -m tests.bench.flood KIND CONCURRENCY` reads where the services are and who calls as JSON from its input, and says how
many calls were answered how when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections import Counter
from typing import Any

import grpc

from services.host.sample.marketplace import PASSWORD, PORTAL, SHOP
from waybill.directory.v1 import token_service_pb2, token_service_pb2_grpc
from waybill.order.v1 import (
    checkout_service_pb2,
    checkout_service_pb2_grpc,
    line_item_pb2,
    order_pb2,
    order_service_pb2,
    order_service_pb2_grpc,
)
from waybill_client.errors import from_rpc_error

Call = Any
CONNECTIONS = 8


BUYER, SUPPLIER = ("bob", SHOP), ("clerk-northforge", PORTAL)
"""Users who flood, with their clients."""


async def token_of(address: str, username: str, client: str) -> str:
    """Signs in."""
    async with grpc.aio.insecure_channel(address) as channel:
        request = token_service_pb2.IssueTokenRequest(
            client_id=client, password=token_service_pb2.PasswordGrant(username=username, password=PASSWORD)
        )
        return str((await token_service_pb2_grpc.TokenServiceStub(channel).IssueToken(request)).access_token)


def lists(channel: grpc.aio.Channel, metadata: Any) -> Call:
    """The dearest page that there is."""
    request = order_service_pb2.ListOrdersRequest(direction=order_pb2.DIRECTION_OUTGOING, page_size=100)
    stub = order_service_pb2_grpc.OrderServiceStub(channel)
    return lambda: stub.ListOrders(request, metadata=metadata)


def places(channel: grpc.aio.Channel, metadata: Any) -> Call:
    """Whole checkouts."""
    stub = checkout_service_pb2_grpc.CheckoutServiceStub(channel)
    line = line_item_pb2.LineItem(product_id="b0", quantity=1)
    return lambda: stub.PlaceOrder(
        checkout_service_pb2.PlaceOrderRequest(line_items=[line], request_id=uuid.uuid4().hex), metadata=metadata
    )


def waits(channel: grpc.aio.Channel, metadata: Any) -> Call:
    """Reads of a supplier that wait for what will never be reported."""
    stub = order_service_pb2_grpc.OrderServiceStub(channel)
    request = order_service_pb2.GetOrderRequest(order_id="AWAITED", direction=order_pb2.DIRECTION_INCOMING, min_version=1_000_000)
    return lambda: stub.GetOrder(request, metadata=metadata)


def watches(channel: grpc.aio.Channel, metadata: Any) -> Call:
    """Streams that stay open."""
    stub = order_service_pb2_grpc.OrderServiceStub(channel)
    request = order_service_pb2.WatchOrdersRequest(direction=order_pb2.DIRECTION_OUTGOING)

    async def watch() -> None:
        async for _ in stub.WatchOrders(request, metadata=metadata):
            pass

    return watch


def signs_in(channel: grpc.aio.Channel, metadata: Any) -> Call:
    """Wrong passwords of names that there are not."""
    stub = token_service_pb2_grpc.TokenServiceStub(channel)

    def wrong() -> Any:
        grant = token_service_pb2.PasswordGrant(username=f"nobody-{uuid.uuid4().hex}", password="wrong")
        return stub.IssueToken(token_service_pb2.IssueTokenRequest(client_id=SHOP, password=grant))

    return wrong


def forges(channel: grpc.aio.Channel, metadata: Any) -> Call:
    """Tokens whose signature does not hold, each another one."""
    stub = order_service_pb2_grpc.OrderServiceStub(channel)
    head, body, _ = dict(metadata)["authorization"].split(".")
    request = order_service_pb2.ListOrdersRequest(direction=order_pb2.DIRECTION_OUTGOING)

    def forged() -> Any:
        signature = uuid.uuid4().hex * 10 + "ab" * 11
        return stub.ListOrders(request, metadata=(("authorization", f"{head}.{body}.{signature}"),))

    return forged


KINDS = {made.__name__: made for made in (lists, places, waits, watches, signs_in, forges)}


async def main(kind: str, concurrency: int) -> None:
    """Until the input ends."""
    given = json.loads(await asyncio.to_thread(sys.stdin.readline))
    metadata = (("authorization", f"Bearer {await token_of(given['directory'], *(SUPPLIER if kind == 'waits' else BUYER))}"),)
    address = given["directory" if kind == "signs_in" else "order"]
    # Connections of their own: gRPC shares one between channels with the same arguments.
    channels = [
        grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1), ("waybill.number", number)])
        for number in range(CONNECTIONS)
    ]
    answers: Counter[str] = Counter()

    async def worker(number: int) -> None:
        call = KINDS[kind](channels[number % CONNECTIONS], metadata)
        while True:
            try:
                await call()
                answers["OK"] += 1
            except grpc.aio.AioRpcError as error:
                answers[from_rpc_error(error).reason or error.code().name] += 1

    workers = [asyncio.create_task(worker(number)) for number in range(concurrency)]
    sys.stdout.write("flooding\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for each in workers:
        each.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    sys.stdout.write(json.dumps(answers) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
