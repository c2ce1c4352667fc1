"""What decides over what a buyer's user is shown, read from the database."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from libs.db import Tx
from libs.db.among import among
from services.catalog.adapters.db.tables import (
    CATALOG_ASSIGNMENTS,
    CATALOGS,
    CATEGORIES,
    CATEGORY_ASSIGNMENTS,
    PRODUCT_ASSIGNMENTS,
)
from services.catalog.domain.catalogs.visibility import Grant, Node, Reach

_A, _C, _G, _S, _P = (CATALOG_ASSIGNMENTS.c, CATALOGS.c, CATEGORIES.c, CATEGORY_ASSIGNMENTS.c, PRODUCT_ASSIGNMENTS.c)
_REACHES = (
    sa.select(_C.id, _C.open_to_all_buyers, _A.view_all_categories, _A.view_all_products)
    .join_from(
        CATALOGS,
        CATALOG_ASSIGNMENTS,
        sa.and_(_A.catalog_id == _C.id, _A.buyer_id == sa.bindparam("buyer", type_=sa.String)),
        isouter=True,
    )
    .where(_C.active, sa.or_(_C.open_to_all_buyers, _A.buyer_id.is_not(None)))
    .order_by(_C.id)
)
_TO_GROUPS = sa.union_all(
    *(sa.select(c.buyer_id).where(c.buyer_id == sa.bindparam("buyer", type_=sa.String), c.user_group_id != "") for c in (_S, _P))
).limit(1)


class SqlSightStore:
    """One statement each, whatever there is to see."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def reaches(self, buyer_id: str) -> list[Reach]:
        """The active catalogs that the buyer has."""
        rows = await self._tx.execute(_REACHES, {"buyer": buyer_id})
        return [
            Reach.of(row.id, row.open_to_all_buyers, bool(row.view_all_categories), bool(row.view_all_products)) for row in rows
        ]

    async def shown_to_groups(self, buyer_id: str) -> bool:
        """Whether any category or product is assigned to a group of the buyer."""
        return (await self._tx.execute(_TO_GROUPS, {"buyer": buyer_id})).first() is not None

    async def nodes(self, catalogs: Collection[str], and_around: str = "") -> list[Node]:
        """All categories of the catalogs, and of the catalog that has a category."""
        wanted = among(self._tx.dialect, _G.catalog_id, catalogs)
        if and_around:
            around = CATEGORIES.alias("around").c
            wanted = sa.or_(
                wanted, _G.catalog_id == sa.select(around.catalog_id).where(around.id == and_around).scalar_subquery()
            )
        select = sa.select(_G.id, _G.catalog_id, _G.parent_id, _G.active).where(wanted)
        return [Node(row.id, row.catalog_id, row.parent_id, row.active) for row in await self._tx.execute(select)]

    async def grants(self, buyer_id: str, groups: Collection[str]) -> list[Grant]:
        """Assignments of categories to the buyer and to the groups."""
        mine = among(self._tx.dialect, _S.user_group_id, {"", *groups})
        rows = await self._tx.execute(sa.select(CATEGORY_ASSIGNMENTS).where(_S.buyer_id == buyer_id, mine))
        return [Grant(row.category_id, row.user_group_id, row.visible, row.view_all_products) for row in rows]
