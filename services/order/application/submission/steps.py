"""What every coordinator of steps in several services works with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from libs.auth import Principal
from libs.clock import Clock
from libs.failpoints import Failpoints
from libs.service.loops import Tries
from services.order.application.limits import DEFAULT_ATTEMPTS, AttemptLimits
from services.order.application.progress.report_fulfillment import ReportFulfillment

Acting = Callable[[Principal], AbstractContextManager[None]]
"""Makes the calls of a block in the name of a caller."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How steps are taken, whichever they are: in whose name, by which clock, and what becomes of their answers."""

    reports: ReportFulfillment
    """Takes in what a step of fulfillment brings back."""
    clock: Clock
    failpoints: Failpoints
    acting: Acting
    retries: Tries
    """Notes attempts whose confirm or release has failed, by order and number."""
    limits: AttemptLimits = DEFAULT_ATTEMPTS
