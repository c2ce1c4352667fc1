"""`waybill changes`: what is typed, which server is asked, and what is printed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from typer.testing import CliRunner

from services.host.cli import app
from services.host.contexts import CONTEXTS
from services.host.operate import changes
from services.host.remote.session import Operator
from waybill.changes.v1 import change_service_pb2 as pb
from waybill_client import WaybillError

AT = Timestamp(seconds=1_790_000_000)
MADE = pb.Change(resource="product", resource_id="anvil", version=1, method="/waybill.catalog.v1.ProductService/X", time=AT)
GONE = pb.Change(resource="zone", resource_id="west", version=4, actor="sam", time=AT, deleted_body=Struct())


class Server:
    """A server that hosts some contexts; it is its own client."""

    def __init__(self, *hosted: str, broken: bool = False) -> None:
        self.feeds = {name: pb.ChangeFeed(context=name, enabled=True, changes=1_200, newest_time=AT) for name in hosted}
        self.broken = broken
        self.watched: list[pb.WatchChangesRequest] = []
        self.changes = self

    async def GetChangeFeed(self, request: pb.GetChangeFeedRequest) -> pb.GetChangeFeedResponse:
        if self.broken:
            raise WaybillError(grpc.StatusCode.UNAVAILABLE, "does not answer")
        if request.context not in self.feeds:
            raise WaybillError(grpc.StatusCode.NOT_FOUND, "hosted elsewhere")
        return pb.GetChangeFeedResponse(feed=self.feeds[request.context])

    async def SwitchChangeFeed(self, request: pb.SwitchChangeFeedRequest) -> pb.SwitchChangeFeedResponse:
        feed = self.feeds[request.context]
        feed.enabled = request.enabled
        return pb.SwitchChangeFeedResponse(feed=feed)

    async def WatchChanges(self, request: pb.WatchChangesRequest) -> AsyncIterator[pb.WatchChangesResponse]:
        self.watched.append(request)
        if not request.resume_token:
            yield pb.WatchChangesResponse(resume_token="t0")
        yield pb.WatchChangesResponse(change=MADE, resume_token="t1")
        yield pb.WatchChangesResponse(change=GONE, resume_token="t2")
        yield pb.WatchChangesResponse(resume_token="t3")
        raise KeyboardInterrupt


def at(*servers: Server) -> Any:
    return Operator(servers)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


async def test_every_feed_is_shown_wherever_it_is_hosted(capsys: pytest.CaptureFixture[str]) -> None:
    here, there = Server(*CONTEXTS[:2]), Server(*CONTEXTS[2:])
    there.feeds[CONTEXTS[2]].enabled = False
    assert await changes.status(at(here, there), json=False) == 0
    heading, *rows = words(capsys.readouterr().out)
    assert heading == ["context", "feed", "changes", "oldest", "newest"]
    assert [row[:3] for row in rows] == [[name, "off" if name == CONTEXTS[2] else "on", "1,200"] for name in CONTEXTS]


async def test_one_that_does_not_answer_is_named_and_the_others_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert await changes.status(at(Server(*CONTEXTS[1:])), json=True) == 1
    shown = capsys.readouterr()
    assert [feed["context"] for feed in json.loads(shown.out)] == list(CONTEXTS[1:])
    assert shown.err.startswith(f"{CONTEXTS[0]}: ")


async def test_a_server_that_fails_is_not_passed_over_for_another() -> None:
    with pytest.raises(WaybillError, match="does not answer"):
        await changes.turn_on(at(Server(broken=True), Server("catalog")), "catalog")


async def test_a_feed_is_turned_where_it_is_hosted_and_the_meaning_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server("catalog")
    assert await changes.turn_off(at(Server("order"), server), "catalog") == 0
    assert not server.feeds["catalog"].enabled
    assert "the feed of catalog is off: no change is written" in capsys.readouterr().out
    assert await changes.turn_on(at(Server("order"), server), "catalog", json=True) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert (shown["context"], shown["enabled"]) == ("catalog", True)


async def test_a_change_is_one_line_with_who_and_how_and_whether_it_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server("catalog")
    assert await changes.watch(at(server), "catalog", from_start=True, to_end=True) == 0
    assert server.watched == [pb.WatchChangesRequest(context="catalog", from_start=True)]
    when = AT.ToJsonString()
    assert capsys.readouterr().out.splitlines() == [
        f"{when} product anvil version 1 /waybill.catalog.v1.ProductService/X",
        f"{when} zone west version 4, deleted sam",
    ]


async def test_for_machines_every_line_has_the_token_to_go_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server("catalog")
    assert await changes.watch(at(server), "catalog", resume_token="t0", to_end=True, json=True) == 0
    assert server.watched == [pb.WatchChangesRequest(context="catalog", resume_token="t0")]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["resume_token"] for line in lines] == ["t1", "t2", "t3"]
    assert [line.get("change", {}).get("resource_id") for line in lines] == ["anvil", "west", None]


async def test_a_watch_from_now_to_the_end_brings_the_token_to_go_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert await changes.watch(at(Server("catalog")), "catalog", to_end=True, json=True) == 0
    assert json.loads(capsys.readouterr().out) == {"resume_token": "t0"}


def test_a_watch_ends_when_it_is_interrupted_and_not_before(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(changes.watch(at(Server("catalog")), "catalog"))
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["on", "moon"], "moon is none of"),
        (["off"], "Missing argument"),
        (["watch", "catalog", "--from-start", "--resume-token", "t1"], "not both"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(typed: list[str], said: str) -> None:
    refused = CliRunner().invoke(app, ["changes", *typed, "--client-secret", "x"])
    assert refused.exit_code == 2
    assert said in refused.output
