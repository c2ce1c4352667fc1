"""What an inspection of a context yields: broken invariants, and facts to compare with other contexts."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from google.protobuf.message import Message

from libs.errors import Kind, WaybillError

UNREADABLE = "rows_can_be_read"
"""The rule of what is stored and cannot be made sense of at all. It is only listed when it is broken."""
ENDED = "the inspection, which ends here"
"""Subject of what an inspection as a whole has failed by: a last resort, since its parts go on without what they cannot read."""
MOST = 200
"""Characters of an error that a finding shows at most."""


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
Inspection = Callable[[Sequence[str]], AsyncIterator[Record]]
"""An inspection of a context. Without order keys: findings, facts about all orders in the order of their keys, the summary.
With order keys: only the facts about those orders, and a summary."""


def summarized(context: str, rows: int, looked_at: Mapping[str, int], findings: Iterable[Finding]) -> Summary:
    """The summary of rules that look at so many rows each; findings of other rules are not counted."""
    broken: dict[str, int] = dict.fromkeys(looked_at, 0)
    for finding in findings:
        if finding.rule in broken:
            broken[finding.rule] += 1
    results = [RuleResult(rule, count, broken[rule]) for rule, count in looked_at.items()]
    return Summary(context, len(results), rows, sum(broken.values()), results)


def why(error: Exception) -> str:
    """What something stored could not be made sense of by.

    Raises the error again when it says nothing of what is stored: when something that is needed does not answer.
    """
    if isinstance(error, WaybillError) and error.kind is Kind.UNAVAILABLE:
        raise error
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:MOST]


def unreadable(context: str, subject: str, error: Exception) -> Finding:
    """The finding about something stored that cannot be made sense of."""
    return Finding(context, UNREADABLE, subject, why(error))


async def with_summary(context: str, records: AsyncIterator[Record]) -> AsyncIterator[Record]:
    """The records of an inspection, and its summary however it ends: what it fails by is a finding.

    What cannot be read is one finding, though several rules may have stumbled over it.
    """
    unread: dict[Finding, None] = {}
    summary = Summary(context, 0, 0, 0)
    try:
        async for record in records:
            if isinstance(record, Summary):
                summary = record
            elif not isinstance(record, Finding) or record.rule != UNREADABLE:
                yield record
            elif record not in unread:
                unread[record] = None
                yield record
    except Exception as error:
        found = unreadable(context, ENDED, error)
        unread[found] = None
        yield found
    yield _with_unread(summary, len(unread))


def _with_unread(summary: Summary, count: int) -> Summary:
    if not count:
        return summary
    results = (*summary.results, RuleResult(UNREADABLE, count, count))
    return replace(summary, rules=summary.rules + 1, findings=summary.findings + count, results=results)


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
