"""Which rule of `waybill check` watches which stored column, and which columns are free, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Free:
    """A column that no rule watches: nothing else states what it holds, or nothing depends on it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Watched:
    """A column whose value follows from something else that is stored. A rule that reads both reports when it does not."""

    rules: frozenset[str]
    """Any of them may report it: which one does depends on the row."""


Columns = Mapping[str, Watched | Free]


@dataclass(frozen=True, slots=True)
class Watch:
    """What watches one table."""

    columns: Columns
    deleted: Watched | Free
    """What reports that a row is gone."""


Register = Mapping[sa.Table, Watch]
"""Every table of a service."""


def by(rules: str) -> Watched:
    """Watched by rules, whose names stand with blanks between them."""
    return Watched(frozenset(rules.split()))


def all_by(rules: str, names: str) -> dict[str, Watched | Free]:
    """Columns that the same rules watch."""
    return {name: by(rules) for name in names.split()}


def all_free(reason: str, names: str) -> dict[str, Watched | Free]:
    """Columns that are free for the same reason."""
    return {name: Free(reason) for name in names.split()}


def rules_of(register: Register) -> set[str]:
    """Every rule that it names."""
    said = [one for watch in register.values() for one in (*watch.columns.values(), watch.deleted)]
    return {rule for one in said if isinstance(one, Watched) for rule in one.rules}


OUTBOX: Columns = {
    **all_free("when and how often a change is sent; `waybill outbox` shows it", "report_tries report_lease report_error"),
    **all_free("when it is sent again: a change whose time is lost breaks the rule of its version", "report_time"),
    **all_free("when it was set aside; `waybill check` lists what is parked", "report_parked_time"),
}
"""Columns of an outbox, apart from the version that was reported."""
FAILURES: Columns = all_free("how often work on it failed in a row: `waybill check` lists what is stuck", "failures failure")
"""Columns of rows that background work takes up again and again."""
CHANGES = Watch(
    all_free(
        "what the feed of changes says of a version that its own row holds, and of who made it",
        "id xact resource resource_id version method client_id actor impersonator request_id time body",
    ),
    Free("changes are forgotten after 30 days"),
)
"""The feed of changes."""
AUDIT = Watch(
    all_free(
        "what the log of administrative acts says of who did what, which is stated nowhere else",
        "id time action method resource resource_id fields user_id party impersonator_id client_id request_id",
    ),
    Free("acts are forgotten after 400 days"),
)
"""The log of administrative acts."""
CHANGE_FEED = Watch(
    all_free("the switch of the feed, and where it begins", "number enabled epoch before_id lost_xact lost_id"),
    Free("without it the feed is on, in its first epoch: positions of another are refused"),
)
"""The state of that feed."""
DELETED = Watch(
    all_free("keeps the id of what was deleted taken for 30 days: nothing else states that it was there", "kind id delete_time"),
    Free("ids are free again after 30 days"),
)
"""The table of deleted ids."""
REQUESTS = Watch(
    {
        "outcome": by("request_has_its_effect"),
        **all_free("whose request it was and what it said: kept for 30 days to know its repeat", "company user_id digest"),
        **all_free("kept for 30 days to know its repeat", "method request_id create_time"),
    },
    Free("outcomes are forgotten after 30 days"),
)
"""The table of recorded outcomes, which every service has."""
