"""The demo's marketplace in this process, for tests; every test ends with the invariant check."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from libs.clock import Clock
from libs.db.tuning import Tuning
from libs.rpc.fairness.limits import DEFAULT as OUTSIDE
from libs.rpc.fairness.limits import OutsideLimits
from libs.rpc.health_limits import DEFAULT as HEALTH
from libs.rpc.health_limits import HealthLimits
from services.directory.application.bootstrap import OneTimeSecret
from services.host.check import check
from services.host.process.embedded import Host, running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import set_up
from services.host.sample.parties import People, sign_in
from tests.support.prepared import CHEAP
from tests.support.rest import at_rest, broken
from tests.support.sealing import sealing_key_for
from waybill.order.v1 import line_item_pb2, order_pb2, order_service_pb2
from waybill_client import AsyncWaybill

ALL = order_pb2.DIRECTION_ALL
INCOMING = order_pb2.DIRECTION_INCOMING
OUTGOING = order_pb2.DIRECTION_OUTGOING


@dataclass(slots=True)
class Marketplace:
    """A running marketplace and everyone in it."""

    host: Host
    people: People
    secret: OneTimeSecret
    """The owner's."""
    database_url: str = ""
    """Empty for SQLite."""
    rests: bool = False
    """Whether it is to come to rest before it is judged: with loops that run, and for tests that leave nothing unfinished."""

    @property
    def address(self) -> str:
        """Where it is served."""
        return self.host.address

    async def check(self) -> None:
        """Fails when an invariant is broken; of one that rests also when something stays in motion or parked."""
        if self.rests:
            await at_rest(lambda: check(self.people.owner), 90.0)
        else:
            assert not (found := broken(await check(self.people.owner))), found


@asynccontextmanager
async def marketplace(
    data: Path,
    database_url: str = "",
    clock: Clock | None = None,
    background: bool = True,
    rests: bool = False,
    secret: OneTimeSecret | None = None,
    order: Mapping[str, object] | None = None,
    health: HealthLimits = HEALTH,
    outside: OutsideLimits = OUTSIDE,
) -> AsyncIterator[Marketplace]:
    """Serves, sets up, signs everyone in; checks the invariants at the end, at rest where it `rests`.

    `secret` is the owner's of a marketplace that is set up already; `order` are settings of the order service.
    """
    settings = HostSettings(
        data=data,
        database_url=database_url,
        sealing_key=sealing_key_for(database_url),
        tuning=Tuning(pool_size=8),
        background=background,
        services={**CHEAP, "order": order or {}},
        health=health,
        outside=outside,
    )
    async with running(settings, clock) as host:
        known = secret or host.secret
        assert known is not None
        # At once, by the clock as it is now: a token from a clock that was moved on is not good yet.
        owner = await AsyncWaybill.connect(host.address, known.client_id, known.client_secret)
        if secret is None:
            await set_up(owner)
        people = await sign_in(host.address, owner)
        made = Marketplace(host, people, known, database_url, rests)
        try:
            yield made
            await made.check()
        finally:
            await people.close()


def lines(**quantities: int) -> list[line_item_pb2.LineItem]:
    """Lines by product and quantity."""
    return [line_item_pb2.LineItem(product_id=p, quantity=q) for p, q in quantities.items()]


async def create(client: AsyncWaybill, id: str, **quantities: int) -> order_pb2.Order:
    """An order with lines, not submitted."""
    answer = await client.orders.CreateOrder(
        order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=id), line_items=lines(**quantities))
    )
    return answer.order


async def get(client: AsyncWaybill, id: str, direction: int = ALL) -> order_pb2.Order:
    """An order as the caller sees it."""
    answer = await client.orders.GetOrder(
        order_service_pb2.GetOrderRequest(order_id=id, direction=direction)  # type: ignore[arg-type]
    )
    return answer.order
