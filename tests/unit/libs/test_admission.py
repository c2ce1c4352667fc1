"""Who gets a place when there are too few."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from prometheus_client import Counter

from libs.auth import PartyKind, Principal
from libs.errors import Kind, WaybillError
from libs.rpc.fairness.admission import Admission, Place
from libs.rpc.fairness.limits import OutsideLimits
from libs.rpc.fairness.sources import Source
from libs.rpc.fairness.turns import Turns

LIMITS = OutsideLimits()
HOME, OFFICE, PROXY = Source("203.0.113.9"), Source("198.51.100.1"), Source("10.0.0.1", shared=True)
REFUSED = Counter("refused_in_a_test", "None of ours.", registry=None)


def user(id: str, party: str = "acme", kind: PartyKind = PartyKind.BUYER) -> Principal:
    return Principal(id, party, kind, frozenset(), "shop")


def admission(limit: int = 100, limits: OutsideLimits = LIMITS, waits: Admission | None = None) -> Admission:
    return Admission("calls", limit, limits, REFUSED, waits)


def taken(places: Admission, caller: Principal | None, source: Source, count: int = 1) -> list[Place]:
    got = []
    for _ in range(count):
        got.append(places.place(caller, source))
        got[-1].take()
    return got


def refusal(places: Admission, caller: Principal | None, source: Source) -> str:
    with pytest.raises(WaybillError) as refused:
        places.place(caller, source)
    assert (refused.value.kind, refused.value.reason) == (Kind.EXHAUSTED, "TOO_MANY_CALLS")
    assert refused.value.retry_after is not None
    return refused.value.metadata["limit"]


def test_one_user_cannot_have_more_than_a_quarter() -> None:
    places = admission()
    taken(places, user("ada"), HOME, 25)
    assert refusal(places, user("ada"), OFFICE) == "user"
    taken(places, user("bob"), HOME)


def test_one_company_cannot_have_more_than_half() -> None:
    places = admission()
    for name in ("ada", "bob"):
        taken(places, user(name), PROXY, 25)
    assert refusal(places, user("cid"), PROXY) == "company"
    taken(places, user("cid", "globex"), PROXY)
    # A supplier with the same id is another company.
    taken(places, user("sam", "acme", PartyKind.SUPPLIER), PROXY)


def test_one_address_cannot_have_more_than_half_unless_it_is_a_proxy_of_many() -> None:
    places = admission()
    for number in range(50):
        taken(places, user(f"u{number}", f"c{number}"), HOME)
    assert refusal(places, user("ada"), HOME) == "source"
    taken(places, user("ada"), OFFICE)
    proxied = admission()
    for number in range(90):
        taken(proxied, user(f"u{number}", f"c{number}"), PROXY)
    assert refusal(proxied, user("ada"), PROXY) == "process"


def test_however_many_shoppers_come_the_sellers_users_find_room() -> None:
    places = admission()
    for number in range(90):
        taken(places, user(f"u{number}", f"c{number}"), Source(f"10.1.0.{number}"))
    assert refusal(places, user("ada"), HOME) == "process"
    taken(places, user("olga", "seller", PartyKind.SELLER), HOME, 10)
    assert refusal(places, user("olga", "seller", PartyKind.SELLER), HOME) == "process"


def test_strangers_have_a_small_share_of_their_own_and_one_address_half_of_that() -> None:
    places = admission()
    taken(places, None, HOME, 6)
    assert refusal(places, None, HOME) == "source"
    taken(places, None, OFFICE, 6)
    assert refusal(places, None, Source("192.0.2.1")) == "anonymous"
    taken(places, user("ada"), HOME)


def test_whoever_is_refused_counts_for_nothing_and_what_is_given_back_is_free() -> None:
    places = admission()
    mine = taken(places, user("ada"), HOME, 25)
    for _ in range(100):
        refusal(places, user("ada"), HOME)
    mine[0].give_back()
    mine[0].give_back()
    assert places.running == 24
    taken(places, user("ada"), HOME)
    assert refusal(places, user("ada"), HOME) == "user"


def test_nothing_is_remembered_of_who_has_left() -> None:
    places = admission()
    for number in range(1_000):
        for place in taken(places, user(f"u{number}", f"c{number}"), Source(f"10.1.{number // 250}.{number % 250}")):
            place.give_back()
    assert [counts.running for counts in vars(places).values() if hasattr(counts, "running")] == [{}] * 7


def test_everybody_has_one_place_however_few_there_are() -> None:
    taken(admission(1), user("ada"), HOME)


async def test_a_call_that_waits_holds_no_place() -> None:
    waits = admission(10)
    places = admission(2, replace(LIMITS, user_share=100, company_share=100, source_share=100, shoppers_share=100), waits)
    [place] = taken(places, user("ada"), HOME)
    async with place.waiting():
        assert (places.running, waits.running) == (0, 1)
        # Within a wait another one changes nothing.
        async with place.waiting():
            assert (places.running, waits.running) == (0, 1)
    assert (places.running, waits.running) == (1, 0)
    place.give_back()
    assert places.running == 0


async def test_those_that_have_waited_go_on_in_their_order_and_before_whoever_comes_anew() -> None:
    whole = replace(LIMITS, user_share=100, company_share=100, source_share=100, shoppers_share=100)
    places, order = admission(1, whole, admission(10, whole)), []
    free = asyncio.Event()

    async def call(name: str) -> None:
        [place] = taken(places, user(name), HOME)
        async with place.waiting():
            await free.wait()
        order.append(name)
        await asyncio.sleep(0)
        place.give_back()

    calls = [asyncio.create_task(call(name)) for name in ("ada", "bob", "cid")]
    await asyncio.sleep(0)
    [other] = taken(places, user("dan"), HOME)
    free.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert order == []
    other.give_back()
    # It is ada's already.
    assert refusal(places, user("dan"), HOME) == "company"
    await asyncio.gather(*calls)
    assert (order, places.running) == (["ada", "bob", "cid"], 0)


async def test_a_wait_that_is_cut_short_leaves_nothing_behind() -> None:
    whole = replace(LIMITS, user_share=100, company_share=100, source_share=100, shoppers_share=100)
    waits = admission(10, whole)
    places = admission(1, whole, waits)
    [place] = taken(places, user("ada"), HOME)

    async def wait() -> None:
        try:
            async with place.waiting():
                await asyncio.sleep(0)
        finally:
            place.give_back()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    [other] = taken(places, user("bob"), HOME)
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert waits.running == 0
    other.give_back()
    assert places.running == 0


@pytest.mark.parametrize("handed", [False, True])
async def test_who_gives_up_as_it_returns_or_as_its_place_comes_leaves_it_to_the_next(handed: bool) -> None:
    whole = replace(LIMITS, user_share=100, company_share=100, source_share=100, shoppers_share=100)
    waits = admission(10, whole)
    places = admission(1, whole, waits)
    through = []

    async def call(name: str) -> None:
        [place] = taken(places, user(name), HOME)
        try:
            async with place.waiting():
                await asyncio.sleep(0)
            through.append(name)
        finally:
            place.give_back()

    calls = [asyncio.create_task(call(name)) for name in ("ada", "bob", "cid")]
    await asyncio.sleep(0)
    [other] = taken(places, user("dan"), HOME)
    for _ in range(5):
        await asyncio.sleep(0)
    # Between two steps of the loop: first the place is handed over, or is not, and then whoever gets it is no more.
    if handed:
        other.give_back()
    calls[0].cancel()
    calls[1].cancel()
    other.give_back()
    assert [isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*calls, return_exceptions=True)] == [
        True,
        True,
        False,
    ]
    assert (through, places.running, waits.running) == (["cid"], 0, 0)


async def test_who_gives_up_when_it_has_its_place_again_and_waits_for_its_turn_leaves_nothing() -> None:
    whole = replace(LIMITS, user_share=100, company_share=100, source_share=100, shoppers_share=100)
    waits, turns = admission(10, whole), Turns(1)
    places = Admission("calls", 10, whole, REFUSED, waits, turns)
    waited = asyncio.Event()

    async def call() -> None:
        [place] = taken(places, user("ada"), HOME)
        try:
            await place.turn()
            async with place.waiting():
                await waited.wait()
        finally:
            place.give_back()

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    running = await turns.take(user("ada").identity)
    waited.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert (places.running, turns.waiting) == (1, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (places.running, waits.running, turns.waiting) == (0, 0, 0)
    turns.give_back(running)
    assert turns.users == set()


async def test_too_many_that_wait_are_refused_and_keep_what_they_hold() -> None:
    whole = replace(LIMITS, user_share=100, company_share=100, source_share=100, shoppers_share=100)
    places = admission(4, whole, admission(1, whole))
    first, second = taken(places, user("ada"), HOME, 2)
    async with first.waiting():
        with pytest.raises(WaybillError, match="too many"):
            async with second.waiting():
                raise AssertionError("there is no room to wait in")
        assert places.running == 1
    assert places.running == 2
