"""The databases of a process: waiting for them at the start."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg

from libs.db.startup import DatabaseUrlError, UnreachableError
from libs.db.url import masked_url, parsed_url
from libs.obs import get_logger
from services.host.process.settings import HostSettings

PAUSE = 1.0
"""Seconds between two tries."""
_HOPELESS = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
_LOG = get_logger("database")


async def wait_for_databases(host: HostSettings, contexts: Sequence[str] | None = None) -> None:
    """Returns once every PostgreSQL of the contexts answers; of those that this process hosts, if none are named.

    Raises `DatabaseUrlError` at once when it answers that there is no such user or database, `UnreachableError` when it
    has not answered for as long as the settings say.
    """
    urls = {host.database(context)[0] for context in contexts or host.hosted}
    await asyncio.gather(*(_wait(url, host) for url in sorted(urls) if _is_postgresql(url)))


def _is_postgresql(url: str) -> bool:
    return parsed_url(url).get_backend_name() == "postgresql"


async def _wait(url: str, host: HostSettings) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + host.database_wait
    while True:
        try:
            await _answers(url, host.tuning.connect_timeout or 10.0)
            return
        except _HOPELESS as error:
            raise DatabaseUrlError(f"{masked_url(url)} refuses: {error}") from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            reason = str(error) or type(error).__name__
        left = until - loop.time()
        if left <= 0:
            raise UnreachableError(f"{masked_url(url)} did not answer within {host.database_wait:g} s: {reason}")
        _LOG.warning("database_unreachable", url=masked_url(url), reason=reason, seconds_left=round(left))
        await asyncio.sleep(min(PAUSE, left))


async def _answers(url: str, patience: float) -> None:
    plain = parsed_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain, timeout=patience)
    await connection.close()
