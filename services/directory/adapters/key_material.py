"""Makes keys that sign tokens, and seals their private halves."""

from __future__ import annotations

import asyncio

from libs.auth.keys import new_private_key, private_key, public_jwk
from libs.ids import IdSource
from libs.sealing import SealingKeys
from services.directory.application.tokens.ports import MadeKey


class RsaKeys:
    """Fulfils `KeyMaker`. A name is never given twice: it is made of time and chance."""

    def __init__(self, ids: IdSource, sealing: SealingKeys) -> None:
        self._ids = ids
        self._sealing = sealing

    async def make(self) -> MadeKey:
        """In a thread: it takes a tenth of a second."""
        pem = await asyncio.to_thread(new_private_key)
        kid = self._ids.public("key")
        return MadeKey(kid, self._sealing.seal(pem, about(kid)), public_jwk(private_key(pem).public_key(), kid)["n"])


def about(kid: str) -> str:
    """What the sealed private half of a key says that it is."""
    return f"signing key {kid}"
