"""A watch that goes on where its stream ended."""

from __future__ import annotations

import random
import time

from waybill.order.v1 import order_service_pb2
from waybill_client.errors import WaybillError
from waybill_client.session import is_over

FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0
"""Seconds between two looks for a server."""
ENDED = frozenset({"UNAVAILABLE", "CANCELLED"})
"""How a stream ends with its server; the second when it was cut while its reader was slow."""


class Watch:
    """Where a watch stands, and whether it goes on."""

    def __init__(self, request: order_service_pb2.WatchOrdersRequest, patience: float) -> None:
        self.request = order_service_pb2.WatchOrdersRequest()
        self.request.CopyFrom(request)
        self._patience = patience
        self._lost: float | None = None
        self._wait = FIRST_WAIT
        self._begun = False

    def saw(self, message: order_service_pb2.WatchOrdersResponse) -> None:
        """The next stream begins after this message."""
        self.request.resume_token = message.resume_token
        self.request.from_start = False
        self._begun, self._lost, self._wait = True, None, FIRST_WAIT

    def wait(self, error: WaybillError) -> float:
        """Seconds until the stream is asked for again. Raises the error when that would not help, or has not for long."""
        now = time.monotonic()
        # Whoever can sign in again goes on with a new token; one that ends too, before anything came, is the end.
        over = self._lost is None and is_over(error)
        if self._lost is None:
            self._lost = now
        if (error.code.name not in ENDED and not over) or not self._begun or now - self._lost >= self._patience:
            raise error
        self._wait, wait = min(2 * self._wait, LONGEST_WAIT), self._wait
        return max(random.uniform(wait / 2, wait), error.retry_after_seconds or 0.0)
