"""What each of many may still do, where an allowance fills up again with time."""

from __future__ import annotations

from collections import OrderedDict


class Allowances:
    """An allowance by name, in the memory of one process. Who is not remembered has all of it."""

    def __init__(self, most: float, per_second: float, remembered: int) -> None:
        """`most` is a full one, which fills up by `per_second`. So many are `remembered`; the one that was noted longest ago is
        forgotten first."""
        self._most = most
        self._per_second = per_second
        self._remembered = remembered
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By name: how much is spent, and when that was so."""

    def __len__(self) -> int:
        return len(self._spent)

    def left(self, name: str, now: float) -> float:
        """What is left at this time, in seconds of any clock; below zero where it is overdrawn. Whose is full is forgotten."""
        return self._most - self._spent_of(name, now)

    def spend(self, name: str, amount: float, now: float) -> None:
        """Takes so much, also more than is left: then it takes longer to fill up. Nothing is taken too, to be remembered."""
        self._spent[name] = (self._spent_of(name, now) + amount, now)
        self._spent.move_to_end(name)
        if len(self._spent) > self._remembered:
            self._spent.popitem(last=False)

    def _spent_of(self, name: str, now: float) -> float:
        spent, at = self._spent.get(name, (0.0, now))
        spent -= (now - at) * self._per_second
        if spent > 0:
            return spent
        self._spent.pop(name, None)
        return 0.0
