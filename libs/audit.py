"""What an audit of a context yields: broken invariants, and facts to compare with other contexts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that does not hold."""

    context: str
    rule: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement about one order as one context knows it."""

    context: str
    kind: str
    order_key: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Summary:
    """What one context looked at."""

    context: str
    rules: int
    rows: int
    findings: int


Record = Finding | Fact | Summary
