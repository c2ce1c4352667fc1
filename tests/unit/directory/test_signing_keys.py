"""The life of a key: which signs, which verify, and what rotation and withdrawal change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.directory.domain.tokens.signing_keys import (
    LAST_TOKEN,
    KeyState,
    SigningKey,
    published,
    rotated,
    signing,
    state_of,
    withdrawn,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEAD = timedelta(minutes=1)
FIRST = SigningKey("k0", NOW - timedelta(days=1), NOW - timedelta(days=1))


def after(keys: list[SigningKey], changes: list[SigningKey]) -> list[SigningKey]:
    """The keys with the changes laid over them."""
    return list({**{key.kid: key for key in keys}, **{key.kid: key for key in changes}}.values())


def states(keys: list[SigningKey], now: datetime) -> dict[str, KeyState]:
    return {key.kid: state_of(key, keys, now) for key in keys}


def test_a_new_key_is_published_then_signs_while_the_former_verifies_and_retires():
    keys = after([FIRST], rotated([FIRST], "k1", NOW, LEAD))
    sign = NOW + LEAD
    assert states(keys, NOW) == {"k0": KeyState.SIGNING, "k1": KeyState.PUBLISHED}
    assert states(keys, sign - timedelta(microseconds=1)) == {"k0": KeyState.SIGNING, "k1": KeyState.PUBLISHED}
    assert states(keys, sign) == {"k0": KeyState.VERIFYING, "k1": KeyState.SIGNING}
    assert states(keys, sign + LAST_TOKEN - timedelta(microseconds=1))["k0"] is KeyState.VERIFYING
    assert states(keys, sign + LAST_TOKEN) == {"k0": KeyState.RETIRED, "k1": KeyState.SIGNING}


def test_by_a_clock_that_is_behind_the_first_key_signs():
    keys = after([FIRST], rotated([FIRST], "k1", NOW, LEAD))
    early = FIRST.sign_time - timedelta(hours=1)
    assert states(keys, early) == {"k0": KeyState.SIGNING, "k1": KeyState.PUBLISHED}
    assert [key.kid for key in (signing(keys, early), published(keys, early)) if key] == ["k0", "k1"]


def test_without_a_successor_a_withdrawn_signing_key_is_followed_by_a_new_one_at_once():
    keys = after([FIRST], withdrawn([FIRST], FIRST, "k1", NOW))
    assert states(keys, NOW) == {"k0": KeyState.WITHDRAWN, "k1": KeyState.SIGNING}


def test_a_published_key_signs_at_once_when_the_one_before_it_is_withdrawn():
    keys = after([FIRST], rotated([FIRST], "k1", NOW, LEAD))
    later = NOW + timedelta(seconds=5)
    keys = after(keys, withdrawn(keys, next(key for key in keys if key.kid == "k0"), "k2", later))
    assert states(keys, later) == {"k0": KeyState.WITHDRAWN, "k1": KeyState.SIGNING}


def test_without_the_published_key_the_one_that_signs_goes_on():
    keys = after([FIRST], rotated([FIRST], "k1", NOW, LEAD))
    keys = after(keys, withdrawn(keys, keys[-1], "k2", NOW))
    assert states(keys, NOW + LEAD + LAST_TOKEN) == {"k0": KeyState.SIGNING, "k1": KeyState.WITHDRAWN}


def test_a_verifying_key_is_withdrawn_alone():
    keys = after([FIRST], rotated([FIRST], "k1", NOW, LEAD))
    former = next(key for key in keys if key.kid == "k0")
    assert withdrawn(keys, former, "k2", NOW + LEAD) == [replace(former, withdraw_time=NOW + LEAD)]


@pytest.mark.parametrize("end", [{"retire_time": NOW}, {"withdraw_time": NOW}])
def test_a_key_that_has_ended_stays_what_it_is(end):
    ended = replace(FIRST, kid="old", **end)
    assert withdrawn([FIRST, ended], ended, "k2", NOW) == []


@given(st.lists(st.tuples(st.sampled_from(["rotate", "withdraw"]), st.integers(0, 9), st.integers(0, 900)), max_size=12))
def test_after_whatever_is_done_one_key_signs_and_none_comes_back(steps):
    keys, now = [FIRST], NOW
    ended: set[str] = set()
    for number, (what, choice, minutes) in enumerate(steps, 1):
        now += timedelta(minutes=minutes)
        if what == "withdraw":
            keys = after(keys, withdrawn(keys, keys[choice % len(keys)], f"k{number}", now))
        elif published(keys, now) is None:
            keys = after(keys, rotated(keys, f"k{number}", now, LEAD))
        found = states(keys, now)
        assert list(found.values()).count(KeyState.SIGNING) == 1
        assert list(found.values()).count(KeyState.PUBLISHED) <= 1
        assert all(found[kid] in (KeyState.RETIRED, KeyState.WITHDRAWN) for kid in ended)
        ended = {kid for kid, state in found.items() if state in (KeyState.RETIRED, KeyState.WITHDRAWN)}
        assert signing(keys, now + timedelta(days=9)) is not None
