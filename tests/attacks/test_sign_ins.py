"""Whoever guesses at passwords, says that it calls from elsewhere, or wants to lock others out."""

from __future__ import annotations

import asyncio
from collections import Counter

import grpc
import pytest

from libs.rpc.fairness.guesses import Guesses
from services.host.sample.marketplace import PASSWORD, PORTAL, party
from tests.attacks.proxied import Proxied, by_password
from tests.attacks.tally import Tally
from tests.attacks.target import Target
from waybill.directory.v1 import token_service_pb2 as pb
from waybill.directory.v1 import token_service_pb2_grpc
from waybill.directory.v1 import user_service_pb2 as users
from waybill_client import AsyncWaybill, WaybillError
from waybill_client.errors import from_rpc_error

LIMITS = {"user": 10, "source": 20, "name": 100}
"""Failures within the window after which more are refused, as the settings have them."""

CHEAPER = ("a name with a nul", "a client id with a nul")
"""What no database is asked for: whoever asks knows that there is none."""


def guess(name: str, number: int = 0) -> pb.IssueTokenRequest:
    return by_password(name, f"guess number {number}")


async def test_whoever_guesses_at_one_name_keeps_nobody_out_who_is_elsewhere(proxied_market: Proxied, tally: Tally) -> None:
    at = proxied_market
    await at.newcomer("si-victim")
    evil, home = at.elsewhere(), at.elsewhere()
    for number in range(60):
        name = ("si-victim", "SI-Victim", " si-victim ", "ｓｉ-victim", "si-vic\u200btim")[number % 5]
        reason, _ = await at.refusal(guess(name, number), evil)
        assert reason == ("GRANT_INVALID" if number < LIMITS["user"] else "TOO_MANY_ATTEMPTS"), (number, name)
        if number % 10 == 0:
            assert (await at.issue(by_password("si-victim"), home)).access_token
    # Not even by the right one.
    assert await at.refusal(by_password("si-victim"), evil) == ("TOO_MANY_ATTEMPTS", {"limit": "user"})
    assert (await at.issue(by_password("si-victim"), at.elsewhere())).access_token
    tally.count("guesses at a password from one address, in many spellings", 61)


async def test_many_addresses_together_do_not_lock_out_who_is_known_at_home(proxied_market: Proxied, tally: Tally) -> None:
    at = proxied_market
    await at.newcomer("si-known")
    home = at.elsewhere()
    assert (await at.issue(by_password("si-known"), home)).access_token
    found = Counter([(await at.refusal(guess("si-known", n), at.elsewhere()))[0] for n in range(130)])
    assert found == {"GRANT_INVALID": LIMITS["name"], "TOO_MANY_ATTEMPTS": 30}
    assert (await at.issue(by_password("si-known"), home)).access_token
    assert await at.refusal(by_password("si-known"), at.elsewhere()) == ("TOO_MANY_ATTEMPTS", {"limit": "name"})
    tally.count("guesses at a password from many addresses", 130)


async def test_whoever_floods_from_one_office_does_not_lock_out_who_is_known_there(proxied_market: Proxied, tally: Tally) -> None:
    at = proxied_market
    await at.newcomer("si-office")
    office = at.elsewhere()
    assert (await at.issue(by_password("si-office"), office)).access_token
    found = Counter([(await at.refusal(guess(f"nobody-{n}", n), office))[0] for n in range(60)])
    assert found == {"GRANT_INVALID": LIMITS["source"], "TOO_MANY_ATTEMPTS": 40}
    assert (await at.issue(by_password("si-office"), office)).access_token
    tally.count("guesses at many names from one address", 60)


async def test_the_owner_gets_in_whatever_is_tried_in_its_name(proxied_market: Proxied, tally: Tally) -> None:
    at, evil = proxied_market, proxied_market.elsewhere()
    own = pb.IssueTokenRequest(
        client_id=at.secret.client_id, client_secret=at.secret.client_secret, client_credentials=pb.ClientCredentialsGrant()
    )
    wrong = pb.IssueTokenRequest()
    wrong.CopyFrom(own)
    wrong.client_secret = "guess"
    for _ in range(30):
        assert (await at.refusal(wrong, evil))[0] in ("GRANT_INVALID", "TOO_MANY_ATTEMPTS")
        assert (await at.refusal(guess("owner"), evil))[0] in ("GRANT_INVALID", "TOO_MANY_ATTEMPTS")
    assert (await at.issue(own, at.elsewhere())).access_token
    tally.count("guesses at the owner's secret and password", 60)


async def test_an_attacker_behind_the_proxy_is_one_address_whatever_it_writes_into_the_header(
    proxied_market: Proxied, tally: Tally
) -> None:
    at, evil = proxied_market, proxied_market.elsewhere()
    await at.newcomer("si-header")
    written = ("203.0.113.{n}", "203.0.113.{n}, 10.0.0.{n}", "127.0.0.1", "unknown", "", "::ffff:203.0.113.{n}", "a" * 500, ",,,")
    for number in range(40):
        forged = f"{written[number % len(written)].format(n=number)}, {evil}"
        reason, _ = await at.refusal(guess("si-header", number), forged)
        assert reason == ("GRANT_INVALID" if number < LIMITS["user"] else "TOO_MANY_ATTEMPTS"), (number, forged)
    assert (await at.issue(by_password("si-header"), at.elsewhere())).access_token
    tally.count("forged addresses, written before the proxy's", 40)


