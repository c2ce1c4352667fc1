"""Where a story plays: a marketplace that was set up, and whoever comes in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.host.check.report import Report
from services.host.demo.narrator import Narrator
from services.host.sample.parties import People
from waybill_client import AsyncWaybill


@dataclass(frozen=True, slots=True)
class Stage:
    """A marketplace with its people."""

    people: People
    address: str
    servers: Sequence[str] = ()
    """Those that are inspected at the end; the client's own when none is named."""
    advance: Callable[[timedelta], Awaitable[None]] | None = None
    """Moves the clock of the marketplace on; absent where its time cannot be moved. Who signs in afterwards is not let in until
    the machine's clock gets there, so that everyone has to have done so before."""

    @property
    def owner(self) -> AsyncWaybill:
        """The owner of the marketplace."""
        return self.people.owner

    def guest(self, client_id: str) -> AsyncWaybill:
        """Somebody without a name."""
        return AsyncWaybill(self.address, client_id, guest=True, addresses=self.people.addresses)

    def person(self, client_id: str, username: str, password: str) -> AsyncWaybill:
        """Somebody who signs in."""
        return AsyncWaybill(self.address, client_id, username=username, password=password, addresses=self.people.addresses)

    async def later(self, by: timedelta, narrator: Narrator) -> None:
        """So much time passes in the marketplace: its clock is moved on, or else everybody waits."""
        seconds = int(by.total_seconds())
        if self.advance is not None:
            narrator.line("waybill", f"moves the clock of this marketplace, which is the demo's own, {seconds} seconds on")
            await self.advance(by)
            return
        narrator.line("waybill", f"waits for {seconds} seconds: this marketplace goes by a clock that is not the demo's to move")
        await narrator.wait(seconds)


def checked(report: Report, narrator: Narrator) -> dict[str, Any]:
    """What a check found, shown and as data."""
    narrator.end(
        f"[bold green]invariants OK[/bold green]  {report.rules} rules over {report.rows} rows"
        if report.ok
        else "\n".join(f"[red]{f.rule}[/red] {f.subject}: {f.detail}" for f in report.findings)
    )
    return {
        "ok": report.ok,
        "rules": report.rules,
        "rows": report.rows,
        "findings": [{"rule": f.rule, "subject": f.subject, "detail": f.detail} for f in report.findings],
    }
