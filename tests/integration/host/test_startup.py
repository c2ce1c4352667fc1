"""A database that is wrong, not there, or not there yet when a process starts."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.support.ports import free_port
from tests.support.process import SECRET, said, served, started


def moved(url: str, **parts: object) -> str:
    return make_url(url).set(**parts).render_as_string(hide_password=False)


@asynccontextmanager
async def forwarding(port: int, url: str) -> AsyncIterator[None]:
    """Makes the server of `url` answer on `port` too."""
    target = make_url(url)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(target.host, target.port)
        await asyncio.gather(pump(reader, forth), pump(back, writer), return_exceptions=True)

    server = await asyncio.start_server(accept, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


SERVE = ("serve", "--bind", "127.0.0.1:0")
WRONG_SCHEME = "mysql://somebody:hidden@127.0.0.1/shop"


@pytest.mark.parametrize(
    ("command", "url", "text"),
    [
        (SERVE, WRONG_SCHEME, "a database URL begins with sqlite: or postgresql:, not mysql:"),
        (("migrate",), WRONG_SCHEME, "a database URL begins with sqlite: or postgresql:, not mysql:"),
        (("import", "northwind", "tests/data/northwind"), WRONG_SCHEME, "a database URL begins with"),
        (SERVE, "no url, hidden", "the database URL does not parse"),
        (SERVE, "postgresql://somebody:hidden@127.0.0.1:port/shop", "the database URL does not parse"),
    ],
)
async def test_a_wrong_database_url_is_one_line_and_exit_code_2(command, url, text):
    code, output, errors = await said(*command, "--database-url", url)

    assert (code, output) == (2, "")
    assert errors.startswith(text)
    assert errors.count("\n") == 1
    assert "hidden" not in errors


async def test_a_database_that_does_not_exist_on_its_server_is_one_line_and_exit_code_2(postgres_url):
    code, output, errors = await said(*SERVE, "--database-url", moved(postgres_url, database="nowhere", password="hidden"))

    assert (code, output) == (2, "")
    assert 'database "nowhere" does not exist' in errors or "password authentication failed" in errors
    assert errors.count("\n") == 1
    assert "hidden" not in errors


@pytest.mark.parametrize("command", [SERVE, ("migrate",)])
async def test_a_server_that_never_answers_is_waited_for_and_then_named_in_one_line(command):
    url = f"postgresql://somebody:hidden@127.0.0.1:{free_port()}/shop"
    code, output, errors = await said(*command, "--database-url", url, environment={"WAYBILL_DATABASE_WAIT": "1.5"})

    assert (code, output) == (1, "")
    *waiting, last = errors.splitlines()
    assert len(waiting) >= 2
    assert all("database_unreachable" in line and "seconds_left" in line for line in waiting)
    assert re.match(r"postgresql://somebody:\*\*\*@127\.0\.0\.1:\d+/shop did not answer within 1\.5 s: ", last)
    assert "hidden" not in errors


async def test_a_server_that_comes_late_is_waited_for_and_then_served_from(cluster_database: str, tmp_path: Path):
    port = free_port()
    process = await started(
        *(*SERVE, "--only", "catalog"),
        *("--database-url", moved(cluster_database, host="127.0.0.1", port=port)),
        environment={**os.environ, "WAYBILL_SERVICE_SECRET": SECRET},
        errors=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            assert b"database_unreachable" in await process.stderr.readline()
            async with forwarding(port, cluster_database):
                assert b"serves catalog" in await process.stdout.readline()
                process.send_signal(signal.SIGTERM)
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0


@contextmanager
def taken() -> Iterator[str]:
    """An address where somebody listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield f"127.0.0.1:{other.getsockname()[1]}"


@pytest.mark.parametrize("option", ["--bind", "--metrics-bind"])
async def test_a_first_start_that_cannot_listen_says_so_and_leaves_the_secret_to_the_next(tmp_path: Path, option: str):
    with taken() as address:
        code, output, errors = await said("serve", "--data", str(tmp_path), "--bind", "127.0.0.1:0", option, address)
    assert (code, output) == (1, "")
    assert address in errors.splitlines()[-1]
    assert "Traceback" not in errors
    async with served(tmp_path) as next:
        assert next.client_secret
