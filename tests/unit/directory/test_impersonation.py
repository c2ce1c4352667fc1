"""Who may act in whose place, and what such a token carries, without a database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from libs.auth import KeySet, Principal, TokenVerifier
from libs.auth.revocations import CLIENT, USER, Revocation, RevocationPage
from libs.errors import Kind, WaybillError
from services import roles
from services.directory.application.tokens.impersonation import Impersonate
from services.directory.domain.tokens.grants import Account, Client, Standing
from tests.support.principals import buyer, seller, supplier
from tests.unit.directory.test_tokens import ANNA, NOW, SHOP, World

CLERK = Account("clerk", "clerk", "SELLER", "seller", True, True, (roles.BUYER_IMPERSONATION,), None)
SVEN = replace(CLERK, id="sven", party_kind="SUPPLIER", party_id="bolt")
SAM = replace(seller(roles.BUYER_IMPERSONATION, user="sam"), generations=(3, 4, 5))


class Log:
    """What is written of administrative acts; it stands in for the stores of the directory and for what opens them."""

    def __init__(self, world: World) -> None:
        self.trail, self._world = self, world

    def note(self, resource: str, id: str, now: datetime, *, action: str = "", fields: Sequence[str] = ()) -> None:
        self._world.noted.append((resource, id, action))

    async def retrying(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        return await work(self)


@pytest.fixture
def world() -> World:
    made = World()
    made.noted = []
    made.accounts.users |= {"clerk": CLERK, "sven": SVEN}
    return made


async def act(
    world: World, caller: Principal = SAM, client: str = "shop", user: str = "anna", of: str = "", wanted: tuple[str, ...] = ()
) -> str:
    """The token of whoever acts in the place of a user."""
    return (await Impersonate(world.accounts, world.access, Log(world), world.clock)(caller, client, user, of, wanted)).token


async def refused(world: World, **asked: object) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await act(world, **asked)  # type: ignore[arg-type]
    return error.value


def verifier(world: World, *raised: Revocation) -> TokenVerifier:
    async def key_set(revision: str) -> KeySet:
        return KeySet([world.accounts.key.jwk()])

    async def revocations(position: int) -> RevocationPage:
        return RevocationPage(raised if position == 0 else (), len(raised))

    return TokenVerifier(key_set, lambda: NOW.timestamp(), fetch_revocations=revocations)


async def test_the_token_is_that_of_the_user_and_names_who_acts(world: World) -> None:
    world.accounts.standings["anna"] = Standing(frozenset({roles.ORDER_READER}), frozenset({"approvers"}))
    made = await Impersonate(world.accounts, world.access, Log(world), world.clock)(SAM, "shop", "anna", "acme", ())
    found = await verifier(world).verify(made.token)
    plain = await verifier(world).verify((await world.password()).token)
    assert found.impersonator_id == "sam"
    assert replace(found, impersonator_id="") == plain
    assert world.noted == [("user", "anna", "Impersonate")]
    assert made.lifetime.total_seconds() == SHOP.minutes * 60


async def test_roles_are_none_but_the_user_s_within_the_limit_of_the_client(world: World) -> None:
    everything = seller(roles.FULL_ACCESS, user="owner")
    assert (await verifier(world).verify(await act(world, everything))).roles == {roles.SHOPPER}
    assert (await refused(world, caller=everything, wanted=(roles.ORDER_ADMIN,))).metadata == {"role": roles.ORDER_ADMIN}
    world.accounts.users["anna"] = replace(ANNA, roles=(roles.SHOPPER, roles.ORDER_READER))
    assert (await verifier(world).verify(await act(world, wanted=(roles.ORDER_READER,)))).roles == {roles.ORDER_READER}
    world.accounts.clients["shop"] = replace(SHOP, roles=(roles.SHOPPER,))
    assert (await verifier(world).verify(await act(world))).roles == {roles.SHOPPER}
    world.accounts.clients["shop"] = replace(SHOP, minimum_roles=(roles.ORDER_ADMIN,))
    assert (await refused(world)).reason == "ROLE_MISSING"


@pytest.mark.parametrize(
    ("caller", "reason", "metadata"),
    [
        (seller(roles.USER_ADMIN, roles.ORDER_ADMIN), "ROLE_MISSING", {"role": roles.BUYER_IMPERSONATION}),
        (buyer(roles.FULL_ACCESS), "PARTY_NOT_ADMITTED", {"parties": "SELLER"}),
        (supplier(roles.BUYER_IMPERSONATION), "PARTY_NOT_ADMITTED", {"parties": "SELLER"}),
        (replace(buyer(roles.FULL_ACCESS), impersonator_id="sam"), "PARTY_NOT_ADMITTED", {"parties": "SELLER"}),
    ],
)
async def test_only_a_user_of_the_seller_with_the_role_acts_in_the_place_of_others(
    world: World, caller: Principal, reason: str, metadata: dict[str, str]
) -> None:
    error = await refused(world, caller=caller)
    assert world.noted == []
    assert (error.kind, error.reason, error.metadata) == (Kind.DENIED, reason, metadata)


@pytest.mark.parametrize(
    ("asked", "resource"),
    [
        ({"user": "nobody"}, "user"),
        ({"of": "globex"}, "user"),
        ({"user": "clerk", "of": "acme"}, "user"),
        ({"client": "x"}, "API client"),
    ],
)
async def test_what_is_not_there_is_not_found(world: World, asked: dict[str, str], resource: str) -> None:
    error = await refused(world, **asked)
    assert (error.kind, error.metadata["resource"]) == (Kind.MISSING, resource)


@pytest.mark.parametrize(
    ("user", "client", "fields"),
    [
        (CLERK, SHOP, ["impersonation.user_id"]),
        (SVEN, SHOP, ["impersonation.user_id"]),
        (
            replace(CLERK, active=False),
            replace(SHOP, active=False),
            ["impersonation.user_id", "impersonation.user_id", "client_id"],
        ),
        (replace(ANNA, active=False), SHOP, ["impersonation.user_id"]),
        (replace(ANNA, party_active=False), SHOP, ["impersonation.user_id"]),
        (ANNA, replace(SHOP, active=False), ["client_id"]),
        (ANNA, replace(SHOP, any_buyer=False, buyer_ids=("globex",)), ["client_id"]),
    ],
)
async def test_who_cannot_be_stood_in_for_is_said_with_every_rule(
    world: World, user: Account, client: Client, fields: list[str]
) -> None:
    world.accounts.users["anna"], world.accounts.clients["shop"] = user, client
    error = await refused(world)
    assert error.kind is Kind.INVALID
    assert [violation.field for violation in error.fields] == fields
    assert {violation.reason for violation in error.fields} == {"IMPERSONATION_REFUSED"}


@pytest.mark.parametrize(
    ("subject", "generation", "ends"),
    [
        ((USER, "sam"), 4, True),
        ((USER, "sam"), 3, False),
        ((CLIENT, "back-office"), 5, True),
        (("SELLER", "seller"), 6, True),
        ((USER, "anna"), 1, True),
        (("BUYER", "acme"), 1, True),
        ((CLIENT, "shop"), 1, True),
        ((USER, "clerk"), 9, False),
    ],
)
async def test_the_token_ends_with_what_either_of_the_two_was_given(
    world: World, subject: tuple[str, str], generation: int, ends: bool
) -> None:
    token, look = await act(world), verifier(world, Revocation(subject, generation, NOW.timestamp()))
    if not ends:
        assert (await look.verify(token)).impersonator_id == "sam"
        return
    with pytest.raises(WaybillError) as error:
        await look.verify(token)
    assert error.value.reason == "TOKEN_REVOKED"


async def test_the_generations_of_a_verified_token_are_those_that_the_next_one_is_given_for(world: World) -> None:
    world.accounts.users["anna"] = replace(ANNA, generation=7, party_generation=9)
    world.accounts.clients["shop"] = replace(SHOP, generation=8)
    found = await verifier(world).verify((await world.password()).token)
    assert found.generations == (7, 8, 9)
    assert found == replace(found, generations=())


async def test_a_token_that_names_an_impersonator_without_its_generations_is_none_of_ours(world: World) -> None:
    forged = world.accounts.key.issue(replace(buyer(), impersonator_id="sam"), timedelta(hours=1), NOW)
    with pytest.raises(WaybillError) as error:
        await verifier(world).verify(forged)
    assert error.value.reason == "TOKEN_INVALID"
