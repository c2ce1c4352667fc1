"""Compares the language with the Common Expression Language: `python -m tests.expressions.compare SECONDS [SEED]`.

Every expression that is valid here is run by Google's implementation too; it must come to the same, or to an error in both.
That is `pip install cel-expr-python==0.1.3`, for x86-64 only, which is why it is no requirement. Two differences are meant:
lists and maps that lie in xp are not compared, and 40 parts may lie within each other, not 32. `--write` keeps what it says of
some in conformance.json, for a test that runs everywhere.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pool

from libs.expr import Faults, Result, literals
from libs.money import nearest, round_half_up
from tests.expressions.grammar import GOOD, NASTY, Grammar
from tests.expressions.messages import ORDERS, PACKAGE, bound, item, order, xp

KEPT = Path(__file__).with_name("conformance.json")
ERROR = "error"


def stated() -> Any:
    """An order with three lines and xp of every type."""
    data = xp(s="ab", n=3, b=True, z=None, tags=["a", "b"], deep={"n": 1})
    lines = [
        item(1, xp=data, category_ids=["c1"], specs={"a": "b"}),
        item(2, quantity=7),
        item(3, supplier_id="northforge", xp=data),
    ]
    return order(items=lines, xp=data, labels={"a": "b"})


def ours(text: str, order: Any) -> bool | int | str | None:
    """What it comes to here; None where it is not valid."""
    for result in Result:
        try:
            value = ORDERS.check(text, result).run(bound(order))
        except Faults:
            continue
        if value.error == "Lists and maps are not compared.":
            return None
        return ERROR if value.failed else value.value
    return None


class Reference:
    """The other implementation, with our functions."""

    def __init__(self) -> None:
        from cel_expr_python import cel

        number, text, items = cel.Type.INT, cel.Type.STRING, cel.Type.List(cel.Type(f"{PACKAGE}.Item"))
        functions = [
            ("money", [[text]], number, literals.amount),
            ("percent", [[number, text]], number, lambda of, rate: _fraction(of, rate)),
            ("round", [[number, number]], number, round_half_up),
            ("min", [[number] * 2, [number] * 3], number, min),
            ("max", [[number] * 2, [number] * 3], number, max),
            ("total", [[items]], number, lambda lines: sum(line.subtotal for line in _plain(lines))),
            ("quantity", [[items]], number, lambda lines: sum(line.quantity for line in _plain(lines))),
            ("approved", [[text]], cel.Type.BOOL, lambda rule: rule == "budget"),
        ]
        self._error = cel.Type.ERROR
        self._environment = cel.NewEnv(
            descriptor_pool.Default(),
            variables={"order": cel.Type(f"{PACKAGE}.Order"), "now": cel.Type.TIMESTAMP},
            functions=[
                cel.FunctionDecl(name, [cel.Overload(f"{name}_{len(taken)}", result, taken, False, call) for taken in overloads])
                for name, overloads, result, call in functions
            ],
        )

    def run(self, text: str, order: Any) -> bool | int | str:
        """What it comes to there; RuntimeError where it is not valid."""
        value = self._environment.compile(text).eval(data=dict(bound(order)))
        return ERROR if value.type() == self._error else value.value()


def _plain(lines: Any) -> list[Any]:
    return [line.plain_value() if hasattr(line, "plain_value") else line for line in lines]


def _fraction(of: int, rate: str) -> int:
    over, under = (literals.rate(rate) or 0).as_integer_ratio()
    return nearest(of * over, under)


def texts(seed: int) -> Iterator[str]:
    """Good ones, bad ones, then without an end."""
    yield from GOOD
    yield from NASTY
    grammar = Grammar(random.Random(seed))
    while True:
        yield grammar.any()


def main(seconds: float, seed: int, write: bool) -> int:
    """0 where both agree on everything."""
    reference, whole, until, kept, differ = Reference(), stated(), time.monotonic() + seconds, {}, 0
    print(f"seed {seed}")  # noqa: T201 - a command
    for text in texts(seed):
        if time.monotonic() > until:
            break
        mine = ours(text, whole)
        if mine is None:
            continue
        try:
            its = reference.run(text, whole)
        except RuntimeError as refused:
            if "recursion depth" in str(refused):
                continue
            its = f"refused: {str(refused).splitlines()[0][:150]}"
        if mine == its and type(mine) is type(its):
            kept[text] = mine
            continue
        differ += 1
        if differ <= 40:
            print(f"{mine!r} here, {its!r} there: {text}")  # noqa: T201 - a command
    print(f"{len(kept)} expressions agree, {differ} differ")  # noqa: T201 - a command
    if write:
        some = sorted(kept, key=lambda text: (kept[text] == ERROR, len(text)))
        chosen = random.Random(seed).sample(some, min(len(some), 400))
        KEPT.write_text(json.dumps({text: kept[text] for text in sorted(chosen)}, indent=0, ensure_ascii=True) + "\n")
    return 1 if differ else 0


if __name__ == "__main__":
    numbers = [argument for argument in sys.argv[1:] if argument != "--write"]
    sys.exit(main(float(numbers[0]), int(numbers[1]) if len(numbers) > 1 else random.randrange(10**6), "--write" in sys.argv))
