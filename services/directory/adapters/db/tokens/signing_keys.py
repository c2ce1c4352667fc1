"""Where the keys that sign tokens are."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.auth import KeySet, TokenSigner
from libs.auth.keys import jwk_of
from libs.clock import Clock
from libs.db import Database, Tx
from libs.sealing import SealingKeys
from libs.service.loops import Loop
from services.directory.adapters.db.tables import SELLERS, SIGNING_KEYS
from services.directory.adapters.key_material import about
from services.directory.application.tokens.ports import MadeKey
from services.directory.domain.tokens.signing_keys import SigningKey, signing

_K = SIGNING_KEYS.c
ERASE_PAUSE = 3_600.0
"""Seconds between two looks for keys that have retired."""
_PLAIN = (_K.kid, _K.create_time, _K.sign_time, _K.retire_time, _K.withdraw_time)


def _key(row: Any) -> SigningKey:
    return SigningKey(row.kid, row.create_time, row.sign_time, row.retire_time, row.withdraw_time)


def new_row(key: SigningKey, made: MadeKey) -> dict[str, Any]:
    """A key as it is stored."""
    times = {"create_time": key.create_time, "sign_time": key.sign_time, "retire_time": None, "withdraw_time": None}
    return {"kid": key.kid, "private_pem": made.private, "modulus": made.modulus, **times}


class SqlSigningKeys:
    """The keys within one transaction."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def every(self) -> list[SigningKey]:
        """All keys there ever were: a name is never used again."""
        return [_key(row) for row in await self._tx.execute(sa.select(*_PLAIN))]

    async def locked(self) -> list[SigningKey]:
        """The same, and nobody else changes them until the end of the transaction."""
        await self._tx.execute(sa.select(SELLERS.c.id).with_for_update())
        return await self.every()

    async def add(self, key: SigningKey, made: MadeKey) -> None:
        """Stores a new key. What is secret of those that have ended by then is erased."""
        await self.erase_ended(key.create_time)
        await self._tx.execute(self._tx.insert(SIGNING_KEYS), new_row(key, made))

    async def erase_ended(self, now: datetime) -> None:
        """Erases the private halves of keys that are withdrawn or have retired: nothing needs them."""
        ended = sa.or_(_K.withdraw_time.is_not(None), _K.retire_time <= now)
        await self._tx.execute(sa.update(SIGNING_KEYS).where(_K.private_pem != "", ended).values(private_pem=""))

    async def change(self, keys: Sequence[SigningKey]) -> None:
        """Stores the times of keys. What is secret of a withdrawn one is erased."""
        for key in keys:
            values: dict[str, Any] = {
                "sign_time": key.sign_time,
                "retire_time": key.retire_time,
                "withdraw_time": key.withdraw_time,
            }
            if key.withdraw_time is not None:
                values["private_pem"] = ""
            await self._tx.execute(sa.update(SIGNING_KEYS).where(_K.kid == key.kid).values(values))


class SqlKeyRing:
    """What signs and what verifies, as the database says at the moment; private keys that were read once are kept."""

    def __init__(self, database: Database, sealing: SealingKeys, audience: str = "") -> None:
        """`sealing` opens private halves; `audience` is whom tokens are for, when not for the services alone."""
        self._db = database
        self._sealing = sealing
        self._audience = audience
        self._signers: dict[str, TokenSigner] = {}

    async def signer(self, now: datetime) -> TokenSigner:
        """Of the key that signs now."""
        keys = [_key(row) for row in await self._verifying(now)]
        current = signing(keys, now)
        if current is None:
            raise RuntimeError("the directory has no key that signs: it was never set up")
        self._signers = {kid: signer for kid, signer in self._signers.items() if any(key.kid == kid for key in keys)}
        if current.kid not in self._signers:
            async with self._db.reading() as tx:
                sealed = (await tx.execute(sa.select(_K.private_pem).where(_K.kid == current.kid))).scalar_one()
            pem = self._sealing.open(sealed, about(current.kid))
            self._signers[current.kid] = TokenSigner(pem, current.kid, self._audience)
        return self._signers[current.kid]

    async def key_set(self, now: datetime) -> KeySet:
        """All keys that are published, sign, or verify."""
        rows = await self._verifying(now)
        said = "\n".join([self._audience, *sorted(row.kid for row in rows)])
        revision = hashlib.sha256(said.encode()).hexdigest()[:32]
        return KeySet([jwk_of(row.kid, row.modulus) for row in rows], self._audience, revision)

    def erasing(self, clock: Clock) -> Loop:
        """A background loop that erases the private halves of keys that have retired; safe in every replica."""

        async def erase() -> None:
            await self._db.retrying(lambda tx: SqlSigningKeys(tx).erase_ended(clock.now()))

        return Loop("erase", erase, ERASE_PAUSE, random.uniform(0.0, ERASE_PAUSE))

    async def _verifying(self, now: datetime) -> Sequence[Any]:
        holds = sa.and_(_K.withdraw_time.is_(None), sa.or_(_K.retire_time.is_(None), _K.retire_time > now))
        async with self._db.reading() as tx:
            return (await tx.execute(sa.select(*_PLAIN, _K.modulus).where(holds).order_by(_K.create_time))).all()
