"""Trees of categories: parents of the same catalog, no circle, ten levels."""

from __future__ import annotations

from libs.errors import Violations
from services.catalog.domain.catalogs.tree import MAX_CATEGORIES, MAX_LEVEL, Placed, check_tree, levels


def chain(length: int) -> dict[str, str]:
    """c1 at the top, each below the one before."""
    return {f"c{i}": f"c{i - 1}" if i > 1 else "" for i in range(1, length + 1)}


def wrong(placed: list[Placed], **standing: dict[str, str]) -> list[tuple[str, str]]:
    found = Violations()
    check_tree(found, placed, standing)
    return [(v.field, v.reason) for v in found.items]


def at(id: str, parent: str = "", catalog: str = "main", where: str = "category") -> Placed:
    return Placed(where, id, catalog, parent)


def test_levels_count_from_the_top_and_end_nowhere_on_and_below_a_circle():
    parents = {"top": "", "b": "top", "c": "b", "x": "y", "y": "x", "under": "x", "orphan": "gone", "self": "self"}

    assert levels(parents) == {"top": 1, "b": 2, "c": 3, "x": 0, "y": 0, "under": 0, "orphan": 1, "self": 0}


def test_a_category_stands_at_the_top_or_below_one_of_its_catalog():
    assert wrong([at("new"), at("below", "top")], main={"top": ""}) == []
    assert wrong([at("new", "gone")], main={}) == [("category.parent_id", "CATEGORY_NOT_FOUND")]
    assert wrong([at("new", "there")], main={}, other={"there": ""}) == [("category.parent_id", "CATEGORY_NOT_FOUND")]
    assert wrong([at("new", catalog="gone")]) == [("category.catalog_id", "CATALOG_NOT_FOUND")]


def test_parents_may_come_in_the_same_batch_in_any_order():
    assert wrong([at("leaf", "branch"), at("branch", "root"), at("root")], main={}) == []


def test_a_circle_is_refused_however_it_is_closed():
    assert wrong([at("c1", "c3")], main=chain(3)) == [("category.parent_id", "CATEGORY_CIRCLE")]
    assert wrong([at("c1", "c1")], main=chain(1)) == [("category.parent_id", "CATEGORY_CIRCLE")]
    both = [at("a", "b", where="categories[0]"), at("b", "a", where="categories[1]")]
    assert wrong(both, main={}) == [(f"categories[{i}].parent_id", "CATEGORY_CIRCLE") for i in (0, 1)]


def test_ten_levels_fit_and_eleven_do_not():
    assert wrong([at("new", f"c{MAX_LEVEL - 1}")], main=chain(MAX_LEVEL - 1)) == []
    assert wrong([at("new", f"c{MAX_LEVEL}")], main=chain(MAX_LEVEL)) == [("category.parent_id", "CATEGORY_TOO_DEEP")]


def test_a_move_carries_what_is_below_it():
    below = {**chain(MAX_LEVEL - 1), "moved": "", "leaf": "moved"}

    assert wrong([at("moved", f"c{MAX_LEVEL - 2}")], main=below) == []
    assert wrong([at("moved", f"c{MAX_LEVEL - 1}")], main=below) == [("category.parent_id", "CATEGORY_TOO_DEEP")]


def test_a_full_catalog_takes_no_more_but_what_is_there_can_be_changed():
    full = {f"c{i}": "" for i in range(MAX_CATEGORIES)}

    assert wrong([at("c1", "c2")], main=full) == []
    assert wrong([at("new")], main=full) == [("category.catalog_id", "TOO_MANY_ITEMS")]
