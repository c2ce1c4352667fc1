"""Looks for an expression that takes more than it may: `python -m tests.expressions.fuzz SECONDS [SEED]`.

Each is checked, and run over an order with 5,000 lines full of the worst xp, in a process of its own with little memory. One that
takes more than 50 ms of CPU or 50 MB, or raises anything but `Faults`, ends the run with 1 and is printed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import resource
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from libs.expr import Faults, Result, Value
from tests.expressions.grammar import GOOD, NASTY, Grammar
from tests.expressions.messages import LINES, ORDERS, bound, item, order, xp

LINES_OF_ORDER = 5_000
CPU = 0.050
MEMORY = 50 * 1024
"""Kilobytes."""
ROOM = 2_000_000_000
"""Bytes of addresses that the process may have beside those it has at the start."""


def large(lines: int = LINES_OF_ORDER) -> Any:
    """An order with many lines, all with xp of the largest size: long texts, long lists and deep maps."""
    deep: Any = 1
    for _ in range(30):
        deep = {"d": deep}
    data = xp(
        s="ab",
        n=3,
        b=True,
        z=None,
        tags=["a", "b"],
        text="a" * 3_000,
        needle="a" * 99 + "b",
        list=[1] * 900,
        deep={"n": 1},
        d=deep["d"],
    )
    rows = [item(number, xp=data, category_ids=[f"c{n}" for n in range(20)]) for number in range(lines)]
    whole = order(xp=data, labels={"a": "b"})
    whole.items.extend(rows)
    return whole


def examined(text: str, order: Any) -> list[Value]:
    """What an expression comes to in both environments, for both results."""
    values = []
    for result in Result:
        with contextlib.suppress(Faults):
            expression = ORDERS.check(text, result)
            values.append(expression.run(bound(order)))
        with contextlib.suppress(Faults):
            expression = LINES.check(text, result)
            values.extend(expression.run(bound(order, line)) for line in order.items[:1])
    assert all(type(value.value) in (bool, int) for value in values)
    assert all(-(2**63) <= value.value < 2**63 for value in values)
    return values


def cost(text: str, order: Any) -> tuple[float, int]:
    """Seconds of CPU for one run, and kilobytes that the process grew by; the least of three where it is too much."""
    least = float("inf")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(5):
        start = time.process_time()
        runs = max(len(examined(text, order)), 1)
        least = min(least, (time.process_time() - start) / runs)
        if least <= CPU / 2:
            break
    return least, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


def texts(seed: int) -> Iterator[str]:
    """The known ones first, then without an end."""
    yield from GOOD
    yield from NASTY
    grammar = Grammar(random.Random(seed))
    while True:
        yield grammar.any()


def _search(seed: int, seconds: float, out: Connection) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
    whole, until, worst = large(), time.monotonic() + seconds, (0.0, "")
    for number, text in enumerate(texts(seed), 1):
        out.send(("now", text))
        took, grew = cost(text, whole)
        worst = max(worst, (took, text))
        if took > CPU or grew > MEMORY:
            out.send(("fault", f"{took * 1000:.1f} ms, {grew / 1024:.0f} MB"))
            return
        if time.monotonic() > until:
            out.send(("done", f"{number} expressions; the longest took {worst[0] * 1000:.1f} ms: {worst[1]}"))
            return


def main(seconds: float, seed: int) -> int:
    """0 where nothing was found."""
    print(f"seed {seed}")  # noqa: T201 - a command
    mine, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_search, args=(seed, seconds, its))
    process.start()
    its.close()
    text, end = "", ("fault", "the process died, or took longer than 20 seconds")
    with contextlib.suppress(EOFError):
        while mine.poll(20):
            kind, said = mine.recv()
            if kind != "now":
                end = (kind, said)
                break
            text = said
    process.kill()
    process.join()
    print(end[1] if end[0] == "done" else f"{end[1]}: {text!r}")  # noqa: T201 - a command
    return 0 if end[0] == "done" else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)))
