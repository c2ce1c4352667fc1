"""Keeps the private halves of the keys of tokens sealed, by keys that the database does not hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database, Tx
from libs.sealing import FindKeys, NotOpened, SealingKeys, sealed_by
from libs.service.startup import StartupError
from services.directory.adapters.db.tables import SIGNING_KEYS
from services.directory.adapters.db.tokens.signing_keys import SqlSigningKeys
from services.directory.adapters.key_material import about

_K = SIGNING_KEYS.c
_HALVES = sa.select(_K.kid, _K.private_pem).where(_K.private_pem != "")
_NO_TRACE = sa.text("PRAGMA secure_delete=ON")


class SealingKeyMismatch(StartupError):
    """The sealing keys do not open what is stored."""

    exit_code = 2
    reason = "SEALING_KEY_MISMATCH"


async def seal_stored(database: Database, find: FindKeys, clock: Clock) -> SealingKeys:
    """Finds the sealing keys, and seals by the first of them whatever it has not sealed yet; ended keys lose their private half.

    Raises `SealingKeyMismatch`, and nothing has changed, when one of the private halves does not open.
    """
    now = clock.now()
    async with database.reading() as tx:
        living = sa.and_(_K.withdraw_time.is_(None), sa.or_(_K.retire_time.is_(None), _K.retire_time > now))
        wanted = frozenset(sealed_by(row.private_pem) for row in (await tx.execute(_HALVES.where(living))).all()) - {""}
    keys = find(wanted)
    if missing := wanted - set(keys.fingerprints):
        raise mismatch(missing, keys.fingerprints)
    if await database.retrying(lambda tx: _seal(tx, keys, now)):
        await database.forget_overwritten()
    return keys


def mismatch(wanted: frozenset[str], given: tuple[str, ...]) -> SealingKeyMismatch:
    """Names both by their fingerprints."""
    return SealingKeyMismatch(
        f"the keys of tokens are sealed by the sealing key {', '.join(sorted(wanted))}, and given is {', '.join(given)}: "
        "give the right one, behind the one given if that is to follow it; if it is lost: `waybill sealing-key lost`"
    )


async def _seal(tx: Tx, keys: SealingKeys, now: datetime) -> bool:
    """Whether a private half lay open."""
    if tx.dialect == "sqlite":
        await tx.execute(_NO_TRACE)
    stored = SqlSigningKeys(tx)
    await stored.locked()
    await stored.erase_ended(now)
    found = [(row.kid, row.private_pem) for row in (await tx.execute(_HALVES)).all()]
    changed = [(kid, keys.seal(_opened(kid, half, keys), about(kid))) for kid, half in found if _differs(kid, half, keys)]
    for kid, half in changed:
        await tx.execute(sa.update(SIGNING_KEYS).where(_K.kid == kid).values(private_pem=half))
    return any(not sealed_by(half) for _, half in found)


def _differs(kid: str, half: str, keys: SealingKeys) -> bool:
    """Whether it is not sealed by the first key. One that is has to open all the same."""
    _opened(kid, half, keys)
    return sealed_by(half) != keys.first


def _opened(kid: str, half: str, keys: SealingKeys) -> str:
    if not sealed_by(half):
        return half
    try:
        return keys.open(half, about(kid))
    except NotOpened as error:
        raise SealingKeyMismatch(f"{error}: if the sealing key is lost, `waybill sealing-key lost`") from None


async def drop_keys(tx: Tx) -> int:
    """Drops every key of tokens, and says how many there were: the next start makes one."""
    await SqlSigningKeys(tx).locked()
    dropped: Any = await tx.execute(sa.delete(SIGNING_KEYS))
    return int(dropped.rowcount)
