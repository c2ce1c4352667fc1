"""Load from many clients while replicas and PostgreSQL are killed: nothing acknowledged may be missing, nothing done twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from services.host.sample.parties import People
from tests.chaos import steps
from tests.chaos.history import FAIL, OK, UNKNOWN, Operation, Undecided
from tests.support.crashable import Crashable
from tests.support.fleet import Fleet
from waybill.order.v1 import order_pb2, submission_pb2
from waybill_client import WaybillError

CLIENTS = 8
REPEATS = 4
"""How often a client repeats a call that was not answered, before it calls the outcome unknown."""
KILL_PAUSE = 1.2
"""Mean seconds between two kills."""
POSTGRES_EVERY = 10
"""One in so many kills is PostgreSQL itself."""
CARTS: tuple[dict[str, int], ...] = (
    {"anvil": 1, "lamp": 1},
    {"crate": 5, "tape": 2},
    {"tarp": 1},
    {"tarp": 2, "tongs": 3},
    {"lamp": 2, "crate": 1, "anvil": 1},
)
"""Tarpaulins are scarce: `provide` leaves them as they are."""
SUPPLIERS = ("northforge", "lumenworks", "wh-east", "wh-west")


@dataclass(slots=True)
class Storm:
    """What was killed."""

    kills: Counter[str] = field(default_factory=Counter)
    over: bool = False

    @property
    def processes(self) -> int:
        """How many of the services' own."""
        return self.kills.total() - self.kills["postgresql"]


class Client:
    """One client: places, ships, holds and cancels, one call after the other, and writes down what it was answered."""

    def __init__(self, number: int, people: People, seed: int, history: list[Operation], storm: Storm) -> None:
        self._number = number
        self._people = people
        self._random = random.Random(f"{seed}-{number}")
        self._history = history
        self._storm = storm
        self._open: list[str] = []
        self._count = 0

    async def run(self) -> None:
        """Until the storm is over."""
        while not self._storm.over:
            roll = self._random.random()
            if roll < 0.55 or not self._open:
                await self._place()
            elif roll < 0.85:
                await self._ship(self._random.choice(self._open))
            elif roll < 0.92:
                await self._hold(self._random.choice(self._open))
            else:
                await self._cancel()

    async def _place(self) -> None:
        self._count += 1
        id = f"c{self._number}-{self._count}"
        cart = self._random.choice(CARTS)
        card = self._random.choices(["approve", "decline", "late"], [85, 10, 5])[0]
        op = Operation("place", id, id)
        self._history.append(op)
        await self._call(op, lambda: self._placed(op, cart, card))
        if op.outcome == OK:
            self._open.append(id)

    async def _placed(self, op: Operation, cart: dict[str, int], card: str) -> None:
        order = await steps.place(self._people.ada, op.order, cart, card)
        shown = order.submission
        if shown.state == submission_pb2.SUBMISSION_STATE_TRYING:
            # Not yet decided: the call was answered, the question was not.
            raise Undecided(op.order)
        state = submission_pb2.SubmissionState.Name(shown.state)
        op.answer = f"{order_pb2.OrderStatus.Name(order.status)}, attempt {shown.attempt} {state}"

    async def _ship(self, id: str, held: bool = False) -> Operation | None:
        """Ships one unit of each line that has some left at a supplier; None when there is nothing to ship."""
        supplier = self._random.choice(SUPPLIERS)
        clerk = self._people.clerks[supplier]
        try:
            mine = await steps.supplier_order(clerk, id)
            await steps.accept(clerk, mine.id)
        except (WaybillError, ValueError):
            return None
        units = {
            line.line_item_id: 1 for line in mine.line_items if line.quantity > line.quantity_shipped + line.quantity_canceled
        }
        if not units:
            return None
        self._count += 1
        tag = f"{mine.id}-s{self._number}-{self._count}"
        op = Operation("ship", id, tag, units=units, forbidden=held)
        self._history.append(op)
        await self._call(op, lambda: steps.ship(clerk, mine.id, units, tag, id=tag))
        return op

    async def _hold(self, id: str) -> None:
        """Holds an order, ships of it all the same, and lets it go."""
        self._count += 1
        tag = f"h{self._number}-{self._count}"
        op = Operation("hold", id, tag)
        self._history.append(op)
        await self._call(op, lambda: steps.hold(self._people.sam, id, tag))
        if op.outcome != OK:
            return
        shipped = await self._ship(id, held=True)
        if shipped is not None and shipped.outcome == UNKNOWN:
            # It is repeated when the storm is over, and must find the hold then too.
            return
        op = Operation("release", id, tag)
        self._history.append(op)
        await self._call(op, lambda: steps.release(self._people.sam, id, tag))

    async def _cancel(self) -> None:
        chosen = self._random.choice(self._open)
        self._open.remove(chosen)
        op = Operation("cancel", chosen, f"{chosen}-cancel")
        self._history.append(op)
        await self._call(op, lambda: self._canceled(chosen))

    async def _canceled(self, id: str) -> None:
        order = await steps.cancel(self._people.sam, id)
        if order.submission.state == submission_pb2.SUBMISSION_STATE_TRYING:
            # What was left of it is being canceled, and it is not yet decided.
            raise Undecided(id)

    async def _call(self, op: Operation, call: Callable[[], Awaitable[object]]) -> None:
        op.repeat = call
        for _ in range(REPEATS):
            try:
                await call()
            except Undecided:
                await asyncio.sleep(0.5)
                continue
            except WaybillError as error:
                op.detail = str(error)
                if error.code in steps.SILENT:
                    await asyncio.sleep(0.2)
                    continue
                op.outcome = UNKNOWN if error.reason == "SUBMISSION_IN_PROGRESS" else FAIL
                return
            op.outcome = OK
            return


async def nemesis(fleet: Fleet, database: Crashable, seconds: float, seed: int, storm: Storm) -> None:
    """Kills one after the other, and starts again what is dead."""
    rng = random.Random(f"{seed}-nemesis")
    until = time.monotonic() + seconds
    revivals: set[asyncio.Task[None]] = set()
    while time.monotonic() < until:
        await asyncio.sleep(rng.uniform(0.5, 1.5) * KILL_PAUSE)
        if rng.randrange(POSTGRES_EVERY) == 0:
            await asyncio.to_thread(database.kill)
            storm.kills["postgresql"] += 1
            await asyncio.sleep(rng.uniform(0.0, 1.0))
            await asyncio.to_thread(database.start)
            continue
        alive = [m for m in fleet.members if m.alive]
        if not alive:
            continue
        victim = rng.choice(alive)
        await fleet.kill(victim)
        storm.kills[victim.context] += 1
        task = asyncio.create_task(_later(fleet, rng.uniform(0.0, 1.5)))
        revivals.add(task)
        task.add_done_callback(revivals.discard)
    storm.over = True
    await asyncio.gather(*revivals)
    await _later(fleet, 0.0)


async def _later(fleet: Fleet, pause: float) -> None:
    await asyncio.sleep(pause)
    for _ in range(20):
        dead = [m for m in fleet.members if not m.alive]
        if not dead:
            return
        for member in dead:
            if not member.alive:
                try:
                    await fleet.start(member)
                except RuntimeError:
                    # PostgreSQL was dead at the same time.
                    await asyncio.sleep(0.5)
    raise RuntimeError("a process does not start again")
