"""Whoever takes an id hears that it is taken, in the same words and at the same cost whoever has it, and not too often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from libs.rpc.fairness.guesses import Guesses
from services.host.process.embedded import Host
from tests.support.marketplace import Marketplace, create
from waybill.directory.v1 import user_group_service_pb2, user_service_pb2
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, Party
from waybill_client import AsyncWaybill, WaybillError

Create = Callable[[AsyncWaybill, str], Awaitable[Any]]


async def place(client: AsyncWaybill, id: str) -> Any:
    return await client.place_order({"tongs": 1}, id=id)


async def begin(client: AsyncWaybill, id: str) -> Any:
    return await create(client, id, tongs=1)


async def refused(call: Awaitable[Any]) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await call
    return error.value


async def refused_at_its_cost(host: Host, call: Callable[[], Awaitable[Any]]) -> tuple[WaybillError, int]:
    """The refusal and its statements, the least of three tries: what a process reads again after a while makes one dearer."""
    tries = []
    for _ in range(3):
        before = host.statements
        error = await refused(call())
        tries.append(host.statements - before)
    return error, min(tries)


@pytest.mark.on_sqlite
@pytest.mark.parametrize("make", [begin, place])
async def test_the_answer_and_its_cost_are_the_same_whoever_has_the_order(idle_market: Marketplace, make: Create) -> None:
    people, host = idle_market.people, idle_market.host
    ids = {"own": f"TK-{make.__name__}-1", "another's": f"TK-{make.__name__}-2"}
    await place(people.gil, ids["own"])
    await place(people.ada, ids["another's"])
    await refused(make(people.gil, ids["own"]))
    answers, costs = {}, {}
    for whose, id in ids.items():
        error, costs[whose] = await refused_at_its_cost(host, partial(make, people.gil, id))
        answers[whose] = (error.code.name, error.reason, error.message.replace(id, "..."), error.metadata | {"id": "..."})
        assert error.metadata["id"] == id
    assert answers["own"] == answers["another's"]
    assert answers["own"][:2] == ("ALREADY_EXISTS", "RESOURCE_EXISTS")
    assert costs["own"] == costs["another's"]


@pytest.mark.on_sqlite
async def test_the_answer_and_its_cost_are_the_same_whoever_has_the_group_or_the_name(idle_market: Marketplace) -> None:
    people, host = idle_market.people, idle_market.host
    companies = {id: Party(kind=PARTY_KIND_BUYER, id=id) for id in ("acme", "globex")}

    async def group(company: str, id: str) -> Any:
        made = user_group_service_pb2.UserGroup(id=id, name=id, party=companies[company])
        return await people.owner.user_groups.CreateUserGroup(user_group_service_pb2.CreateUserGroupRequest(user_group=made))

    async def user(company: str, id: str, name: str) -> Any:
        made = user_service_pb2.User(id=id, username=name, party=companies[company], active=True)
        return await people.owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=made))

    await group("acme", "TK-G")
    await user("acme", "TK-U", "Taken Name")
    costs, answers = [], []
    for company in companies:
        calls = (
            partial(group, company, "TK-G"),
            partial(user, company, "TK-U", "another name"),
            partial(user, company, "TK-V", "taken name"),
        )
        for call in calls:
            error, cost = await refused_at_its_cost(host, call)
            costs.append(cost)
            answers.append((error.code.name, error.reason, error.message, error.metadata))
    assert answers[:3] == answers[3:]
    assert costs[:3] == costs[3:]
    assert [answer[1] for answer in answers[:3]] == ["RESOURCE_EXISTS", "RESOURCE_EXISTS", "USERNAME_TAKEN"]


async def test_who_tries_ids_is_refused_whether_they_are_taken_or_not(
    idle_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, load = idle_market.people, idle_market.host.server.load
    monkeypatch.setattr(load, "guesses", Guesses(5))
    await begin(people.ada, "TK-TRIED")
    for _ in range(5):
        assert (await refused(begin(people.gil, "TK-TRIED"))).reason == "RESOURCE_EXISTS"
    for id in ("TK-TRIED", "TK-FREE"):
        error = await refused(begin(people.gil, id))
        assert (error.code.name, error.reason, error.metadata) == ("RESOURCE_EXHAUSTED", "TOO_MANY_TAKEN", {"limit": "user"})
        assert error.retry_after_seconds
    await begin(people.bob, "TK-FREE")
