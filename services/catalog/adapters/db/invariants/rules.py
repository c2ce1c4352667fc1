"""What the catalog's rows refer to, how its trees stand, and what its resources can be, as rules of its inspection."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.db.invariants import Look, SqlRule, sentence
from libs.resource.database.invariants import Stored, looking
from services.catalog.adapters.db.tables import (
    CATALOG,
    CATALOG_ASSIGNMENTS,
    CATALOG_PRODUCTS,
    CATALOGS,
    CATEGORIES,
    CATEGORY,
    CATEGORY_ASSIGNMENTS,
    CATEGORY_PRODUCTS,
    PRODUCT,
    PRODUCT_ASSIGNMENTS,
    PRODUCT_FACET,
    PRODUCT_FACET_VALUES,
    PRODUCT_FACETS,
    PRODUCT_PROPOSALS,
    PRODUCT_SPECS,
    PRODUCT_WORDS,
    PRODUCTS,
    SPEC,
    SPECS,
    SUPPLIER_PERMISSIONS,
    VARIANT,
    VARIANTS,
)
from services.catalog.domain.catalogs.tree import MAX_LEVEL
from services.catalog.domain.choices.specs import MAX_DEFINING, MAX_SPECS
from services.catalog.domain.suppliers.supply import STATES, WRITABLE


def _found(subject: Any, detail: Any) -> sa.Select[Any]:
    return sa.select(subject.label("subject"), detail)


def _lost(table: sa.Table, field: str, of: sa.Table) -> sa.Select[Any]:
    """Rows that name what is not there."""
    subject: Any = sa.literal(f"{table.name} ")
    for i, column in enumerate(table.primary_key):
        subject = subject + (sa.literal("/") + column if i else column)
    return _found(subject, sentence(field, " ", table.c[field])).where(~sa.exists().where(of.c.id == table.c[field]))


def _of_other_catalogs() -> sa.Select[Any]:
    """Products in categories of catalogs that they do not stand in."""
    here, stands, g = CATEGORY_PRODUCTS.c, CATALOG_PRODUCTS.c, CATEGORIES.c
    there = sa.exists().where(stands.catalog_id == g.catalog_id, stands.product_id == here.product_id)
    found = _found(sa.literal("category ") + here.category_id, sentence(here.product_id))
    return found.select_from(CATEGORY_PRODUCTS.join(CATEGORIES, g.id == here.category_id)).where(~there)


def _astray() -> sa.Select[Any]:
    """Categories whose parent is not in their catalog."""
    g, above = CATEGORIES.c, CATEGORIES.alias("above")
    there = sa.exists().where(above.c.id == g.parent_id, above.c.catalog_id == g.catalog_id)
    return _found(sa.literal("category ") + g.id, sentence(g.parent_id)).where(g.parent_id != "", ~there)


def _too_deep() -> sa.Select[Any]:
    """Categories with as many above them as there are levels: so is every one that stands below itself."""
    g = CATEGORIES.c
    chain: Any = CATEGORIES
    last: Any = g
    for level in range(MAX_LEVEL):
        above = CATEGORIES.alias(f"above_{level}")
        chain = chain.join(above, above.c.id == last.parent_id)
        last = above.c
    return _found(sa.literal("category ") + g.id, sentence(f"is below level {MAX_LEVEL}")).select_from(chain)


def _unknown_fields() -> sa.Select[Any]:
    """Permissions of what is no list of fields that can be permitted: something is left when these are taken out."""
    c = SUPPLIER_PERMISSIONS.c
    rest: Any = sa.cast(c.writable_fields, sa.Text)
    for part in (*(f'"{name}"' for name in WRITABLE), "[", "]", ",", " "):
        rest = sa.func.replace(rest, part, "")
    subject = sa.literal("supplier_permissions ") + c.supplier_id + "/" + c.catalog_id
    return _found(subject, sentence("permits ", rest)).where(rest != "")


def _proposals(detail: str, *which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    c = PRODUCT_PROPOSALS.c
    return _found(sa.literal("product_proposals ") + c.catalog_id + "/" + c.product_id, sentence(detail)).where(*which)


def _idle_proposals() -> Any:
    """Proposals of the seller's own products, and of what stands in the catalog already."""
    here, stands, p = PRODUCT_PROPOSALS.c, CATALOG_PRODUCTS.c, PRODUCTS.c
    return sa.union_all(
        _proposals("no supplier owns it", sa.exists().where(p.id == here.product_id, p.owner_supplier_id == "")),
        _proposals(
            "it stands there", sa.exists().where(stands.catalog_id == here.catalog_id, stands.product_id == here.product_id)
        ),
    )


