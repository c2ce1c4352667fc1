"""Words of products in the database."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from libs.db import Tx
from libs.db.among import among
from services.catalog.adapters.db.tables import PRODUCT_WORDS

_W = PRODUCT_WORDS.c


class SqlWordStore:
    """Writes, a statement or two each, whatever the number of products and words."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def put(self, words: Mapping[str, frozenset[str]]) -> None:
        """Notes the words of products that have none yet."""
        rows = [{"word": word, "product_id": id} for id, of in sorted(words.items()) for word in sorted(of)]
        if rows:
            await self._tx.execute(sa.insert(PRODUCT_WORDS), rows)

    async def replace(self, product_id: str, words: frozenset[str]) -> None:
        """What a product is found by from now on; its row is locked."""
        known = frozenset((await self._tx.execute(sa.select(_W.word).where(_W.product_id == product_id))).scalars())
        if gone := known - words:
            await self._tx.execute(
                sa.delete(PRODUCT_WORDS).where(_W.product_id == product_id, among(self._tx.dialect, _W.word, gone))
            )
        await self.put({product_id: words - known})

    async def remove(self, product_id: str) -> None:
        """Nothing finds the product any more."""
        await self._tx.execute(sa.delete(PRODUCT_WORDS).where(_W.product_id == product_id))
