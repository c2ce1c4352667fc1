"""Whoever has got hold of a refresh token, or makes one up."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing

import grpc
import pytest
from argon2 import PasswordHasher

from services import roles
from services.host.sample.marketplace import PASSWORD, SHOP, party
from tests.attacks.proxied import DAY, SAFE, TILL, Proxied, by_password, by_refresh
from tests.attacks.tally import Tally
from tests.attacks.target import claims_of
from tests.attacks.test_taken_away import changed
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import token_service_pb2 as pb
from waybill.directory.v1 import user_service_pb2 as users
from waybill_client import AsyncWaybill

INVALID: tuple[str, dict[str, str]] = ("GRANT_INVALID", {})
ANOTHER = "another horse battery staple"


def stored(at: Proxied, user: str = "") -> list[str]:
    """What the database has of refresh tokens."""
    with closing(sqlite3.connect(at.data / "directory.sqlite3")) as database:
        named = ("WHERE user_id = ?", [user]) if user else ("", [])
        return [hashed for (hashed,) in database.execute(f"SELECT token_hash FROM refresh_tokens {named[0]}", named[1])]


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one with each hash that is computed."""
    computed: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, hashed: str, secret: str) -> bool:
        computed.append(secret)
        return bool(verify(self, hashed, secret))

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    return computed


async def test_no_token_that_is_made_up_is_one(proxied_market: Proxied, tally: Tally) -> None:
    at = proxied_market
    await at.newcomer("rt-forged")
    good = await at.issue(by_password("rt-forged"))
    token = good.refresh_token
    changed_by_one = [token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :] for i in range(0, len(token), 4)]
    made_up = [
        *(token[:length] for length in range(1, len(token), 5)),
        *changed_by_one,
        *stored(at),
        *(f"{before}{token}{after}" for before, after in ((" ", ""), ("", " "), ("", "\0"), ("\0", ""), ("", "="), ("", "%"))),
        token.swapcase(),
        token + token,
        token * 1_000,
        good.access_token,
        "%",
        "' OR '1'='1",
        "é" * 40,
    ]
    for one in made_up:
        assert await at.refusal(by_refresh(one)) == INVALID, one[:80]
    assert await at.seen(token) == "TOKEN_INVALID"
    assert (await at.issue(by_refresh(token))).access_token
    tally.count("refresh tokens that are made up", len(made_up) + 1)


async def test_a_token_opens_neither_another_client_nor_without_its_clients_secret(proxied_market: Proxied, tally: Tally) -> None:
    at = proxied_market
    await at.newcomer("rt-client")
    public, guarded = await at.refresh_token("rt-client"), await at.refresh_token("rt-client", SAFE)
    wrong = (
        by_refresh(public, SAFE, at.safe_secret),
        by_refresh(public, SAFE),
        by_refresh(public, SHOP),
        by_refresh(public, "nobody"),
        by_refresh(public, at.secret.client_id, at.secret.client_secret),
        by_refresh(guarded, SAFE),
        by_refresh(guarded, SAFE, "guess"),
        by_refresh(guarded, SAFE, guarded),
        by_refresh(guarded, TILL),
        by_refresh(guarded, TILL, at.safe_secret),
    )
    for request in wrong:
        assert await at.refusal(request) == INVALID, request
    assert (await at.issue(by_refresh(public))).access_token
    assert (await at.issue(by_refresh(guarded, SAFE, at.safe_secret))).access_token
    tally.count("refresh tokens of another client, or without its secret", len(wrong))


async def own_password(at: Proxied, id: str) -> None:
    async with AsyncWaybill(at.host.address, TILL, username=id, password=PASSWORD) as user:
        await user.users.ChangePassword(users.ChangePasswordRequest(old_password=PASSWORD, new_password=ANOTHER))


async def password_set(at: Proxied, id: str) -> None:
    await at.owner.users.SetPassword(users.SetPasswordRequest(user_id=id, password=PASSWORD))


async def fewer_roles(at: Proxied, id: str) -> None:
    await at.owner.users.UpdateUser(changed(users.User(id=id), users.UpdateUserRequest, roles=[roles.SHOPPER]))


async def off_and_on(at: Proxied, id: str) -> None:
    for active in (False, True):
        await at.owner.users.UpdateUser(changed(users.User(id=id), users.UpdateUserRequest, active=active))


async def removed_and_made_again(at: Proxied, id: str) -> None:
    await at.owner.users.DeleteUser(users.DeleteUserRequest(user_id=id))
    assert stored(at, id) == []


async def client_grants_none(at: Proxied, id: str) -> None:
    await _granting(at, id, 0)


async def client_grants_none_for_a_while(at: Proxied, id: str) -> None:
    await _granting(at, id, 0)
    await _granting(at, id, DAY)


async def _granting(at: Proxied, id: str, minutes: int) -> None:
    client = clients.ApiClient(id=f"till-{id}")
    await at.owner.api_clients.UpdateApiClient(changed(client, clients.UpdateApiClientRequest, refresh_token_minutes=minutes))


