"""`waybill check` finds every corruption, and names it and its subject."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.db.watched import rules_of
from services.host.check import Report, check
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from tests.e2e.corruptions import fulfillment, order, payment, setup
from tests.e2e.corruptions.books import Books, Corruption, books
from tests.e2e.corruptions.test_walk import SERVICES
from tests.support.prepared import Prepared
from tests.support.tampering import tampered
from waybill_client import AsyncWaybill

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
TABLE: list[Corruption] = [*setup.CORRUPTIONS, *order.CORRUPTIONS, *payment.CORRUPTIONS, *fulfillment.CORRUPTIONS]


async def test_no_rule_exists_that_cannot_fail(tmp_path: Path) -> None:
    async with running(HostSettings(data=tmp_path, background=False)) as host:
        assert host.secret is not None
        async with AsyncWaybill(host.address, host.secret.client_id, host.secret.client_secret) as owner:
            report = await check(owner)
    assert report.ok
    rules = {(r.context, r.rule) for r in report.results}
    broken = {(c.context, c.rule) for c in TABLE}
    watching = set().union(*(rules_of(register) for register, _ in SERVICES.values()))
    assert broken <= rules
    assert sorted(watching - {rule for _, rule in rules}) == []
    assert sorted(rule for context, rule in rules - broken if rule not in watching) == []
    assert sorted(rule for _, rule in rules if f"`{rule}`" not in OPERATIONS.read_text()) == []


@pytest.mark.on_sqlite
@pytest.mark.timeout(300)
@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.long), 12], ids=["all", "a sample"])
async def test_every_corruption_is_found_and_named(tmp_path: Path, prepared: Prepared, every: int) -> None:
    async with books(tmp_path, prepared) as made:
        sound = await check(made.market.people.owner, pause=0.01)
        assert _found(sound) == set()
        # Every rule has something to look at.
        assert [r.rule for r in sound.results if not r.rows] == []
        wrong = [(c.context, c.rule, fault) for c in TABLE[::every] if (fault := await _judged(made, c))]
        assert wrong == []
        assert (await check(made.market.people.owner, pause=0.01)).ok


def _found(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


async def _judged(made: Books, corruption: Corruption) -> str:
    """What the check says of it that it should not, or does not say."""
    async with tampered(made.database(corruption.database), await corruption.statements(made)):
        report = await check(made.market.people.owner, pause=0.01)
    expected = {corruption.rule, *corruption.also}
    if not expected <= _found(report) or report.in_motion:
        return f"found {sorted(_found(report))}, not {sorted(expected)}; in motion {report.in_motion}"
    mine = [f for f in report.findings if (f.context, f.rule) == (corruption.context, corruption.rule)]
    if not any(corruption.subject in f.subject for f in mine):
        return f"names {[f.subject for f in mine]}, not {corruption.subject}"
    counted = sum(r.broken for r in report.results if (r.context, r.rule) == (corruption.context, corruption.rule))
    return "" if counted == len(mine) else f"counts {counted}, names {len(mine)}"
