"""Calls between services: identity, deadline, errors, retries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from libs.auth import ServiceTokens, SharedSecret
from libs.errors import FieldViolation, Kind, RuleViolation, WaybillError, missing
from libs.rpc import Call, current
from libs.rpc.breaker import DEFAULT, Breaker
from libs.rpc.counters import sent, served
from libs.rpc.peers import Peers
from tests.support.echo import ECHO, SERVICE, WATCH, EchoServicer, EchoStub, add_echo, echo_app, gather, text
from tests.support.ports import free_port
from tests.support.principals import buyer, seller
from tests.support.server import SERVICE_TOKENS, fake_peers, serving

ANNA = buyer()


@pytest.fixture
def far() -> EchoServicer:
    return EchoServicer()


@pytest.fixture
async def peers(far: EchoServicer) -> AsyncIterator[Peers]:
    async with fake_peers({"far": [(add_echo, far, SERVICE)]}, service="near") as found:
        yield found


async def unavailable(call: object) -> WaybillError:
    with pytest.raises(WaybillError) as caught:
        await call  # type: ignore[misc]
    assert (caught.value.kind, caught.value.reason) == (Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    return caught.value


async def test_a_call_made_while_serving_another_carries_its_caller_request_and_deadline(peers: Peers, far: EchoServicer) -> None:
    calls: list[Call] = []

    async def note(value: str) -> str:
        calls.append(current())
        return value

    far.answer = note
    onward = peers.stub("far", EchoStub)

    async def relay(value: str) -> str:
        return (await onward.Echo(text(value))).value

    async with serving(echo_app(EchoServicer(relay))) as near:
        stub = EchoStub(near.inner)
        metadata = (("waybill-service", SERVICE_TOKENS.issue("edge", ANNA, "echo")), ("x-request-id", "req-9"))
        await stub.Echo(text("x"), metadata=metadata, timeout=3)
    [call] = calls
    assert (call.caller_service, call.request_id) == ("near", "req-9")
    assert call.principal.service == "near"
    assert (call.principal.user_id, call.principal.roles) == (ANNA.user_id, ANNA.roles)
    assert 0 < (call.remaining(60) or 0) < 3.5


async def test_background_work_acts_for_nobody_or_for_whom_it_says(peers: Peers, far: EchoServicer) -> None:
    async def who(_: str) -> str:
        call = current()
        return "nobody" if call.caller is None else call.caller.user_id

    far.answer = who
    stub = peers.stub("far", EchoStub)
    assert (await stub.Echo(text(""))).value == "nobody"
    with peers.acting(seller(user="sal")):
        assert (await stub.Echo(text(""))).value == "sal"
        with peers.acting(ANNA):
            assert (await stub.Echo(text(""))).value == "anna"
        assert (await stub.Echo(text(""))).value == "sal"
    assert (await stub.Echo(text(""))).value == "nobody"


async def test_an_unanswered_call_ends_after_its_time_out(peers: Peers, far: EchoServicer) -> None:
    async def never(_: str) -> str:
        await asyncio.Event().wait()
        return ""

    far.answer = never
    error = await unavailable(peers.stub("far", EchoStub).Echo(text(""), timeout=0.05))
    assert error.metadata == {"dependency": "far"}


async def test_a_peers_error_arrives_whole(peers: Peers, far: EchoServicer) -> None:
    async def refuse(_: str) -> str:
        raise WaybillError(
            Kind.PRECONDITION,
            "NOT_READY",
            "no",
            metadata={"order": "PO1"},
            fields=[FieldViolation("a", "FIELD_INVALID", "b")],
            rules=[RuleViolation("T", "s", "d")],
            retry_after=timedelta(seconds=1),
        )

    far.answer = refuse
    with pytest.raises(WaybillError) as caught:
        await peers.stub("far", EchoStub).Echo(text(""))
    error = caught.value
    assert (error.kind, error.reason, error.domain) == (Kind.PRECONDITION, "NOT_READY", "waybill.far")
    assert error.metadata == {"order": "PO1"}
    assert error.fields == (FieldViolation("a", "FIELD_INVALID", "b"),)
    assert error.rules == (RuleViolation("T", "s", "d"),)
    assert error.retry_after == timedelta(seconds=1)


async def test_a_peers_error_passes_through_to_the_outside_with_its_domain(peers: Peers, far: EchoServicer) -> None:
    async def refuse(_: str) -> str:
        raise missing("product", "p1")

    far.answer = refuse
    onward = peers.stub("far", EchoStub)

    async def relay(value: str) -> str:
        return (await onward.Echo(text(value))).value

    async with serving(echo_app(EchoServicer(relay))) as near:
        with pytest.raises(WaybillError) as caught:
            await near.stub(EchoStub, ANNA).Echo(text(""))
    assert (caught.value.reason, caught.value.domain) == ("RESOURCE_NOT_FOUND", "waybill.far")


async def test_a_defect_of_a_peer_is_an_unknown_outcome(peers: Peers, far: EchoServicer) -> None:
    async def crash(_: str) -> str:
        raise RuntimeError("hunter2")

    far.answer = crash
    assert "hunter2" not in str(await unavailable(peers.stub("far", EchoStub).Echo(text(""))))


async def test_a_peer_that_is_not_there_is_unavailable() -> None:
    peers = Peers("near", SERVICE_TOKENS, {"far": f"127.0.0.1:{free_port()}"})
    await unavailable(peers.stub("far", EchoStub).Echo(text(""), timeout=2))
    await peers.close()


async def test_a_peer_that_is_dead_fails_its_callers_at_once_until_it_is_back(far: EchoServicer) -> None:
    moment = 0.0
    peers = Peers("near", SERVICE_TOKENS, {"far": f"127.0.0.1:{free_port()}"})
    peers._breakers["far"] = Breaker(lambda: moment)
    stub, before = peers.stub("far", EchoStub), sent[ECHO]
    for _ in range(DEFAULT.circuit_failures + 20):
        await unavailable(stub.Echo(text("x")))
    assert sent[ECHO] - before == DEFAULT.circuit_failures
    async with serving(echo_app(far, name="far"), peers=peers):
        await unavailable(stub.Echo(text("x")))
        assert sent[ECHO] - before == DEFAULT.circuit_failures
        moment = DEFAULT.circuit_seconds
        assert [(await stub.Echo(text("x"))).value for _ in range(3)] == ["x"] * 3
        assert sent[ECHO] - before == DEFAULT.circuit_failures + 3
    await peers.close()


async def test_a_peer_that_does_not_know_our_secret_is_unavailable_and_not_the_callers_fault(far: EchoServicer) -> None:
    strangers = Peers("near", ServiceTokens(SharedSecret("another-secret-of-sufficient-length!")))
    async with fake_peers({"far": [(add_echo, far, SERVICE)]}, peers=strangers):
        await unavailable(strangers.stub("far", EchoStub).Echo(text("")))


async def test_an_unavailable_answer_is_asked_for_again(peers: Peers, far: EchoServicer) -> None:
    tries = 0

    async def flaky(value: str) -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise WaybillError(Kind.UNAVAILABLE, "DATABASE_BUSY", "not yet")
        return value

    far.answer = flaky
    before_sent, before_served = sent.copy(), served.copy()
    assert (await peers.stub("far", EchoStub).Echo(text("x"))).value == "x"
    assert tries == 3
    assert sent - before_sent == {ECHO: 1}
    assert served - before_served == {ECHO: 3}


async def test_a_refusal_is_not_asked_for_again(peers: Peers, far: EchoServicer) -> None:
    tries = 0

    async def refuse(_: str) -> str:
        nonlocal tries
        tries += 1
        raise missing("order", "PO1")

    far.answer = refuse
    with pytest.raises(WaybillError):
        await peers.stub("far", EchoStub).Echo(text("x"))
    assert tries == 1


async def test_many_megabytes_pass_between_services(peers: Peers) -> None:
    large = "x" * (20 * 1024 * 1024)
    assert len((await peers.stub("far", EchoStub).Echo(text(large))).value) == len(large)


async def test_streams_carry_the_same_identity_and_errors(peers: Peers, far: EchoServicer) -> None:
    async def watched(value: str) -> AsyncIterator[str]:
        yield f"{current().caller_service}:{current().principal.user_id}"
        raise missing("order", value)

    far.watched = watched
    got: list[str] = []
    before = sent.copy()
    with peers.acting(ANNA), pytest.raises(WaybillError) as caught:
        await gather(peers.stub("far", EchoStub).Watch(text("PO1")), got)
    assert (got, caught.value.metadata["id"]) == (["near:anna"], "PO1")
    assert sent - before == {WATCH: 1}


async def test_services_of_one_process_share_channels_and_late_addresses() -> None:
    first = Peers("order", SERVICE_TOKENS)
    second = first.of("pricing")
    stub = second.stub("echo", EchoStub)

    async def who(_: str) -> str:
        return current().caller_service or ""

    async with serving(echo_app(EchoServicer(who), name="echo"), peers=first) as server:
        assert (await stub.Echo(text(""))).value == "pricing"
        assert (await first.stub("echo", EchoStub).Echo(text(""))).value == "order"
        assert first.channel(server.address) is second.channel(server.address)


async def test_canceling_a_call_cancels_it_at_the_peer(peers: Peers, far: EchoServicer) -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def hang(_: str) -> str:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return ""

    far.answer = hang
    task = asyncio.create_task(peers.stub("far", EchoStub).Echo(text("")))
    await asyncio.wait_for(entered.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(left.wait(), 30)
