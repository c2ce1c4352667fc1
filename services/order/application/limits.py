"""How long unfinished work waits for whoever drives it on, how much one look takes, and how long a read waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from libs.service.service_settings import DAY
from libs.service.settings import seconds, setting
from services.order.application.records import CartKind

_LONGEST = 3_650 * DAY


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How long whoever began something has it alone, and when an attempt is over. Times are in seconds."""

    attempt_deadline: float = seconds(
        60.0,
        "How long an attempt to submit or to change an order may stay undecided; then it is refused.",
        at_least=1.0,
        at_most=3_600.0,
    )
    attempt_lease: float = seconds(
        5.0,
        "How long the call that began an attempt has it for itself, before the completer takes it up.",
        at_least=0.1,
        at_most=3_600.0,
        below="attempt_deadline",
    )
    gateway_pause: float = seconds(
        1.0,
        "How long the completer leaves an attempt alone of which a gateway has said nothing yet.",
        at_least=0.1,
        at_most=3_600.0,
        below="attempt_deadline",
    )
    authorize_timeout: float = seconds(
        15.0,
        "How long the call may take by which payments are authorized; longer than payment's gateway_timeout.",
        at_least=0.1,
        at_most=3_600.0,
        below="attempt_deadline",
    )
    command_lease: float = seconds(
        10.0,
        "How long the call that decided a cancel or a hold has it for itself, before the completer takes it up.",
        at_least=0.1,
        at_most=3_600.0,
    )

    @property
    def deadline(self) -> timedelta:
        """From an attempt's beginning."""
        return timedelta(seconds=self.attempt_deadline)

    @property
    def lease(self) -> timedelta:
        """From an attempt's beginning, too."""
        return timedelta(seconds=self.attempt_lease)

    @property
    def again(self) -> timedelta:
        """From an authorization that is not answered to the next."""
        return timedelta(seconds=self.gateway_pause)

    @property
    def command(self) -> timedelta:
        """From the decision of a cancel or a hold."""
        return timedelta(seconds=self.command_lease)


@dataclass(frozen=True, slots=True)
class CompleterLimits:
    """What one look of the completer takes. Times are in seconds."""

    completer_lease: float = seconds(
        10.0, "How long a completer has what it took, before another may take it.", at_least=1.0, at_most=3_600.0
    )
    completer_batch: int = setting(
        20, "Attempts, cancels, holds and captures, of each, that one look of the completer takes.", at_least=1, at_most=1_000
    )

    @property
    def lease(self) -> timedelta:
        """The lease of what is taken."""
        return timedelta(seconds=self.completer_lease)


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How GetOrder waits for a version that is not reported yet, and how a process looks for all that is waited for. Times are in
    seconds."""

    version_wait: float = seconds(10.0, "How long GetOrder waits at most for the version that it is asked for.", at_most=600.0)
    version_pause: float = seconds(
        0.05,
        "Between two looks, at least, while reads wait; then twice as long each time. One look serves all.",
        at_least=0.01,
        at_most=60.0,
        below="version_longest_pause",
    )
    version_longest_pause: float = seconds(0.5, "The longest time between two of them.", at_least=0.02, at_most=60.0)


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How WatchOrders looks at the feed of order events. Times are in seconds."""

    watch_pause: float = seconds(
        0.5,
        "Between two looks at the feed while somebody watches, for what other processes have written; one look serves all.",
        at_least=0.05,
        at_most=60.0,
    )
    watch_quiet: int = setting(
        10, "Pauses without news after which a watch sends a checkpoint, a token to go on from.", at_least=1, at_most=10_000
    )


@dataclass(frozen=True, slots=True)
class CartLimits:
    """How long orders stay that were never submitted and that nobody changes, and how they are swept. Times are in seconds; 0
    for never."""

    empty_cart_age: float = seconds(
        DAY, "After which an order without lines that was never submitted is deleted; 0 for never.", at_most=_LONGEST
    )
    guest_cart_age: float = seconds(
        7 * DAY, "After which a guest's order that was never submitted is deleted; 0 for never.", at_most=_LONGEST
    )
    user_cart_age: float = seconds(
        90 * DAY, "After which a user's order that was never submitted is deleted; 0 for never.", at_most=_LONGEST
    )
    sweep_pause: float = seconds(300.0, "Between two looks for such orders.", at_least=0.05, at_most=DAY)
    sweep_rest: float = seconds(0.2, "Between two batches of one look, so that calls come first.", at_most=60.0)
    sweep_batch: int = setting(50, "Orders that are deleted in one transaction.", at_least=1, at_most=1_000)

    @property
    def ages(self) -> Mapping[CartKind, timedelta]:
        """By kind, from the last change; zero for never."""
        seconds = {CartKind.EMPTY: self.empty_cart_age, CartKind.GUEST: self.guest_cart_age, CartKind.USER: self.user_cart_age}
        return {kind: timedelta(seconds=age) for kind, age in seconds.items()}


DEFAULT = CompleterLimits()
DEFAULT_CARTS = CartLimits()
DEFAULT_ATTEMPTS = AttemptLimits()
DEFAULT_READS = ReadLimits()
DEFAULT_WATCH = WatchLimits()
