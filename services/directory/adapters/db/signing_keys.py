"""Where the keys that sign tokens are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.auth import KeySet, TokenSigner
from libs.auth.keys import jwk_of
from libs.db import Database, Tx
from services.directory.adapters.db.tables import SELLERS, SIGNING_KEYS
from services.directory.application.ports_of_tokens import MadeKey
from services.directory.domain.signing_keys import SigningKey, signing

_K = SIGNING_KEYS.c
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
        """Stores a new key."""
        await self._tx.execute(self._tx.insert(SIGNING_KEYS), new_row(key, made))

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

    def __init__(self, database: Database, audience: str = "") -> None:
        """`audience` is whom tokens are for, when not for the services alone."""
        self._db = database
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
                pem = (await tx.execute(sa.select(_K.private_pem).where(_K.kid == current.kid))).scalar_one()
            self._signers[current.kid] = TokenSigner(pem, current.kid, self._audience)
        return self._signers[current.kid]

    async def key_set(self, now: datetime) -> KeySet:
        """All keys that are published, sign, or verify."""
        rows = await self._verifying(now)
        said = "\n".join([self._audience, *sorted(row.kid for row in rows)])
        revision = hashlib.sha256(said.encode()).hexdigest()[:32]
        return KeySet([jwk_of(row.kid, row.modulus) for row in rows], self._audience, revision)

    async def _verifying(self, now: datetime) -> Sequence[Any]:
        holds = sa.and_(_K.withdraw_time.is_(None), sa.or_(_K.retire_time.is_(None), _K.retire_time > now))
        async with self._db.reading() as tx:
            return (await tx.execute(sa.select(*_PLAIN, _K.modulus).where(holds).order_by(_K.create_time))).all()
