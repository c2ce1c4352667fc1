"""What an inspection found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from services.host.check.failing import Failing
from services.host.check.parked import Parked
from services.host.check.subjects import Kind
from waybill.inspection.v1 import inspection_service_pb2 as pb


@dataclass(slots=True)
class Result:
    """What one rule looked at, and how much of it breaks the rule."""

    context: str
    rule: str
    rows: int
    broken: int = 0


@dataclass(slots=True)
class Report:
    """What an inspection found."""

    results: list[Result] = field(default_factory=list)
    findings: list[pb.Finding] = field(default_factory=list)
    in_motion: list[str] = field(default_factory=list)
    """Orders whose contexts differed at every look while a submit, cancel, report or payment was under way."""
    under_way: Counter[Kind] = field(default_factory=Counter)
    """Work that was not at its end at the first look, by kind, whether or not contexts differed because of it."""
    parked: list[Parked] = field(default_factory=list)
    """Changes that wait for an operator: no invariant is broken by them, but the other service does not know."""
    failing: list[Failing] = field(default_factory=list)
    """Work that fails again and again; it waits longer each time, and goes on by itself once its cause is mended."""
    rows: int = 0
    contexts: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Contexts that no server hosts: nothing is said of their books."""

    @property
    def ok(self) -> bool:
        """Whether every invariant holds."""
        return not self.findings

    @property
    def waits(self) -> bool:
        """Whether something does not move on before somebody has looked."""
        return bool(self.parked or self.failing)

    @property
    def rules(self) -> int:
        """How many rules were looked at."""
        return len(self.results)