def _strange_specs() -> sa.Select[Any]:
    """Specs of a supplier that another's product has."""
    h, s, p = PRODUCT_SPECS.c, SPECS.c, PRODUCTS.c
    both = PRODUCT_SPECS.join(SPECS, s.id == h.spec_id).join(PRODUCTS, p.id == h.product_id)
    found = _found(sa.literal("product ") + h.product_id, sentence("spec ", h.spec_id)).select_from(both)
    return found.where(s.owner_supplier_id.not_in(["", p.owner_supplier_id]))


def _many_specs() -> Any:
    """Products with more specs than they may have, and with more of those that define variants."""
    h, s = PRODUCT_SPECS.c, SPECS.c
    counted = _found(sa.literal("product ") + h.product_id, sentence("has too many specs")).group_by(h.product_id)
    defining = counted.select_from(PRODUCT_SPECS.join(SPECS, s.id == h.spec_id)).where(s.defines_variant)
    return sa.union_all(counted.having(sa.func.count() > MAX_SPECS), defining.having(sa.func.count() > MAX_DEFINING))


@cache
def look() -> Look:
    """Judges all of them."""
    rules = (
        SqlRule("category_has_its_catalog", _lost(CATEGORIES, "catalog_id", CATALOGS), CATEGORIES),
        SqlRule("category_has_its_parent", _astray(), CATEGORIES),
        SqlRule("category_is_within_its_levels", _too_deep(), CATEGORIES),
        SqlRule(
            "assigned_catalog_exists",
            sa.union_all(
                *(
                    _lost(table, "catalog_id", CATALOGS)
                    for table in (CATALOG_ASSIGNMENTS, CATALOG_PRODUCTS, SUPPLIER_PERMISSIONS, PRODUCT_PROPOSALS)
                )
            ),
            CATALOG_ASSIGNMENTS,
        ),
        SqlRule(
            "assigned_category_exists",
            sa.union_all(
                _lost(CATEGORY_ASSIGNMENTS, "category_id", CATEGORIES), _lost(CATEGORY_PRODUCTS, "category_id", CATEGORIES)
            ),
            CATEGORY_ASSIGNMENTS,
        ),
        SqlRule(
            "assigned_product_exists",
            sa.union_all(
                _lost(CATALOG_PRODUCTS, "product_id", PRODUCTS),
                _lost(CATEGORY_PRODUCTS, "product_id", PRODUCTS),
                _lost(PRODUCT_ASSIGNMENTS, "product_id", PRODUCTS),
                _lost(PRODUCT_PROPOSALS, "product_id", PRODUCTS),
                _lost(PRODUCT_SPECS, "product_id", PRODUCTS),
                _lost(VARIANTS, "product_id", PRODUCTS),
            ),
            CATALOG_PRODUCTS,
        ),
        SqlRule("word_has_its_product", _lost(PRODUCT_WORDS, "product_id", PRODUCTS), PRODUCT_WORDS),
        SqlRule(
            "value_has_its_product_and_facet",
            sa.union_all(
                _lost(PRODUCT_FACET_VALUES, "product_id", PRODUCTS), _lost(PRODUCT_FACET_VALUES, "facet_id", PRODUCT_FACETS)
            ),
            PRODUCT_FACET_VALUES,
        ),
        SqlRule("product_of_category_is_in_its_catalog", _of_other_catalogs(), CATEGORY_PRODUCTS),
        SqlRule("assigned_spec_exists", _lost(PRODUCT_SPECS, "spec_id", SPECS), PRODUCT_SPECS),
        SqlRule("product_has_specs_of_its_owner", _strange_specs(), PRODUCT_SPECS),
        SqlRule("product_has_no_more_specs_than_it_may", _many_specs(), PRODUCT_SPECS),
        SqlRule("permitted_fields_exist", _unknown_fields(), SUPPLIER_PERMISSIONS),
        SqlRule("proposal_waits_for_the_seller", _idle_proposals(), PRODUCT_PROPOSALS),
        SqlRule(
            "proposal_has_a_state",
            _proposals("is in no state that there is", PRODUCT_PROPOSALS.c.state.not_in(STATES)),
            PRODUCT_PROPOSALS,
        ),
    )
    return looking(
        "catalog",
        rules,
        (Stored(CATALOG), Stored(CATEGORY), Stored(PRODUCT), Stored(PRODUCT_FACET), Stored(SPEC), Stored(VARIANT)),
    )
