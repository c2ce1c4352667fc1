"""What one user feels of another one who floods the marketplace, and what a flood without a token leaves in memory.

Quiet and flooded times take turns, so that noise of the machine falls on both.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench import load, processes
from tests.bench.processes import Fleet
from tests.support.postgres import throwaway_cluster
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill, WaybillError

FLOODS = (("lists", 200), ("places", 64), ("waits", 1_000), ("watches", 1_000), ("signs_in", 200), ("forges", 200))
TURNS = 3
PAUSE = 0.5
"""Seconds until a flood runs."""


@dataclass(frozen=True, slots=True)
class Felt:
    """By another user, of one flood: median milliseconds of a read and of a PlaceOrder, and how often they were refused."""

    layout: str
    flood: str
    quiet_read: float
    read: float
    quiet_place: float
    place: float
    refused: int
    answers: dict[str, int]
    """What the flooding one heard."""
    grown_mb: float
    """Memory of all processes after the flood, against before."""

    @property
    def ratios(self) -> tuple[float, float]:
        """Of the read and of the PlaceOrder."""
        return self.read / self.quiet_read, self.place / self.quiet_place

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "read_to_quiet": self.ratios[0], "place_to_quiet": self.ratios[1]}


@contextmanager
def flooding(fleet: Fleet, kind: str, concurrency: int, answers: dict[str, int]) -> Iterator[None]:
    """By another user, from a process of its own."""
    command = [sys.executable, "-m", "tests.bench.flood", kind, str(concurrency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given = {"directory": fleet.addresses["directory"], "order": fleet.addresses["order"]}
        process.stdin.write(json.dumps(given) + "\n")
        process.stdin.flush()
        process.stdout.readline()
        time.sleep(PAUSE)
        try:
            yield
        finally:
            process.stdin.close()
            for reason, count in json.loads(process.stdout.readline() or "{}").items():
                answers[reason] = answers.get(reason, 0) + count


async def _timed(work: load.Work, count: int, refused: list[str]) -> list[float]:
    times = []
    for _ in range(count):
        began = time.perf_counter()
        try:
            await work()
        except WaybillError as error:
            # What was not served has no time that counts.
            refused.append(str(error))
            continue
        times.append((time.perf_counter() - began) * 1_000)
    return times


async def measure(layout: str, fleet: Fleet, count: int) -> list[Felt]:
    """Every flood."""
    owner = AsyncWaybill("", "waybill-admin", fleet.client_secret, addresses=fleet.addresses)
    await load.stock_up(owner)
    client = await load.shopper(fleet)
    await client.place_order({"b1": 1}, id="MINE")

    async def read() -> None:
        request = order_service_pb2.GetOrderRequest(order_id="MINE", direction=order_pb2.DIRECTION_OUTGOING)
        await client.orders.GetOrder(request)

    place, found = load.place(client, 3), []
    await _timed(place, 10, [])
    for kind, concurrency in FLOODS:
        times: dict[str, list[float]] = {name: [] for name in ("quiet read", "read", "quiet place", "place")}
        refused: list[str] = []
        answers: dict[str, int] = {}
        before = sum(fleet.rss().values())
        for _ in range(TURNS):
            times["quiet read"] += await _timed(read, count, refused)
            times["quiet place"] += await _timed(place, count // 2, refused)
            with flooding(fleet, kind, concurrency, answers):
                times["read"] += await _timed(read, count, refused)
                times["place"] += await _timed(place, count // 2, refused)
            await asyncio.sleep(PAUSE)
        medians = {name: statistics.median(values) for name, values in times.items()}
        found.append(
            Felt(
                layout,
                f"{kind} x{concurrency}",
                medians["quiet read"],
                medians["read"],
                medians["quiet place"],
                medians["place"],
                len(refused),
                answers,
                (sum(fleet.rss().values()) - before) / 2**20,
            )
        )
    for each in (owner, client):
        await each.close()
    return found


async def everywhere(count: int) -> list[Felt]:
    """In one process on SQLite, and in a process per service on PostgreSQL."""
    with processes.embedded() as fleet:
        found = await measure("embedded", fleet, count)
    with throwaway_cluster(durable=True) as url, processes.distributed(url) as fleet:
        return found + await measure("distributed", fleet, count)
