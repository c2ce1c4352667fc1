"""Ids and user names are unique in the whole marketplace, so who creates something learns whether its id is taken, by whomever.
How much of that one user learns is limited here, in the memory of one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from libs.auth import Principal
from libs.errors import Kind, WaybillError
from libs.rpc.fairness.allowances import Allowances
from waybill.type.v1 import reasons

IDS = frozenset({reasons.RESOURCE_EXISTS, reasons.ID_OF_DELETED})
NAME = "_TAKEN"
"""How reasons end that say so of a name, as USERNAME_TAKEN of the directory does."""
HOUR = 3_600.0
USERS = 50_000
"""That many are remembered; the one that was answered so longest ago is forgotten first."""


class Guesses:
    """An allowance for each user, which fills up again within an hour. It may be overdrawn by one call, and then takes longer."""

    def __init__(self, per_hour: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most = per_hour
        self._now = now
        self._allowances = Allowances(per_hour, per_hour / HOUR, USERS)
        self._methods: set[str] = set()
        """Those that have ever answered that something is taken."""

    def __len__(self) -> int:
        return len(self._allowances)

    def require(self, method: str, caller: Principal | None) -> None:
        """Raises TOO_MANY_TAKEN for a user whose allowance is spent, before a method of this sort looks at anything.

        The seller's users read all there is, so there is nothing to be learned.
        """
        if caller is None or method not in self._methods:
            return
        lacking = 1 - self._allowances.left(caller.identity, self._now())
        if lacking > 0:
            raise WaybillError(
                Kind.EXHAUSTED,
                reasons.TOO_MANY_TAKEN,
                f"too many ids or names that are taken: {self._most} in an hour",
                metadata={"limit": "user"},
                retry_after=timedelta(seconds=lacking * HOUR / self._most),
            )

    def note(self, method: str, caller: Principal | None, error: WaybillError) -> None:
        """Counts what an answer has said to be taken."""
        found = sum(_taken(field.reason) for field in error.fields) or int(_taken(error.reason))
        if not found:
            return
        self._methods.add(method)
        if caller is not None and not caller.is_seller:
            self._allowances.spend(caller.identity, found, self._now())


def _taken(reason: str) -> bool:
    """Whether a reason says that an id or a name is taken."""
    return reason in IDS or (reason.endswith(NAME) and reason != reasons.TOO_MANY_TAKEN)
