"""Failed sign-ins are counted per client and user name, in the memory of this process."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

from libs.clock import Clock
from libs.errors import Kind, WaybillError
from waybill.directory.v1 import reasons


class Throttle:
    """Refuses after so many failures within the window."""

    def __init__(self, clock: Clock, limit: int, window: timedelta, names: int) -> None:
        """`names` are remembered; the one that failed longest ago is forgotten first."""
        self._clock = clock
        self._limit = limit
        self._window = window
        self._names = names
        self._failures: OrderedDict[tuple[str, str], deque[datetime]] = OrderedDict()

    def check(self, client_id: str, name: str) -> None:
        """Raises TOO_MANY_ATTEMPTS, and says how long to wait.

        To be asked before a secret is checked, and again before the result is answered: of many attempts at the same time
        no more may be answered than of many in a row.
        """
        failures = self._failures.get((client_id, name))
        if failures is None or len(failures) < self._limit:
            return
        left = failures[0] + self._window - self._clock.now()
        if left > timedelta(0):
            raise WaybillError(
                Kind.EXHAUSTED, reasons.TOO_MANY_ATTEMPTS, "too many failed attempts: wait a while", retry_after=left
            )

    def failed(self, client_id: str, name: str) -> None:
        """Counts a failure."""
        failures = self._failures.setdefault((client_id, name), deque(maxlen=self._limit))
        failures.append(self._clock.now())
        self._failures.move_to_end((client_id, name))
        if len(self._failures) > self._names:
            self._failures.popitem(last=False)
