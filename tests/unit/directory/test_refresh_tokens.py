"""Refresh tokens without a database: what they get, and what ends them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services import roles
from tests.unit.directory.sign_in_world import AWAY, LIMIT, LIMITS, NOW, SHOP, WINDOW, World, a_secret, refused, verified


@pytest.fixture
def world():
    return World()


async def test_a_refresh_of_a_public_client_costs_no_check_and_says_who_signed_in(world):
    given = (await world.sign_in()).refresh
    assert given.expire_time == NOW + timedelta(minutes=1_000)
    world.clock.advance(timedelta(hours=2))
    world.secrets.checks = 0
    again = await world.refresh(given.token)
    assert (await world.refresh(given.token)).refresh == again.refresh == given
    assert (await refused(world.refresh("unknown"))).reason == "GRANT_INVALID"
    assert world.secrets.checks == 0
    assert (await verified(world, again.token)).user_id == "anna"
    assert again.expire_time == world.clock.now() + timedelta(minutes=30)


async def test_a_client_that_grants_none_gives_none_and_so_do_client_credentials(world):
    assert (await world.sign_in("shop", "s3cret")).refresh is None
    world.accounts.clients["shop"] = replace(SHOP, refresh_minutes=1_000)
    assert (await world.sign_in("shop", "s3cret")).refresh is not None
    assert (await world.issue.by_client("shop", "s3cret", ())).refresh is None


def _changed(world, who, **values):
    known = world.accounts.clients if who in world.accounts.clients else world.accounts.users
    known[who] = replace(known[who], **values)


ENDINGS = {
    "a user who lost something": ("anna", {"generation": 1}),
    "a client that lost something": ("app", {"generation": 1}),
    "a company that lost something": ("anna", {"party_generation": 1}),
    "a user who is inactive": ("anna", {"active": False}),
    "a company that is inactive": ("anna", {"party_active": False}),
    "a client that is inactive": ("app", {"active": False}),
    "a client that admits another company": ("app", {"any_buyer": False, "buyer_ids": ("globex",)}),
    "a client that grants no more": ("app", {"refresh_minutes": 0}),
    "a client that has a secret now": ("app", {"secrets": (a_secret("another"),)}),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_refresh_token_ends_with_what_it_was_given_under(world, ending):
    token = (await world.sign_in()).refresh.token
    assert (await world.refresh(token)).roles == {roles.SHOPPER}
    who, values = ENDINGS[ending]
    _changed(world, who, **values)
    assert (await refused(world.refresh(token))).reason == "GRANT_INVALID"


async def test_a_refresh_token_holds_to_its_last_moment_and_is_moved_no_further_by_use(world):
    token = (await world.sign_in()).refresh.token
    world.clock.advance(timedelta(minutes=999))
    assert (await world.refresh(token)).refresh.expire_time == NOW + timedelta(minutes=1_000)
    world.clock.advance(timedelta(minutes=1))
    assert (await refused(world.refresh(token))).reason == "GRANT_INVALID"


async def test_a_refresh_token_is_for_its_own_client_with_that_clients_secret(world):
    world.accounts.clients["shop"] = replace(SHOP, refresh_minutes=1_000)
    token = (await world.sign_in("shop", "s3cret")).refresh.token
    for client, secret in (("app", ""), ("app", "s3cret"), ("shop", ""), ("shop", "guess"), ("nobody", "s3cret")):
        assert (await refused(world.refresh(token, client, secret))).reason == "GRANT_INVALID", client
    assert (await world.refresh(token, "shop", "s3cret")).roles == {roles.SHOPPER}


async def test_a_refresh_gets_what_was_asked_for_then_of_what_is_held_now(world):
    _changed(world, "anna", roles=(roles.SHOPPER, roles.ORDER_READER, roles.ORDER_ADMIN))
    few = (await world.sign_in(wanted=[roles.SHOPPER, roles.ORDER_READER])).refresh.token
    assert (await world.refresh(few)).roles == {roles.SHOPPER, roles.ORDER_READER}
    assert (await world.refresh(few, wanted=[roles.ORDER_READER])).roles == {roles.ORDER_READER}
    error = await refused(world.refresh(few, wanted=[roles.ORDER_ADMIN]))
    assert (error.reason, error.metadata) == ("ROLE_MISSING", {"role": roles.ORDER_ADMIN})
    all_of_them = (await world.sign_in()).refresh.token
    _changed(world, "anna", roles=(roles.SHOPPER, roles.PRODUCT_ADMIN))
    assert (await world.refresh(all_of_them)).roles == {roles.SHOPPER, roles.PRODUCT_ADMIN}
    assert (await refused(world.refresh(all_of_them, wanted=[roles.ORDER_ADMIN]))).reason == "ROLE_MISSING"


async def test_full_access_that_was_asked_for_counts_as_every_role(world):
    _changed(world, "anna", roles=(roles.FULL_ACCESS,))
    token = (await world.sign_in(wanted=[roles.FULL_ACCESS])).refresh.token
    assert (await world.refresh(token, wanted=[roles.SHOPPER])).roles == {roles.SHOPPER}


async def test_failed_refreshes_are_counted_by_token_and_shut_nobody_else_out(world):
    token = (await world.sign_in()).refresh.token
    _changed(world, "app", active=False)
    for _ in range(LIMIT):
        assert (await refused(world.refresh(token))).reason == "GRANT_INVALID"
    _changed(world, "app", active=True)
    assert (await refused(world.refresh(token))).reason == "TOO_MANY_ATTEMPTS"
    another = (await world.sign_in()).refresh.token
    assert (await world.refresh(another)).roles == {roles.SHOPPER}
    world.clock.advance(WINDOW)
    assert (await world.refresh(token)).roles == {roles.SHOPPER}


async def test_one_source_does_not_try_token_after_token(world):
    token = (await world.sign_in()).refresh.token
    for i in range(LIMITS.source):
        assert (await refused(world.refresh(f"guess {i}"))).reason == "GRANT_INVALID"
    error = await refused(world.refresh("one more"))
    assert (error.reason, error.metadata) == ("TOO_MANY_ATTEMPTS", {"limit": "source"})
    # Who has signed in there, or comes from elsewhere, goes on.
    assert (await world.refresh(token)).roles == {roles.SHOPPER}
    another = (await world.sign_in(origin=AWAY)).refresh.token
    assert (await world.refresh(another, origin=AWAY)).roles == {roles.SHOPPER}
