"""Who has to wait after failed sign-ins, and who has not."""

from datetime import timedelta

import pytest

from libs.errors import Kind
from services.directory.application.tokens.throttle import Origin
from tests.unit.directory.sign_in_world import AWAY, LIMIT, WINDOW, Secrets, World, refused


@pytest.fixture
def world():
    return World()


async def test_the_eleventh_failure_within_a_minute_must_wait(world):
    for i in range(LIMIT):
        # Case makes no new name.
        await refused(world.password(name="ANNA" if i % 2 else "anna", password="guess"))
        world.clock.advance(timedelta(seconds=2))
    error = await refused(world.password())
    assert (error.kind, error.reason) == (Kind.EXHAUSTED, "TOO_MANY_ATTEMPTS")
    assert error.retry_after == timedelta(seconds=40)
    assert (await refused(world.password(name="bob"))).reason == "GRANT_INVALID"
    assert (await world.credentials()).roles
    world.clock.advance(timedelta(seconds=40))
    assert (await world.password()).roles


async def test_of_attempts_at_the_same_time_no_more_are_answered(world):
    class Slow(Secrets):
        """While this one is checked, ten others fail."""

        async def verify(self, hashed, secret, source=""):
            if not self.checks:
                self.checks += 1
                for _ in range(LIMIT):
                    await refused(world.password(password="guess"))
            return await super().verify(hashed, secret)

    world.issue._secrets = Slow()
    assert (await refused(world.password())).reason == "TOO_MANY_ATTEMPTS"
    # An eleventh wrong one is answered like all that come too late.
    world.clock.advance(WINDOW)
    world.issue._secrets = Slow()
    assert (await refused(world.password(password="guess"))).reason == "TOO_MANY_ATTEMPTS"


async def guess(world, count, **more):
    for _ in range(count):
        assert (await refused(world.password(**{"password": "guess", **more}))).reason == "GRANT_INVALID"


async def limit(attempt):
    error = await refused(attempt)
    assert (error.kind, error.reason) == (Kind.EXHAUSTED, "TOO_MANY_ATTEMPTS")
    assert timedelta(0) < error.retry_after <= WINDOW
    return error.metadata["limit"]


async def test_wrong_passwords_from_elsewhere_lock_nobody_out(world):
    await guess(world, LIMIT, origin=AWAY)
    assert await limit(world.password(origin=AWAY)) == "user"
    assert (await world.password()).token


async def test_the_log_of_acts_says_once_a_window_who_begins_to_be_refused(world):
    noted = world.sign_ins.refusing
    for times in (1, 2):
        await guess(world, LIMIT - 1)
        assert len(noted) == times - 1
        await guess(world, 1)
        for _ in range(LIMIT):
            await limit(world.password())
        assert noted == ["user anna from 203.0.113.9"] * times
        world.clock.advance(WINDOW)


async def test_the_log_of_acts_names_who_there_is_and_never_what_was_typed_in(world):
    noted = world.sign_ins.refusing
    for _ in range(LIMIT):
        await refused(world.password(name="my secret passphrase"))
        await refused(world.credentials(secret="guess"))
    for _ in range(LIMIT):
        await refused(world.refresh("no token", origin=AWAY))
    assert sorted(noted) == [
        "API client shop from 203.0.113.9",
        "anybody from 203.0.113.9",
        "refresh token of unknown user from 198.51.100.1",
        "unknown user from 203.0.113.9",
    ]
    noted.clear()
    for number in range(40):
        await refused(world.password(password="guess", origin=Origin(f"192.0.2.{number}", False)))
    assert noted == ["user anna from anywhere"]


async def test_a_source_that_tries_many_names_is_refused_before_anything_is_looked_at(world):
    for number in range(20):
        await guess(world, 1, name=f"user-{number}")
    checks = world.secrets.checks
    assert await limit(world.password(name="one-more")) == "source"
    assert world.secrets.checks == checks
    assert (await world.password(origin=AWAY)).token


async def test_who_has_signed_in_lately_is_not_shut_out_by_who_shares_the_address(world):
    assert (await world.password()).token
    for number in range(20):
        await guess(world, 1, name=f"user-{number}")
    assert await limit(world.password(name="robot")) == "source"
    assert (await world.password()).token
    await guess(world, LIMIT)
    assert await limit(world.password()) == "user"
    world.clock.advance(WINDOW)
    assert (await world.password()).token


async def test_a_name_that_many_sources_guess_at_is_open_where_it_is_known(world):
    assert (await world.password()).token
    for number in range(10):
        await guess(world, 4, origin=Origin(f"192.0.2.{number}", False))
    assert await limit(world.password(origin=AWAY)) == "name"
    assert (await world.password()).token
    assert (await refused(world.password(name="bob", origin=AWAY))).reason == "GRANT_INVALID"
    world.clock.advance(WINDOW)
    assert (await world.password(origin=AWAY)).token


async def test_an_address_is_known_for_a_month_after_the_last_sign_in(world):
    for _ in range(20):
        assert (await world.password()).token
        world.clock.advance(timedelta(days=2))
    world.clock.advance(timedelta(days=29))
    for number in range(20):
        await guess(world, 1, name=f"user-{number}")
    assert await limit(world.password()) == "source"


async def test_many_who_come_through_one_proxy_have_no_count_together(world):
    proxy = Origin("10.0.0.1", True)
    for number in range(50):
        await guess(world, 1, name=f"user-{number}", origin=proxy)
    assert (await world.password(origin=proxy)).token


async def test_clients_are_counted_apart_from_users_of_their_name(world):
    for _ in range(LIMIT):
        await refused(world.credentials(client="anna", secret="guess"))
    assert await limit(world.credentials(client="anna")) == "user"
    assert (await world.password()).token


async def test_who_signs_in_needs_no_room_in_the_database(world):
    world.sign_ins.full = True
    assert (await world.password()).token
