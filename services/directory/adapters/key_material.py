"""Makes keys that sign tokens."""

from __future__ import annotations

import asyncio

from libs.auth.keys import new_private_key, private_key, public_jwk
from libs.ids import IdSource
from services.directory.application.ports_of_tokens import MadeKey


class RsaKeys:
    """Fulfils `KeyMaker`. A name is never given twice: it is made of time and chance."""

    def __init__(self, ids: IdSource) -> None:
        self._ids = ids

    async def make(self) -> MadeKey:
        """In a thread: it takes a tenth of a second."""
        pem = await asyncio.to_thread(new_private_key)
        kid = self._ids.public("key")
        return MadeKey(kid, pem, public_jwk(private_key(pem).public_key(), kid)["n"])
