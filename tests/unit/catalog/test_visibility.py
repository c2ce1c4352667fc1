"""Who is shown what, as a table of the rule."""

from __future__ import annotations

import pytest

from services.catalog.domain.catalogs.visibility import Grant, Node, Placed, Reach, Sight, sees, sight_of

NODES = (
    Node("top", "c", "", True),
    Node("mid", "c", "top", True),
    Node("leaf", "c", "mid", True),
    Node("side", "c", "top", True),
    Node("off", "c", "top", False),
    Node("under-off", "c", "off", True),
)


def sight(*grants: Grant, groups: tuple[str, ...] = (), default: tuple[bool, bool] = (False, False)) -> Sight:
    return sight_of("acme", groups, [Reach("c", *default)], NODES, grants)


def grant(category: str, visible: bool = True, all_products: bool = False, group: str = "") -> Grant:
    return Grant(category, group, visible, all_products)


def test_nothing_said_is_nothing_shown_unless_the_catalog_shows_its_categories() -> None:
    assert sight().categories == frozenset()
    assert sight(default=(True, False)).categories == {"top", "mid", "leaf", "side"}
    assert sight(default=(True, False)).shelves == frozenset()
    assert sight(default=(True, True)).shelves == {"top", "mid", "leaf", "side"}


def test_the_nearest_category_that_says_something_decides() -> None:
    assert sight(grant("mid")).categories == {"mid", "leaf"}
    assert sight(grant("top"), grant("mid", visible=False)).categories == {"top", "side"}
    assert sight(grant("top", visible=False), grant("leaf")).categories == {"leaf"}
    assert sight(grant("top", visible=False), default=(True, True)).categories == frozenset()


def test_what_is_below_an_inactive_category_is_not_shown() -> None:
    assert sight(grant("off", all_products=True), grant("under-off", all_products=True)) == sight()


@pytest.mark.parametrize(
    ("groups", "grants", "shown", "shelved"),
    [
        ((), [grant("leaf", False), grant("leaf", group="g")], False, False),
        (("g",), [grant("leaf", False), grant("leaf", group="g")], True, False),
        (("g",), [grant("leaf", True, True), grant("leaf", False, group="g")], False, False),
        (("g", "h"), [grant("leaf", False, group="g"), grant("leaf", True, True, group="h")], True, True),
        (("g", "h"), [grant("leaf", False, True, group="g"), grant("leaf", True, False, group="h")], True, False),
    ],
)
def test_groups_go_before_the_buyer_and_of_several_any_that_says_yes(groups, grants, shown, shelved) -> None:
    # The store reads only what is assigned to the buyer and to the groups of the user.
    mine = [g for g in grants if not g.group_id or g.group_id in groups]
    found = sight(*mine, groups=groups)

    assert ("leaf" in found.categories, "leaf" in found.shelves) == (shown, shelved)


def product(*, active=True, catalogs=("c",), categories=(), shown_to=()) -> Placed:
    return Placed(active, frozenset(catalogs), frozenset(categories), frozenset(shown_to))


@pytest.mark.parametrize(
    ("seen", "made", "default"),
    [
        (True, product(), (False, True)),
        (False, product(), (True, False)),
        (False, product(active=False), (True, True)),
        (False, product(catalogs=("other",)), (True, True)),
        (True, product(categories=("leaf",)), (False, False)),
        (False, product(categories=("side",)), (False, False)),
        (True, product(shown_to=[("acme", "")]), (False, False)),
        (True, product(shown_to=[("acme", "g")]), (False, False)),
        (False, product(shown_to=[("acme", "h"), ("globex", "g"), ("globex", "")]), (False, False)),
        (False, product(shown_to=[("acme", "")], catalogs=()), (False, False)),
    ],
)
def test_a_product_is_seen_in_a_whole_catalog_on_a_shelf_or_by_an_assignment(seen, made, default) -> None:
    found = sight(grant("mid", all_products=True), groups=("g",), default=default)

    assert sees(found, made) is seen


def test_a_catalog_that_is_open_to_all_is_whole_whatever_its_assignment_says() -> None:
    assert Reach.of("c", True, False, False) == Reach("c", True, True)
    assert Reach.of("c", False, True, False) == Reach("c", True, False)


def test_of_a_catalog_that_the_buyer_does_not_have_no_category_is_shown() -> None:
    assert sight_of("acme", (), [], NODES, [grant("top", all_products=True)]) == sight_of("acme", (), [], (), ())


def test_a_tree_that_is_broken_is_shown_as_far_as_it_goes() -> None:
    found = sight_of("acme", (), [Reach("c", True, False)], [Node("a", "c", "b", True), Node("b", "c", "a", True)], ())

    assert found.categories == {"a", "b"}
