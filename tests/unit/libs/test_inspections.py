"""Inspections that meet what they cannot make sense of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from libs.db.invariants import in_parts, readable
from libs.db.refusals import unavailable
from libs.errors import Kind, WaybillError, invalid
from libs.invariants import ENDED, UNREADABLE, Finding, Record, RuleResult, Summary, unreadable, with_summary

KEYS = [f"k{n}" for n in range(10)]


def reading(*bad: str, error: Callable[[str], Exception] = ValueError, asked: list[int] | None = None):  # type: ignore[no-untyped-def]
    async def read(keys: Sequence[str]) -> list[str]:
        if asked is not None:
            asked.append(len(keys))
        for key in keys:
            if key in bad:
                raise error(f"no value {key}")
        return [key.upper() for key in keys]

    return read


async def read(*bad: str, error: Callable[[str], Exception] = ValueError) -> list[str | Finding]:
    return [one async for one in readable("echo", "order", KEYS, reading(*bad, error=error))]


async def test_what_can_be_read_is_read_at_once() -> None:
    asked: list[int] = []
    assert [one async for one in readable("echo", "order", KEYS, reading(asked=asked))] == [k.upper() for k in KEYS]
    assert asked == [10]


async def test_only_what_cannot_be_read_is_named_and_the_rest_keeps_its_order() -> None:
    found = await read("k0", "k4", "k9")
    assert [one for one in found if isinstance(one, str)] == [k.upper() for k in KEYS if k not in ("k0", "k4", "k9")]
    assert [one for one in found if isinstance(one, Finding)] == [
        Finding("echo", UNREADABLE, f"order {key}", f"ValueError: no value {key}") for key in ("k0", "k4", "k9")
    ]
    assert [type(one) for one in found] == [Finding, *[str] * 3, Finding, *[str] * 4, Finding]


async def test_a_value_that_a_contract_refuses_is_reported_like_any_other() -> None:
    (found,) = (one for one in await read("k1", error=lambda text: invalid("x", "Y", text)) if isinstance(one, Finding))
    assert found.subject == "order k1"


async def test_a_database_that_does_not_answer_is_no_finding() -> None:
    with pytest.raises(WaybillError) as caught:
        await read("k1", error=lambda _: unavailable())
    assert caught.value.kind is Kind.UNAVAILABLE


async def test_a_part_that_fails_hinders_no_other() -> None:
    async def fails() -> AsyncIterator[Finding | RuleResult]:
        yield RuleResult("one", 1)
        raise KeyError("NO_SUCH_VALUE")

    async def goes() -> AsyncIterator[Finding | RuleResult]:
        yield RuleResult("two", 2)

    records = [record async for record in in_parts("echo", stock=fails(), books=goes())]
    assert records == [
        RuleResult("one", 1),
        Finding("echo", UNREADABLE, "all that is looked at for stock", "KeyError: 'NO_SUCH_VALUE'"),
        RuleResult("two", 2),
    ]


async def ended(*records: Record, error: Exception | None = None) -> list[Record]:
    async def inspection() -> AsyncIterator[Record]:
        for record in records:
            yield record
        if error is not None:
            raise error

    return [record async for record in with_summary("echo", inspection())]


async def test_an_inspection_that_fails_is_a_finding_and_has_a_summary() -> None:
    *found, summary = await ended(Finding("echo", "rule", "s", "d"), error=KeyError("x"))
    assert found == [Finding("echo", "rule", "s", "d"), Finding("echo", UNREADABLE, ENDED, "KeyError: 'x'")]
    assert summary == Summary("echo", 1, 0, 1)


async def test_what_several_rules_cannot_read_is_reported_once_and_counted() -> None:
    row = unreadable("echo", "order k1", ValueError("no"))
    *found, summary = await ended(row, row, Summary("echo", 2, 5, 0, [RuleResult("rule", 5)]))
    assert found == [row]
    assert isinstance(summary, Summary)
    assert (summary.rules, summary.findings) == (3, 1)
    assert summary.results == (RuleResult("rule", 5), RuleResult(UNREADABLE, 1, 1))


async def test_a_service_that_does_not_answer_ends_its_inspection() -> None:
    with pytest.raises(WaybillError):
        await ended(error=unavailable())
