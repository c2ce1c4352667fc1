"""Which orders are the carts of users who signed in."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.audit.trail import Act, note
from libs.db import Tx
from services.order.adapters.db.rows import order_of
from services.order.adapters.db.tables import CARTS, METADATA, ORDERS, SUBMISSIONS
from services.order.application.records import Cart, CartKind
from services.order.domain.model import Order

_C, _O = CARTS.c, ORDERS.c
_BUYER, _USER = sa.bindparam("buyer", type_=sa.String), sa.bindparam("user", type_=sa.String)
# The status is no parameter: else the partial index would not serve.
_OWN = (
    _O.kind == "BUYER",
    _O.status == sa.literal_column("'UNSUBMITTED'"),
    sa.not_(_O.guest),
    _O.buyer_id == _BUYER,
    _O.user_id == _USER,
)
_NEWEST = sa.select(ORDERS).where(*_OWN).order_by(_O.create_time.desc(), _O.key.desc()).limit(1)
_PINNED = (
    sa.select(ORDERS).join(CARTS, _C.order_key == _O.key).where(*_OWN, _C.buyer_id == _BUYER, _C.user_id == _USER, _C.pinned)
)
_OTHERS = sa.select(_O.key).where(*_OWN, _O.key != sa.bindparam("key", type_=sa.Uuid)).limit(1)

_OPEN = sa.or_(sa.not_(SUBMISSIONS.c.finished), SUBMISSIONS.c.state == "ACCEPTED")
_NEVER_SUBMITTED = (
    _O.kind == "BUYER",
    _O.status == sa.literal_column("'UNSUBMITTED'"),
    _O.submit_time.is_(None),
    ~sa.exists().where(SUBMISSIONS.c.order_key == _O.key, _OPEN),
)
_WITH_LINES = _O.line_item_count > sa.literal_column("0")
_OF_KIND = {
    CartKind.EMPTY: (_O.line_item_count == sa.literal_column("0"),),
    CartKind.GUEST: (_WITH_LINES, _O.guest),
    CartKind.USER: (_WITH_LINES, sa.not_(_O.guest)),
}


def oldest(kind: CartKind) -> sa.Select[Any]:
    """When the order of a kind was changed that nobody has touched for longest."""
    return sa.select(sa.func.min(_O.update_time)).where(_O.status == sa.literal_column("'UNSUBMITTED'"), *_OF_KIND[kind])


class SqlCartStore:
    """Fulfils `CartStore`."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def find(self, buyer_id: str, user_id: str) -> Cart | None:
        """The order that is pinned, or the newest: two statements at most."""
        for statement, pinned in ((_PINNED, True), (_NEWEST, False)):
            row = (await self._tx.execute(statement, {"buyer": buyer_id, "user": user_id})).mappings().first()
            if row is not None:
                return Cart(order_of(row), pinned)
        return None

    async def begin(self, order: Order) -> bool:
        """Waits for whoever has written the user's row and not ended; what that one has stored is seen after it."""
        await self._write(order, pinned=False)
        others = await self._tx.execute(_OTHERS, {"buyer": order.buyer_id, "user": order.user.id, "key": order.key})
        return others.first() is None

    async def pin(self, order: Order) -> None:
        """Replaces what was pinned before."""
        await self._write(order, pinned=True)
        note(self._tx, METADATA, [Act("cart", order.id, order.update_time)])

    async def unpin(self, buyer_id: str, user_id: str) -> None:
        """No error where nothing is pinned."""
        await self._tx.execute(sa.delete(CARTS).where(_C.buyer_id == buyer_id, _C.user_id == user_id, _C.pinned))

    async def abandoned(
        self, kind: CartKind, before: datetime, after: tuple[datetime, uuid.UUID] | None, limit: int
    ) -> list[Order]:
        """One statement, which an index of its kind answers in this order."""
        statement = sa.select(ORDERS).where(*_NEVER_SUBMITTED, *_OF_KIND[kind], _O.update_time < before)
        if after is not None:
            time, key = after
            statement = statement.where(_O.update_time >= time, sa.or_(_O.update_time > time, _O.key > key))
        rows = await self._tx.execute(statement.order_by(_O.update_time, _O.key).limit(limit))
        return [order_of(row) for row in rows.mappings()]

    async def lock(self, keys: Sequence[uuid.UUID]) -> list[Order]:
        """In the order of their keys."""
        statement = sa.select(ORDERS).where(*_NEVER_SUBMITTED, _O.key.in_(list(keys))).order_by(_O.key)
        rows = await self._tx.execute(statement.with_for_update(of=ORDERS, skip_locked=True))
        return [order_of(row) for row in rows.mappings()]

    async def _write(self, order: Order, *, pinned: bool) -> None:
        insert: Any = self._tx.insert(CARTS)
        key = {"order_key": insert.excluded.order_key, "pinned": insert.excluded.pinned}
        row = {"buyer_id": order.buyer_id, "user_id": order.user.id, "order_key": order.key, "pinned": pinned}
        await self._tx.execute(insert.on_conflict_do_update(index_elements=["buyer_id", "user_id"], set_=key), row)
