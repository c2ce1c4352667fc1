"""What a service is to the process that hosts it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from libs.clock import Clock
from libs.failpoints import Failpoints
from libs.ids import IdSource
from libs.invariants import Inspection, Record, Summary, with_summary
from libs.service.loops import Loop

if TYPE_CHECKING:
    from libs.audit.entry import AuditLog
    from libs.auth import Principal
    from libs.auth.keys import KeyChanges
    from libs.db import Database
    from libs.obs.metrics import Reading
    from libs.relay.change import ChangeFeed
    from libs.relay.marks import Outbox
    from libs.rpc.peers import Peers


@dataclass(frozen=True, slots=True)
class Runtime:
    """The ports that every service is built with."""

    clock: Clock
    ids: IdSource
    peers: Peers
    failpoints: Failpoints
    verify: Callable[[str], Awaitable[Principal]]
    """Who a user's token is of, as the callers' own are verified. Raises UNAUTHENTICATED where it does not hold."""


async def _nothing() -> None:
    return None


@dataclass(slots=True)
class ServiceApp:
    """A built service: what it serves, what runs beside, how it ends."""

    name: str
    registrations: list[tuple[Callable[[Any, Any], None], Any, str]]
    """(add_XServicer_to_server, servicer, full service name)."""
    background: list[Loop] = field(default_factory=list)
    """What is looked at again and again, beside the calls."""
    close: Callable[[], Awaitable[None]] = _nothing
    inspection: Inspection | None = None
    statements: Callable[[], int] = lambda: 0
    """SQL statements sent so far."""
    database: Database | None = None
    """What it cannot serve without."""
    gauges: Callable[[], Awaitable[Sequence[Reading]]] | None = None
    """Numbers that only its database knows; a few cheap statements."""

    outbox: Outbox | None = None
    """Changes that other services have not acknowledged, for operators."""
    audit: AuditLog | None = None
    """Administrative acts."""
    changes: ChangeFeed | None = None
    """Everything that it has changed, in the order of commits."""
    key_changes: KeyChanges | None = None
    """Whoever verifies tokens in the same process listens here, where the service has their keys."""

    async def inspected(self, order_keys: Sequence[str] = ()) -> AsyncIterator[Record]:
        """The service's own inspection, or an empty one; what it cannot read is a finding.

        With order keys only what it states about those orders.
        """
        if self.inspection is None:
            yield Summary(self.name, 0, 0, 0)
            return
        async for record in with_summary(self.name, self.inspection(order_keys)):
            yield record
