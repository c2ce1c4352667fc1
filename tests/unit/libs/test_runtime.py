"""Failpoints, logging, the shape of a built service."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from libs.failpoints import KILLED, Failpoints
from libs.invariants import Finding, Record, Summary
from libs.obs import configure_logging, get_logger
from libs.service.app import ServiceApp
from tests.support import logs


async def test_a_place_that_is_not_armed_passes() -> None:
    await Failpoints.from_env(None).reach("order.submit.after_begin")


async def test_an_armed_place_fails_and_passes_again_once_disarmed() -> None:
    points = Failpoints.from_env("a=raise;b=raise")
    with pytest.raises(RuntimeError):
        await points.reach("a")
    points.disarm("a")
    await points.reach("a")
    with pytest.raises(RuntimeError):
        await points.reach("b")


async def test_a_test_may_arm_a_place_with_anything() -> None:
    reached: list[str] = []

    async def note() -> None:
        reached.append("here")

    points = Failpoints()
    points.arm("x", note)
    await points.reach("x")
    await points.reach("y")
    assert reached == ["here"]


def test_an_unknown_action_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="kill or raise"):
        Failpoints.from_env("a=explode")


def test_kill_ends_the_process_at_once_without_cleaning_up() -> None:
    code = (
        "import asyncio, atexit; from libs.failpoints import Failpoints\n"
        "atexit.register(lambda: print('cleaned up'))\n"
        "asyncio.run(Failpoints.from_env('a=kill').reach('a'))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (KILLED, "")


def test_a_watched_place_kills_the_time_that_is_armed_and_no_other(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from libs.failpoints import Watch\n"
        "asyncio.run(Watch(Path(sys.argv[1])).reach('a')); print('passed')"
    )
    (tmp_path / "armed").write_text("a#2")

    def reach() -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)

    assert [(ended.returncode, ended.stdout) for ended in (reach(), reach(), reach())] == [
        (0, "passed\n"),
        (KILLED, ""),
        (0, "passed\n"),
    ]
    assert (tmp_path / "hits").read_text() == "a\na\na\n"


@pytest.fixture
def unconfigured() -> Iterator[None]:
    yield
    logs.plain()


@pytest.mark.usefixtures("unconfigured")
def test_a_logger_made_at_import_obeys_what_is_configured_later() -> None:
    log = get_logger("early")
    out = io.StringIO()
    configure_logging("INFO", json=True, stream=out)
    log.debug("quiet")
    log.info("loud", n=1)
    line = json.loads(out.getvalue())
    assert (line["event"], line["n"], line["component"], line["level"]) == ("loud", 1, "early", "info")
    assert line["timestamp"].endswith("Z")


@pytest.mark.usefixtures("unconfigured")
def test_people_get_text() -> None:
    out = io.StringIO()
    configure_logging("DEBUG", stream=out)
    get_logger("x").warning("look", why="because")
    assert "look" in out.getvalue()
    assert "why=because" in out.getvalue()


@pytest.mark.usefixtures("unconfigured")
@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize("value", ["a\n2026-03-20T00:00:00Z [info] forged", "a\r\nforged"])
def test_a_value_begins_no_line_of_its_own(json: bool, value: str) -> None:
    out = io.StringIO()
    configure_logging("INFO", json=json, stream=out)
    get_logger("x").info("call", request_id=value)
    assert out.getvalue().count("\n") == 1
    assert "\r" not in out.getvalue()


class Thing:
    """Shows itself as it likes."""

    def __repr__(self) -> str:
        return "thing \x1b[2J\u2028forged"


@pytest.mark.usefixtures("unconfigured")
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"'\x1b[31mred\x1b[0m'"),
        ("\x1b]0;title\x07", r"'\x1b]0;title\x07'"),
        ("\x9b2J", r"'\x9b2J'"),
        ("back\x08\x7f\x00", r"'back\x08\x7f\x00'"),
        ("a\u0085b\u2028c\u2029d", r"'a\x85b\u2028c\u2029d'"),
        ("user\u202eresu", r"'user\u202eresu'"),
        (r"\x1b[31m", r"\x1b[31m"),
        ("Zoë Ångström 注文", "'Zoë Ångström 注文'"),
        (["\x1b", {"k": "\x9b"}], r"['\x1b', {'k': '\x9b'}]"),
        (Thing(), r"thing \x1b[2J\u2028forged"),
        (3, "3"),
    ],
)
def test_no_value_commands_the_terminal(value: object, shown: str) -> None:
    out = io.StringIO()
    configure_logging("INFO", stream=out)
    get_logger("x").info("call", request_id=value)
    (line,) = out.getvalue().splitlines()
    assert line.isprintable()
    assert f"request_id={shown}" in line


@pytest.mark.usefixtures("unconfigured")
def test_neither_an_event_nor_an_error_commands_the_terminal() -> None:
    out = io.StringIO()
    configure_logging("INFO", stream=out)
    try:
        raise ValueError("no\n2026-03-20T00:00:00Z [info     ] call\r\x1b[1A\u2028forged")
    except ValueError as error:
        get_logger("x").error("failed \x1b[2J", exc_info=error)
    first, *trace = out.getvalue().removesuffix("\n").split("\n")
    assert all(line.isprintable() for line in (first, *trace))
    assert r"failed \x1b[2J" in first
    assert {line[:2] for line in trace} == {"| "}
    assert trace[-1] == r"| 2026-03-20T00:00:00Z [info     ] call\r\x1b[1A\u2028forged"


async def test_a_service_without_an_inspection_says_that_it_looked_at_nothing() -> None:
    app = ServiceApp(name="echo", registrations=[])
    assert [record async for record in app.inspected()] == [Summary("echo", 0, 0, 0)]
    await app.close()
    assert app.statements() == 0


async def test_a_services_inspection_is_passed_on() -> None:
    async def inspection(order_keys: Sequence[str]) -> Iterator[Record]:  # type: ignore[misc]
        yield Finding("echo", "rule", "subject", "detail")
        yield Summary("echo", 1, 2, 1)

    app = ServiceApp(name="echo", registrations=[], inspection=inspection)  # type: ignore[arg-type]
    assert [type(record) for record in [r async for r in app.inspected()]] == [Finding, Summary]
