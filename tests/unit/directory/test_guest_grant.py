"""The grant for guests: a token of the client's anonymous user for one order, with no role but those of a guest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services import roles
from services.directory.domain.access import GUESTS
from services.directory.domain.tokens.grants import Standing
from tests.unit.directory.sign_in_world import ANNA, AWAY, HOME, PUBLIC, SHOP, World, refused, verified

WEB = replace(PUBLIC, id="web", anonymous_user_id="anna", anonymous_minutes=60 * 24, roles=(), minimum_roles=())


@pytest.fixture
def world():
    made = World()
    made.accounts.clients |= {
        "web": WEB,
        "closed": replace(SHOP, id="closed", anonymous_user_id="anna", roles=(), minimum_roles=()),
    }
    return made


async def test_every_guest_gets_an_order_of_its_own(world):
    issued = [await world.issue.by_guest("web", "", (), HOME) for _ in range(3)]
    principals = [await verified(world, each.token) for each in issued]
    assert len({each.order_id for each in issued}) == 3
    assert [p.order_id for p in principals] == [each.order_id for each in issued]
    assert len({p.identity for p in principals}) == 3
    assert {p.user_id for p in principals} == {"anna"}
    assert {each.lifetime for each in issued} == {timedelta(days=1)}
    assert {each.refresh for each in issued} == {None}


@pytest.mark.parametrize("held", [(roles.FULL_ACCESS,), (roles.SHOPPER, roles.ORDER_ADMIN, roles.USER_ADMIN), ()])
async def test_a_guest_has_none_but_a_guests_roles_whatever_the_user_has_come_by(world, held):
    world.accounts.users["anna"] = replace(ANNA, roles=held)
    world.accounts.standings["anna"] = Standing(frozenset({roles.ORDER_READER, roles.SHOPPER}))
    issued = await world.issue.by_guest("web", "", (), HOME)
    assert issued.roles <= GUESTS
    assert roles.SHOPPER in issued.roles
    assert (await refused(world.issue.by_guest("web", "", [roles.ORDER_ADMIN], HOME))).reason == "ROLE_MISSING"


@pytest.mark.parametrize(
    ("client", "secret"), [("shop", "s3cret"), ("app", ""), ("nowhere", ""), ("closed", "wrong"), ("closed", "")]
)
async def test_a_client_without_a_user_for_guests_an_unknown_one_and_a_wrong_secret_are_refused_alike(world, client, secret):
    assert (await refused(world.issue.by_guest(client, secret, (), HOME))).reason == "GRANT_INVALID"


async def test_a_user_who_was_dismissed_is_no_guests_user(world):
    world.accounts.users["anna"] = replace(ANNA, active=False)
    assert (await refused(world.issue.by_guest("web", "", (), HOME))).reason == "GRANT_INVALID"


async def test_wrong_secrets_shut_out_whoever_sends_them_and_no_other_guest(world):
    reasons = [(await refused(world.issue.by_guest("closed", "wrong", (), HOME))).reason for _ in range(30)]
    assert reasons[-1] == "TOO_MANY_ATTEMPTS"
    assert (await world.issue.by_guest("closed", "s3cret", (), AWAY)).order_id
    assert (await world.issue.by_guest("web", "", (), AWAY)).order_id


async def test_what_is_not_used_leaves_nothing(world):
    before = dict(world.sign_ins.rows)
    await world.issue.by_guest("web", "", (), HOME)
    assert world.sign_ins.rows == before
