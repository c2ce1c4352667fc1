"""The tree of a catalog's categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.errors import Violations
from libs.ids import valid_id
from waybill.catalog.v1 import reasons

MAX_LEVEL = 10
MAX_CATEGORIES = 10_000
"""In one catalog: its tree is read as a whole by whoever changes it and by whoever is shown it."""
Parents = Mapping[str, str]
"""By category the one above it; empty at the top."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a category is to stand, and the field of the request that says so."""

    where: str
    id: str
    catalog_id: str
    parent_id: str


def levels(parents: Parents) -> dict[str, int]:
    """The level of each category, from 1 at the top; 0 where the way up does not end. One that is not there counts as the top."""
    found: dict[str, int] = {}
    for start in parents:
        path: dict[str, None] = {}
        at = start
        while at in parents and at not in found and at not in path:
            path[at] = None
            at = parents[at]
        # It has come back to itself, or to what has.
        lost = at in parents and not found.get(at)
        above = found.get(at, 0)
        for id in reversed(path):
            above += 1
            found[id] = 0 if lost else above
    return found


def check_tree(found: Violations, placed: Sequence[Placed], standing: Mapping[str, Parents]) -> None:
    """The categories fit into the trees of their catalogs: `standing` has those that exist, by catalog."""
    trees = {catalog: dict(parents) for catalog, parents in standing.items()}
    for item in placed:
        if item.catalog_id in trees:
            trees[item.catalog_id][item.id] = item.parent_id
    by_catalog = {catalog: levels(parents) for catalog, parents in trees.items()}
    mine = {item.id for item in placed}
    sunk = {c: any(level > MAX_LEVEL and id not in mine for id, level in tree.items()) for c, tree in by_catalog.items()}
    for item in placed:
        tree = trees.get(item.catalog_id)
        if tree is None:
            text = f"there is no catalog {item.catalog_id!r}"
            found.require(f"{item.where}.catalog_id", not valid_id(item.catalog_id), reasons.CATALOG_NOT_FOUND, text)
            continue
        most = f"a catalog has at most {MAX_CATEGORIES:,} categories"
        fits = item.id in standing[item.catalog_id] or len(tree) <= MAX_CATEGORIES
        found.require(f"{item.where}.catalog_id", fits, reasons.TOO_MANY_ITEMS, most)
        where, level = f"{item.where}.parent_id", by_catalog[item.catalog_id][item.id]
        if item.parent_id and item.parent_id not in tree:
            text = f"catalog {item.catalog_id!r} has no category {item.parent_id!r}"
            found.require(where, not valid_id(item.parent_id), reasons.CATEGORY_NOT_FOUND, text)
        elif level == 0:
            found.add(where, reasons.CATEGORY_CIRCLE, "the category would stand below itself")
        elif level > MAX_LEVEL or sunk[item.catalog_id]:
            found.add(where, reasons.CATEGORY_TOO_DEEP, f"there are at most {MAX_LEVEL} levels")
