"""The call that is being served."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from libs.auth import Principal
from libs.errors import Kind, WaybillError
from libs.rpc.fairness.sources import NOWHERE, Source
from waybill.type.v1 import reasons


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls what, and until when."""

    method: str
    request_id: str
    caller: Principal | None
    caller_service: str | None
    deadline: float | None
    """In seconds of the monotonic clock; None for none."""
    source: Source = NOWHERE
    """Where a call of an outside caller comes from."""

    @property
    def principal(self) -> Principal:
        """The caller; raises TOKEN_MISSING when there is none."""
        if self.caller is None:
            raise WaybillError(Kind.UNAUTHENTICATED, reasons.TOKEN_MISSING, "the call carries no token")
        return self.caller

    def remaining(self, most: float | None) -> float | None:
        """Seconds left, at most `most`; None for no end."""
        if self.deadline is None:
            return most
        left = max(0.001, self.deadline - time.monotonic())
        return left if most is None else min(most, left)


CURRENT: ContextVar[Call | None] = ContextVar("call", default=None)
ACTING: ContextVar[Principal | None] = ContextVar("acting", default=None)
"""Whom the service acts for where that is not, or not necessarily, who calls: who began what is gone on with."""


def current() -> Call:
    """The call that is being served; raises outside of one."""
    call = CURRENT.get()
    if call is None:
        raise LookupError("no call is being served")
    return call


def impersonator_id() -> str:
    """The user of the seller who acts in the place of the one that the service acts for; empty for none."""
    call = CURRENT.get()
    who = ACTING.get() or (None if call is None else call.caller)
    return "" if who is None else who.impersonator_id


@contextmanager
def calling_as(principal: Principal) -> Iterator[None]:
    """Within it the call is this caller's: the same one, of whom more is known by now than its token says."""
    token = CURRENT.set(replace(current(), caller=principal))
    try:
        yield
    finally:
        CURRENT.reset(token)
