"""What it costs to know who calls and whether they may: of all calls of a PlaceOrder, between services included.

The steps are timed one by one, in a process that serves everything; what they cost is compared with the CPU that the same
PlaceOrder takes in a process that nobody looks into.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from libs.auth import ServiceTokens
from libs.rpc.access import Rule
from libs.rpc.entrance import Inside, Outside
from libs.rpc.fairness.admission import Admission, Place
from libs.rpc.fairness.sources import Sources
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, SHOP
from tests.bench import load, processes
from waybill_client import AsyncWaybill

LINES = 3
WARM = 20
STEPS: tuple[tuple[str, type[Any], str], ...] = (
    ("user's token", Outside, "caller"),
    ("service's token read", Inside, "caller"),
    ("service's token made", ServiceTokens, "issue"),
    ("table of access", Rule, "require"),
    ("where it comes from", Sources, "of"),
    ("whether there is room", Admission, "place"),
    ("place taken", Place, "take"),
    ("place given back", Place, "give_back"),
)


@dataclass(slots=True)
class Spent:
    """CPU of one step, in nanoseconds, and how often it was taken."""

    nanoseconds: int = 0
    times: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one PlaceOrder: milliseconds and calls by step, and all of them as a part of its CPU."""

    steps: dict[str, float] = field(default_factory=dict)
    calls: dict[str, float] = field(default_factory=dict)
    cpu_ms: float = 0.0
    part: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def _timed(spent: Spent, inner: Callable[..., Any], is_coroutine: bool) -> Callable[..., Any]:
    def step(*args: Any, **kwargs: Any) -> Any:
        began = time.thread_time_ns()
        try:
            return inner(*args, **kwargs)
        finally:
            spent.nanoseconds += time.thread_time_ns() - began
            spent.times += 1

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        began = time.thread_time_ns()
        try:
            return await inner(*args, **kwargs)
        finally:
            spent.nanoseconds += time.thread_time_ns() - began
            spent.times += 1

    return coroutine if is_coroutine else step


@contextmanager
def _watched() -> Iterator[dict[str, Spent]]:
    found = {name: Spent() for name, _, _ in STEPS}
    with ExitStack() as stack:
        for name, owner, method in STEPS:
            inner = getattr(owner, method)
            stack.enter_context(patch.object(owner, method, _timed(found[name], inner, owner in (Outside, Inside))))
        yield found


async def measure(rounds: int) -> Cost:
    """One PlaceOrder after the other, each way."""
    with processes.embedded() as fleet:
        owner = AsyncWaybill("", "waybill-admin", fleet.client_secret, addresses=fleet.addresses)
        await load.stock_up(owner)
        client = await load.shopper(fleet)
        whole = (await load.measure("PlaceOrder", fleet, load.place(client, LINES), 1, rounds)).cpu_total
        await client.close()
        await owner.close()
    with _watched() as found, tempfile.TemporaryDirectory() as folder:
        async with running(HostSettings(data=Path(folder), background=False)) as host:
            assert host.secret is not None
            async with AsyncWaybill(host.address, host.secret.client_id, host.secret.client_secret) as owner:
                await load.stock_up(owner)
            async with AsyncWaybill(host.address, SHOP, username="ada", password=PASSWORD) as shopper:
                work = load.place(shopper, LINES)
                for number in range(WARM + rounds):
                    if number == WARM:
                        for spent in found.values():
                            spent.nanoseconds = spent.times = 0
                    await work()
    steps = {name: spent.nanoseconds / 1e6 / rounds for name, spent in found.items()}
    return Cost(steps, {name: spent.times / rounds for name, spent in found.items()}, whole, sum(steps.values()) / whole)
