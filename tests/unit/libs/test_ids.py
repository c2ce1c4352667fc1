from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from libs.clock import ManualClock, SystemClock
from libs.ids import RandomIds, SequentialIds, new_id, new_key, valid_id


def test_a_key_is_a_version_7_uuid_and_keys_are_in_the_order_of_their_making() -> None:
    keys = [new_key() for _ in range(2_000)]
    assert {key.version for key in keys} == {7}
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_a_public_id_is_its_prefix_and_26_characters_in_time_order() -> None:
    ids = [new_id("ord") for _ in range(2_000)]
    assert all(id.startswith("ord_") and len(id) == 30 and id == id.lower() and valid_id(id) for id in ids)
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("id", ["a", "PO9123", "a-b_C", "x" * 100])
def test_these_are_ids(id: str) -> None:
    assert valid_id(id)


@pytest.mark.parametrize("id", ["", " ", "a b", "x" * 101, "a\n", "a\x00", "é", "a/b", "a.b", "١"])
def test_these_are_none(id: str) -> None:
    assert not valid_id(id)


def test_sequential_ids_are_predictable() -> None:
    ids = SequentialIds()
    assert (ids.public("ord"), ids.key(), ids.public("shp")) == ("ord_1", uuid.UUID(int=2), "shp_3")
    assert RandomIds().public("ord") != RandomIds().public("ord")
    assert RandomIds().key() != RandomIds().key()


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock.now() == clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    clock.advance(timedelta(days=1))
    assert clock.now() == datetime(2026, 1, 2, tzinfo=UTC)


def test_the_systems_clock_is_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
