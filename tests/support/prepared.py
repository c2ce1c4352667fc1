"""A marketplace that is migrated and set up once a run; a test begins with a copy of it."""

from __future__ import annotations

import fcntl
import json
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from services.directory.application.bootstrap import OneTimeSecret
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import set_up
from tests.support.sealing import SEALING_KEY
from waybill_client import AsyncWaybill

CHEAP = {"directory": {"argon2_time": 1, "argon2_memory_kib": 8}}
"""Settings of services where passwords guard nothing: a hash costs next to nothing."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A copy of a test's own: where it is, and its owner's secret, which is shown only once."""

    database_url: str
    """Empty for SQLite."""
    secret: OneTimeSecret


@dataclass(frozen=True, slots=True)
class _Original:
    secret: OneTimeSecret
    database: str = ""


async def copied_files(run: Path, data: Path) -> Prepared:
    """SQLite: the files are put into `data`. The first process of the run that asks makes the original."""
    original = run / "marketplace"

    async def make() -> _Original:
        return _Original(await _set_up(HostSettings(data=original, background=False)))

    made = await _once(run / "marketplace-sqlite.json", make)
    shutil.copytree(original, data, dirs_exist_ok=True)
    return Prepared("", made.secret)


@asynccontextmanager
async def copied_database(run: Path, server: str) -> AsyncIterator[Prepared]:
    """PostgreSQL: a database made from the original as its template, gone after the block."""

    async def make() -> _Original:
        name = await create_database(server)
        return _Original(
            await _set_up(HostSettings(database_url=url_of(server, name), sealing_key=SEALING_KEY, background=False)), name
        )

    made = await _once(run / "marketplace-postgresql.json", make)
    async with own_database(server, template=made.database) as url:
        yield Prepared(url, made.secret)


async def drop_original(run: Path, server: str) -> None:
    """Removes the template, for a server that outlives the run."""
    record = run / "marketplace-postgresql.json"
    if record.exists():
        await drop_database(server, json.loads(record.read_text())["database"])


@asynccontextmanager
async def own_database(server: str, template: str = "") -> AsyncIterator[str]:
    """The URL of a database that is made for the block, empty or from a template."""
    name = await create_database(server, template)
    try:
        yield url_of(server, name)
    finally:
        await drop_database(server, name)


async def create_database(server: str, template: str = "") -> str:
    """A new database's name."""
    name = f"t{uuid.uuid4().hex[:12]}"
    await _execute(server, f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    return name


async def drop_database(server: str, name: str) -> None:
    """Whoever is connected is thrown out."""
    await _execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def url_of(server: str, name: str) -> str:
    """The URL of a database of the server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _set_up(settings: HostSettings) -> OneTimeSecret:
    # A hash says how dear it is to verify: what is cheap in the original is so wherever somebody signs in to a copy.
    return await _served_once(replace(settings, services=CHEAP))


async def _served_once(settings: HostSettings) -> OneTimeSecret:
    async with running(settings) as host:
        assert host.secret is not None
        async with AsyncWaybill(host.address, host.secret.client_id, host.secret.client_secret) as owner:
            await set_up(owner)
        return host.secret


async def _once(record: Path, make: Callable[[], Awaitable[_Original]]) -> _Original:
    with record.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            record.write_text(json.dumps(asdict(await make())))
        found = json.loads(record.read_text())
        return _Original(OneTimeSecret(**found["secret"]), found["database"])
