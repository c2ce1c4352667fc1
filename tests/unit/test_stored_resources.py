"""A stored row of a resource is sound when a request could have left it as it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from libs.identify import folded
from libs.resource.database.invariants import Stored, wrong
from services.directory.adapters.db.resources import USER
from services.pricing.adapters.db.tables import TAX_RATE

NOW = datetime(2026, 1, 1, tzinfo=UTC)
USERS = Stored(USER, {"username_key": lambda row: folded(row["username"])})


def user(**values: Any) -> dict[str, Any]:
    texts = dict.fromkeys(("first_name", "last_name", "email", "phone"), "")
    row = {"id": "ada", "party": "BUYER:acme", "username": "Ada", "username_key": "ada", "active": True, "roles": ["Shopper"]}
    return {**row, **texts, "xp": {}, "version": 1, "create_time": NOW, "update_time": NOW, **values}


def tax_rate(**values: Any) -> dict[str, Any]:
    row = {"id": "tax-ca", "name": "", "country": "US", "region": "CA", "postal_prefix": "", "tax_class": "standard"}
    times = {"start_time": None, "end_time": None, "create_time": NOW, "update_time": NOW}
    return {**row, "rate": "0.0725", **times, "xp": {}, "version": 1, **values}


def test_a_row_that_a_request_left_is_sound() -> None:
    assert wrong(USERS, user()) == []
    assert wrong(Stored(TAX_RATE), tax_rate()) == []


@pytest.mark.parametrize(
    "values",
    [{"username_key": "Ada"}, {"username_key": None}, {"roles": ["Emperor"]}, {"username": " Ada "}, {"party": "BUYER:"}],
    ids=str,
)
def test_a_user_whom_no_request_makes_is_reported_with_the_column(values: dict[str, Any]) -> None:
    assert set(values) <= set(wrong(USERS, user(**values)))


@pytest.mark.parametrize(
    "values",
    [
        {"country": "ZZ"},
        {"tax_class": "STANDARD"},
        {"tax_class": ""},
        {"postal_prefix": "94-1"},
        {"rate": "1.5"},
        {"start_time": NOW, "end_time": NOW},
    ],
    ids=str,
)
def test_a_tax_rate_that_no_request_makes_is_reported_with_the_column(values: dict[str, Any]) -> None:
    assert set(wrong(Stored(TAX_RATE), tax_rate(**values))) & set(values)


def test_what_cannot_be_put_into_a_message_is_reported_as_a_whole() -> None:
    assert wrong(Stored(TAX_RATE), tax_rate(rate="much")) == ["row"]
