"""The rule of `domain/catalogs/visibility.py` as conditions on rows."""

from __future__ import annotations

import sqlalchemy as sa

from libs.db import Database
from libs.db.among import among
from libs.resource.database import StandardMethods
from services.catalog.adapters.db.tables import (
    CATALOG_PRODUCTS,
    CATALOGS,
    CATEGORIES,
    CATEGORY_PRODUCTS,
    PRODUCT_ASSIGNMENTS,
    PRODUCTS,
    SUPPLIER_PERMISSIONS,
)
from services.catalog.adapters.db.work import SqlCatalogWork
from services.catalog.domain.catalogs.visibility import Sight

Way = tuple[sa.Column[str], sa.ColumnElement[bool]]
"""A set of products: the column that names them, and the rows."""


def ways_shown(dialect: str, sight: Sight) -> list[Way]:
    """The sets of which every product that is shown is in one; where only some of a set are shown, it is the narrowest."""
    stands, shelved, assigned = CATALOG_PRODUCTS.c, CATEGORY_PRODUCTS.c, PRODUCT_ASSIGNMENTS.c
    ways: list[Way] = []
    if sight.whole:
        ways.append((stands.product_id, among(dialect, stands.catalog_id, sight.whole)))
    if sight.shelves:
        ways.append((shelved.product_id, among(dialect, shelved.category_id, sight.shelves)))
    if sight.catalogs - sight.whole:
        mine = among(dialect, assigned.user_group_id, {"", *sight.groups})
        ways.append((assigned.product_id, sa.and_(assigned.buyer_id == sight.buyer_id, mine)))
    return ways


def shown_products(dialect: str, sight: Sight, *, walking: bool = False) -> sa.ColumnElement[bool]:
    """Products that are shown, whether they are active or not. What is empty is not asked about.

    `walking` is for the first products of many: each is looked up in the sets, where PostgreSQL would read whole sets before.
    """
    stands, ways = CATALOG_PRODUCTS.c, list[sa.ColumnElement[bool]]()
    probed = walking and dialect == "postgresql"
    for id, rows in ways_shown(dialect, sight):
        way = _is_in(id, rows, probed)
        if id.table is PRODUCT_ASSIGNMENTS:
            there = among(dialect, stands.catalog_id, sight.catalogs - sight.whole)
            way = sa.and_(_is_in(stands.product_id, there, probed), way)
        ways.append(way)
    return sa.or_(sa.false(), *ways)


def _is_in(id: sa.Column[str], rows: sa.ColumnElement[bool], probed: bool) -> sa.ColumnElement[bool]:
    """Whether a product is in a set. `probed` keeps PostgreSQL from making a hash table of all its rows, as an offset does."""
    found = sa.select(id).where(id == PRODUCTS.c.id, rows).correlate(PRODUCTS)
    return (found.offset(0) if probed else found).exists()


def _permitted(catalog: sa.ColumnElement[str], supplier_id: str) -> sa.ColumnElement[bool]:
    """Rows of a catalog that the supplier has a permission for."""
    c = SUPPLIER_PERMISSIONS.c
    return sa.exists().where(c.catalog_id == catalog, c.supplier_id == supplier_id)


class SqlShown:
    """Fulfils `Shown`: the standard methods, narrowed."""

    def __init__(
        self,
        database: Database,
        catalogs: StandardMethods[SqlCatalogWork],
        categories: StandardMethods[SqlCatalogWork],
        products: StandardMethods[SqlCatalogWork],
    ) -> None:
        self._dialect = database.dialect
        self._catalogs = catalogs
        self._categories = categories
        self._products = products

    def catalogs(self, sight: Sight) -> StandardMethods[SqlCatalogWork]:
        """Catalogs that the buyer has."""
        return self._catalogs.showing(among(self._dialect, CATALOGS.c.id, sight.catalogs))

    def categories(self, sight: Sight) -> StandardMethods[SqlCatalogWork]:
        """Categories that are shown."""
        return self._categories.showing(among(self._dialect, CATEGORIES.c.id, sight.categories))

    def catalogs_for(self, supplier_id: str) -> StandardMethods[SqlCatalogWork]:
        """Catalogs that the supplier has a permission for."""
        return self._catalogs.showing(_permitted(CATALOGS.c.id, supplier_id))

    def categories_for(self, supplier_id: str) -> StandardMethods[SqlCatalogWork]:
        """Their categories."""
        return self._categories.showing(_permitted(CATEGORIES.c.catalog_id, supplier_id))

    def products(self, sight: Sight, *, inactive: bool = False) -> StandardMethods[SqlCatalogWork]:
        """Products that are shown."""
        shown = shown_products(self._dialect, sight)
        return self._products.showing(shown if inactive else sa.and_(PRODUCTS.c.active, shown))