async def test_all_of_one_subscriber_of_ipv6_is_one_address(proxied_market: Proxied, tally: Tally) -> None:
    at = proxied_market
    await at.newcomer("si-six")
    found = [(await at.refusal(guess("si-six", n), f"2001:db8:7:7:{n:x}::{n:x}"))[0] for n in range(1, 31)]
    assert found == ["GRANT_INVALID"] * 10 + ["TOO_MANY_ATTEMPTS"] * 20
    assert (await at.issue(by_password("si-six"), "2001:db8:7:8::1")).access_token
    tally.count("addresses of one subscriber", 30)


async def test_what_comes_all_at_once_gets_no_more_guesses(proxied_market: Proxied, tally: Tally) -> None:
    at, evil = proxied_market, proxied_market.elsewhere()
    await at.newcomer("si-race")
    made = await asyncio.gather(*(at.refusal(guess("si-race", n), evil) for n in range(60)))
    found = Counter(reason for reason, _ in made)
    assert found["GRANT_INVALID"] <= LIMITS["user"]
    assert set(found) <= {"GRANT_INVALID", "TOO_MANY_ATTEMPTS", "TOO_MANY_CALLS"}
    assert (await at.refusal(by_password("si-race"), evil))[0] == "TOO_MANY_ATTEMPTS"
    assert (await at.issue(by_password("si-race"), at.elsewhere())).access_token
    tally.count("guesses at a password, all at once", 60)


async def test_who_is_not_there_is_refused_like_who_is(proxied_market: Proxied, tally: Tally) -> None:
    at = proxied_market
    await at.newcomer("si-there")
    gone = users.User(id="si-gone", username="si-gone", party=party("BUYER", "acme"), password=PASSWORD, roles=["Shopper"])
    await at.owner.users.CreateUser(users.CreateUserRequest(user=gone))
    requests = {
        "a wrong password": guess("si-there"),
        "nobody": guess("si-not-there"),
        "an inactive user, the right password": by_password("si-gone"),
        "a client that does not admit it": by_password("si-there", client=PORTAL),
        "no client": by_password("si-there", client="no-client"),
        "a name that is too long": guess("x" * 10_000),
        "a name with a nul": guess("si-\0"),
        "a client id with a nul": by_password("si-there", client="\0"),
    }
    costs, answers = {}, {}
    for name, request in requests.items():
        before = at.host.statements
        answers[name] = await at.refusal(request)
        costs[name] = at.host.statements - before
    assert [one for one in answers if answers[one] != ("GRANT_INVALID", {})] == []
    assert {costs[name] for name in requests if name not in CHEAPER} == {costs["a wrong password"]}, costs
    tally.count("questions who is there", len(requests))


async def test_what_a_stranger_says_of_its_address_counts_for_nothing(target_market: Target, tally: Tally) -> None:
    """Nobody is trusted here: whatever the header says, the address is that of the connection."""
    stub = token_service_pb2_grpc.TokenServiceStub(target_market.callers.outside)
    found = []
    for number in range(15):
        metadata = (("x-forwarded-for", f"203.0.113.{number}"), ("x-forwarded-for", f"10.0.0.{number}"))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.IssueToken(guess("si-untrusted", number), metadata=metadata)
        found.append(from_rpc_error(refused.value).reason)
    assert found == ["GRANT_INVALID"] * 10 + ["TOO_MANY_ATTEMPTS"] * 5
    tally.count("forged addresses, from whom nobody trusts", 15)


async def test_a_taken_id_is_answered_alike_whoever_has_it(
    target_market: Target, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_market.callers.market.host.server.load, "guesses", Guesses(1_000))
    people = target_market.callers.market.people

    async def place(client: AsyncWaybill, id: str) -> WaybillError:
        with pytest.raises(WaybillError) as refused:
            await client.place_order({"tape": 1}, id=id)
        return refused.value

    whose = (people.gil, people.ada, people.bob)
    for number, owner in enumerate(whose):
        await owner.place_order({"tape": 1}, id=f"SI-TAKEN-{number}")
    heard, costs = set(), set()
    await place(people.gil, "SI-TAKEN-0")
    for number in range(len(whose)):
        before = target_market.statements
        error = await place(people.gil, f"SI-TAKEN-{number}")
        costs.add(target_market.statements - before)
        assert error.metadata.pop("id") == f"SI-TAKEN-{number}"
        heard.add((error.code.name, error.reason, error.message.replace(str(number), ""), repr(error.metadata)))
    assert (len(heard), len(costs)) == (1, 1), (heard, costs)
    tally.count("taken ids of others", len(whose))
