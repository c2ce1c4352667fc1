"""What an audit of a context yields: broken invariants, and facts to compare with other contexts."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message


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
class RuleResult:
    """What one rule looked at, and how much of it breaks the rule."""

    rule: str
    rows: int
    broken: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What one context looked at."""

    context: str
    rules: int
    rows: int
    findings: int
    results: Sequence[RuleResult] = field(default=(), compare=False)
    """Every rule of the context once; empty when only facts about named orders were asked for."""


Record = Finding | Fact | Summary
Audit = Callable[[Sequence[str]], AsyncIterator[Record]]
"""An audit of a context. Without order keys: findings, facts about all orders in the order of their keys, the summary.
With order keys: only the facts about those orders, and a summary."""


def summarized(context: str, rows: int, looked_at: Mapping[str, int], findings: Iterable[Finding]) -> Summary:
    """The summary of rules that look at so many rows each."""
    broken: dict[str, int] = {}
    for finding in findings:
        broken[finding.rule] = broken.get(finding.rule, 0) + 1
    results = [RuleResult(rule, count, broken.get(rule, 0)) for rule, count in looked_at.items()]
    return Summary(context, len(results), rows, sum(broken.values()), results)


def digests(message: Message) -> str:
    """What a message says, field by field, short enough to be compared between services: `name:digest` with blanks between.

    Of fields that are not set nothing is said. A list of messages is one field.
    """
    said: list[str] = []
    for field_, value in message.ListFields():
        part = type(message)()
        if field_.is_repeated:
            getattr(part, field_.name).extend(value)
        elif field_.message_type is not None:
            getattr(part, field_.name).CopyFrom(value)
        else:
            setattr(part, field_.name, value)
        digest = hashlib.blake2b(part.SerializeToString(deterministic=True), digest_size=6).hexdigest()
        said.append(f"{field_.name}:{digest}")
    return " ".join(said)


def differing(one: str, other: str) -> list[str]:
    """Fields of which two messages' digests say different things, sorted."""
    return sorted({text.partition(":")[0] for text in {*one.split()} ^ {*other.split()}})