@pytest.mark.parametrize(
    "end",
    [
        own_password,
        password_set,
        fewer_roles,
        off_and_on,
        removed_and_made_again,
        client_grants_none,
        client_grants_none_for_a_while,
    ],
    ids=lambda end: end.__name__,
)
async def test_what_was_stolen_is_over_with(
    proxied_market: Proxied, tally: Tally, end: Callable[[Proxied, str], Awaitable[None]]
) -> None:
    at, id = proxied_market, f"rt-{end.__name__.replace('_', '-')}"
    await at.newcomer(id, roles.SHOPPER, roles.ORDER_READER, roles.ME_ADMIN)
    client = clients.ApiClient(id=f"till-{id}", name=id, active=True, buyer_ids=["acme"], refresh_token_minutes=DAY)
    await at.owner.api_clients.CreateApiClient(clients.CreateApiClientRequest(api_client=client))
    stolen = [await at.refresh_token(id, f"till-{id}") for _ in range(5)]
    opened = [(await at.issue(by_refresh(token, f"till-{id}"))).access_token for token in stolen]
    await end(at, id)
    for token in stolen:
        assert await at.refusal(by_refresh(token, f"till-{id}")) == INVALID
    assert {await at.seen(access) for access in opened} == {"TOKEN_REVOKED"}
    tally.count("refresh tokens that are over, and what came of them", 2 * len(stolen))


async def test_a_refresh_never_gives_more_than_the_sign_in_asked_for(proxied_market: Proxied, tally: Tally) -> None:
    at = proxied_market
    await at.newcomer("rt-roles", roles.SHOPPER, roles.ORDER_READER, roles.ADDRESS_ADMIN)
    narrow = await at.refresh_token("rt-roles", wanted=(roles.SHOPPER,))
    for role in sorted(roles.ALL_ROLES - {roles.SHOPPER}):
        asked: tuple[tuple[str, ...], ...] = ((role,), (roles.SHOPPER, role))
        for wanted in asked:
            assert await at.refusal(by_refresh(narrow, wanted=wanted)) == ("ROLE_MISSING", {"role": role})
    for wanted in [(), (roles.SHOPPER,)]:
        made = await at.issue(by_refresh(narrow, wanted=wanted))
        assert list(made.roles) == claims_of(made.access_token)["role"] == [roles.SHOPPER]
    tally.count("refreshes with more roles than were asked for", 2 * (len(roles.ALL_ROLES) - 1))


async def test_many_refreshes_cost_no_hash_and_leave_no_row(proxied_market: Proxied, tally: Tally, hashes: list[str]) -> None:
    at = proxied_market
    await at.newcomer("rt-many")
    token, here = await at.refresh_token("rt-many"), at.elsewhere()
    assert len(hashes) == 1
    for _ in range(50):
        made = await asyncio.gather(*(at.issue(by_refresh(token), here) for _ in range(20)))
        assert {one.refresh_token for one in made} == {token}
        assert {claims_of(one.access_token)["sub"] for one in made} == {"rt-many"}
    assert len(hashes) == 1
    assert len(stored(at, "rt-many")) == 1
    tally.count("refreshes without a hash, twenty at once", 1_000)


async def test_a_user_has_so_many_and_no_more_however_many_sign_in_at_once(proxied_market: Proxied, tally: Tally) -> None:
    at = proxied_market
    await at.newcomer("rt-rows")
    first = await at.refresh_token("rt-rows")
    for _ in range(6):
        await asyncio.gather(*(at.refresh_token("rt-rows") for _ in range(10)))
    assert len(stored(at, "rt-rows")) == 50
    assert await at.refusal(by_refresh(first)) == INVALID
    tally.count("sign-ins for more refresh tokens than are kept", 61)


async def test_a_refresh_that_races_with_the_end_gives_nothing_that_lasts(proxied_market: Proxied, tally: Tally) -> None:
    at = proxied_market
    await at.newcomer("rt-race")
    token = await at.refresh_token("rt-race")

    async def refresh() -> str:
        try:
            return (await at.issue(by_refresh(token))).access_token
        except grpc.aio.AioRpcError:
            return ""

    made: list[str] = []

    async def refreshing() -> None:
        made.extend(await asyncio.gather(*(refresh() for _ in range(5))))

    await asyncio.gather(refreshing(), refreshing(), password_set(at, "rt-race"), refreshing(), refreshing())
    assert await at.refusal(by_refresh(token)) == INVALID
    assert {await at.seen(access) for access in made if access} <= {"TOKEN_REVOKED"}
    tally.count("refreshes that race with the end of the token", 20)


async def test_who_stands_in_gets_no_refresh_token(proxied_market: Proxied, tally: Tally) -> None:
    at = proxied_market
    await at.newcomer("rt-victim")
    sam = users.User(
        id="rt-seller",
        username="rt-seller",
        party=party("SELLER", "seller"),
        active=True,
        password=PASSWORD,
        roles=[roles.BUYER_IMPERSONATION],
    )
    await at.owner.users.CreateUser(users.CreateUserRequest(user=sam))
    own = (await at.issue(by_password("rt-seller", client="portal"))).access_token
    for client in (TILL, SAFE):
        request = pb.IssueTokenRequest(client_id=client, impersonation=pb.ImpersonationGrant(user_id="rt-victim"))
        made = await at.issue(request, token=own)
        assert (claims_of(made.access_token)["imp"], made.refresh_token) == ("rt-seller", "")
        assert await at.refusal(by_refresh(made.access_token, client)) == INVALID
    assert stored(at, "rt-victim") == stored(at, "rt-seller") == []
    tally.count("refresh tokens of who stands in", 4)
