"""Which secret a text can be, and what a check costs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.directory.domain.tokens.client_secrets import candidate
from tests.unit.directory.sign_in_world import NOW, SHOP, World, a_secret, refused

SECOND = timedelta(seconds=1)


def test_the_one_with_the_clue_is_tried_and_otherwise_the_one_of_before_that_has_none() -> None:
    old, one, two = replace(a_secret("old"), clue=""), a_secret("one"), a_secret("two")
    assert candidate([old, one, two], "two", NOW) == two
    assert candidate([old, one, two], "old", NOW) == old
    assert candidate([old, one, two], "guess", NOW) == old
    assert candidate([one, two], "guess", NOW) is None
    assert candidate([], "one", NOW) is None


def test_one_that_has_ended_is_never_tried() -> None:
    assert candidate([a_secret("one", NOW)], "one", NOW) is None
    assert candidate([a_secret("one", NOW + SECOND)], "one", NOW) is not None
    assert candidate([replace(a_secret("old", NOW), clue="")], "old", NOW) is None


@pytest.mark.parametrize("number", [0, 1, 5])
@pytest.mark.parametrize("secret", ["s0", "s4", "guess"])
@pytest.mark.parametrize("client", ["shop", "nobody"])
async def test_a_check_costs_one_hash_however_many_secrets_there_are(number: int, secret: str, client: str) -> None:
    world = World()
    kept = tuple(a_secret(f"s{i}") for i in range(number))
    world.accounts.clients["shop"] = replace(SHOP, secrets=kept)
    right = client == "shop" and secret in {each.id for each in kept}
    attempt = world.credentials(client=client, secret=secret)
    if right:
        await attempt
    else:
        assert (await refused(attempt)).reason == "GRANT_INVALID"
    assert world.secrets.checks == 1


async def test_without_a_secret_only_a_client_that_never_had_one_signs_users_in() -> None:
    world = World()
    await world.sign_in()
    world.accounts.clients["app"] = replace(world.accounts.clients["app"], secrets=(a_secret("gone", NOW),))
    assert (await refused(world.sign_in())).reason == "GRANT_INVALID"
    assert (await refused(world.sign_in(secret="gone"))).reason == "GRANT_INVALID"
