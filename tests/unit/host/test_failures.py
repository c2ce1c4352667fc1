"""What a command cannot do is one line for people and an object for machines, never a traceback."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import structlog
from typer.testing import CliRunner

from libs.obs import logging
from libs.service.startup import StartupError
from services.host.addresses import AddressError, require_callable, require_free, split
from services.host.cli import app
from services.host.failure import explained
from waybill_client import WaybillError


@pytest.fixture(autouse=True)
def a_place_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("WAYBILL_CLIENT_SECRET", raising=False)
    # The stream of a command that runs within this process is closed after it; logs of later tests would go there.
    monkeypatch.setattr(structlog, "configure", lambda **_: None)
    monkeypatch.setattr(logging, "_level", logging._level)
    (tmp_path / "file").write_text("no folder and no certificate")


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        yield "{}:{}".format(*listening.getsockname())


SAID = [
    ("serve --data file", "'file' is a file"),
    ("serve --bind 127.0.0.1", "'127.0.0.1' has no port"),
    ("serve --bind 127.0.0.1:99999", "has no port from 0 to 65535"),
    ("serve --bind 127.0.0.1:abc", "'127.0.0.1:abc' has no port"),
    ("serve --bind nowhere.invalid:8420 --insecure", "nowhere.invalid does not resolve"),
    ("serve --metrics-bind here", "a metrics address is host:port, not 'here'"),
    ("serve --only orders", "there is no service 'orders'"),
    ("serve --log-level LOUD", "'LOUD' is not one of"),
    ("serve --bind 127.0.0.1:0 --tls-certificate none.pem --tls-key file", "none.pem cannot be read: No such file"),
    ("serve --bind 127.0.0.1:0 --tls-certificate file --tls-key file", "file is no certificate in PEM"),
    ("config --only orders", "there is no service 'orders'"),
    ("migrate --only orders", "there is no service 'orders'"),
    ("migrate --data file", "'file' is a file"),
    ("migrate --database-url nonsense", "the database URL does not parse"),
    ("owner reset-secret --data nothing", "there is no marketplace"),
    ("backup file", "'file' is a file"),
    ("restore nothing", "SHA256SUMS is missing"),
    ("health --server 127.0.0.1", "'127.0.0.1' has no port"),
    ("health --tls-ca none.pem", "file 'none.pem' does not exist"),
    ("demo --server 127.0.0.1 --client-secret x", "'127.0.0.1' has no port"),
    ("demo --server orders=127.0.0.1:1 --client-secret x", "is neither host:port nor one of"),
    ("demo --server 127.0.0.1:1", "give --client-secret"),
    ("import northwind none", "dir 'none' does not exist"),
    ("check", "give --client-secret"),
    ("check --server 127.0.0.1 --client-secret x", "'127.0.0.1' has no port"),
    ("check --patience long", "Invalid value for '--patience'"),
    ("submissions list", "give --client-secret"),
    ("submissions list --server 127.0.0.1:0 --client-secret x", "port 0"),
    ("submissions resolve --client-secret x", "name orders, or say --all"),
    ("holds place", "Missing argument"),
    ("nonsense", "No such command 'nonsense'"),
]


@pytest.mark.parametrize(("typed", "text"), SAID, ids=[typed for typed, _ in SAID])
def test_a_value_that_cannot_be_is_one_line_and_exit_code_2(typed: str, text: str) -> None:
    said = CliRunner().invoke(app, typed.split())
    assert said.exit_code == 2, said.output
    assert text in said.stderr
    assert said.stderr.count("\n") == 1
    assert said.stdout == ""


@pytest.mark.parametrize("option", ["--bind", "--metrics-bind"])
def test_a_port_in_use_is_said_before_anything_is_made(option: str, taken: str, tmp_path: Path) -> None:
    binds = {"--bind": "127.0.0.1:0", option: taken}
    said = CliRunner().invoke(app, ["serve", "--data", "new", *(word for pair in binds.items() for word in pair)])
    assert (said.exit_code, said.stderr) == (1, f"cannot listen on {option} {taken}: Address already in use\n")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("backup file --json", "USAGE"),
        ("restore nothing --json", "ARCHIVE_INVALID"),
        ("check --json", "CLIENT_SECRET_MISSING"),
        ("demo --server here --client-secret x --json", "ADDRESS_INVALID"),
        ("migrate --json --database-url nonsense", "DATABASE_URL_INVALID"),
    ],
)
def test_a_machine_reads_the_failure_where_it_reads_results(typed: str, reason: str) -> None:
    said = CliRunner().invoke(app, typed.split())
    answer = json.loads(said.stdout)
    assert (answer["ok"], answer["error"]["reason"], said.exit_code) == (False, reason, 2)
    assert answer["error"]["message"]
    assert said.stderr == ""


def test_a_variable_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_POOL_SIZE", "many")
    for command in (["serve"], ["migrate"], ["config"], ["owner", "reset-secret"], ["backup", "archive"]):
        said = CliRunner().invoke(app, command)
        assert (said.exit_code, said.stderr.count("\n")) == (2, 1)
        assert "WAYBILL_POOL_SIZE: 'many' is not a whole number" in said.stderr


def test_a_server_that_does_not_answer_is_one_line(taken: str) -> None:
    unreachable = WaybillError(grpc.StatusCode.UNAVAILABLE, "failed to connect to all addresses")
    failure = explained(ExceptionGroup("calls", [ExceptionGroup("some", [unreachable]), unreachable]))
    assert failure is not None
    assert (failure.reason, failure.message) == ("UNAVAILABLE", "no server answers: failed to connect to all addresses")


def test_what_machine_and_database_refuse_is_explained_and_a_defect_is_not() -> None:
    missing = explained(FileNotFoundError(2, "No such file or directory", "/proc/nope"))
    assert missing is not None
    assert (missing.reason, missing.message) == ("FILE_FAILED", "/proc/nope: No such file or directory")
    broken = explained(sqlite3.DatabaseError("file is not a database"))
    assert broken is not None
    assert broken.reason == "DATABASE_UNAVAILABLE"
    answerless = StartupError("the database does not answer")
    answerless.__cause__ = sqlite3.DatabaseError("file is not a database")
    shown = explained(answerless)
    assert shown is not None
    assert shown.message == "the database does not answer (DatabaseError: file is not a database)"
    later = explained(StartupError("not now"))
    assert later is not None
    assert later.exit_code == 1
    assert explained(KeyError("defect")) is None
    assert explained(ExceptionGroup("both", [OSError("explained"), KeyError("defect")])) is None


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object) -> None:
        raise KeyError("defect")

    monkeypatch.setattr("services.host.process.config.explain", defect)
    assert isinstance(CliRunner().invoke(app, ["config"]).exception, KeyError)


@pytest.mark.parametrize("address", ["a:1", "[::1]:8420", "10.0.0.1:1,10.0.0.2:1", "dns:///order:8420"])
def test_an_address_of_a_server_is_taken_in_every_form(address: str) -> None:
    assert require_callable(address) == address


@pytest.mark.parametrize("address", ["", "a", ":1", "::1", "a:", "a:-1", "a:+1", "a:65536", "a:0", "a:1,b"])
def test_what_is_no_address_of_a_server_is_refused(address: str) -> None:
    with pytest.raises(AddressError):
        require_callable(address)


def test_an_address_to_listen_on_may_leave_the_port_to_the_machine() -> None:
    assert split("[::1]:0") == ("::1", 0)
    require_free("--bind", "localhost:0")
