"""Who is shown what: the rule of catalogs, categories and products, without a database.

A user of a buyer sees a product that is active and stands in an active catalog that is open to all buyers or assigned to the
buyer, if all products of that catalog are shown to the buyer, or it stands in a category of that catalog that is shown with all
its products, or it is itself assigned to the buyer or to one of the user's groups.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Customer:
    """Who looks: a user of a buyer; without a user, one who is in no group."""

    buyer_id: str
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """An active catalog that a buyer has, and what of it is shown where no category says otherwise."""

    catalog_id: str
    all_categories: bool
    all_products: bool

    @staticmethod
    def of(catalog_id: str, open_to_all: bool, all_categories: bool, all_products: bool) -> Reach:
        """What is open to all buyers is shown as a whole."""
        return Reach(catalog_id, open_to_all or all_categories, open_to_all or all_products)


@dataclass(frozen=True, slots=True)
class Node:
    """A category in its tree."""

    id: str
    catalog_id: str
    parent_id: str
    active: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """An assignment of a category to a buyer, or to a group of its users."""

    category_id: str
    group_id: str
    visible: bool
    all_products: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """What a customer is shown, as far as it was asked for."""

    buyer_id: str
    groups: frozenset[str]
    catalogs: frozenset[str]
    """Catalogs that the buyer has."""
    whole: frozenset[str]
    """Those of which all products are shown."""
    categories: frozenset[str] = frozenset()
    """Categories that are shown."""
    shelves: frozenset[str] = frozenset()
    """Those of which all products are shown."""


@dataclass(frozen=True, slots=True)
class Placed:
    """What decides who sees a product."""

    active: bool
    catalogs: frozenset[str]
    categories: frozenset[str]
    shown_to: frozenset[tuple[str, str]]
    """Buyers, each with a group or, for all its users, an empty one."""


def subtree(nodes: Sequence[Node], top: str) -> frozenset[str]:
    """A category and all below it, as far as they are among the nodes."""
    below: dict[str, list[str]] = {}
    for node in nodes:
        below.setdefault(node.parent_id, []).append(node.id)
    found, left = set[str](), [node.id for node in nodes if node.id == top]
    while left:
        id = left.pop()
        if id not in found:
            found.add(id)
            left += below.get(id, ())
    return frozenset(found)


_Shown = tuple[bool, bool]
"""Whether a category is seen, and whether all its products are."""


def sight_of(
    buyer_id: str, groups: Collection[str], reaches: Sequence[Reach], nodes: Sequence[Node], grants: Sequence[Grant]
) -> Sight:
    """What is shown; `nodes` are whole trees, `grants` those to the buyer and to the user's groups."""
    default = {r.catalog_id: (r.all_categories, r.all_products) for r in reaches}
    whole = frozenset(r.catalog_id for r in reaches if r.all_products)
    shown = _categories(default, [node for node in nodes if node.catalog_id in default], grants)
    return Sight(
        buyer_id,
        frozenset(groups),
        frozenset(r.catalog_id for r in reaches),
        whole,
        frozenset(id for id, (seen, _) in shown.items() if seen),
        frozenset(id for id, (seen, all_products) in shown.items() if seen and all_products),
    )


def sees(sight: Sight, product: Placed) -> bool:
    """Whether the product is seen."""
    if not product.active:
        return False
    if product.catalogs & sight.whole or product.categories & sight.shelves:
        return True
    mine = {(sight.buyer_id, group) for group in ("", *sight.groups)}
    return bool(product.catalogs & sight.catalogs and product.shown_to & mine)


def _categories(default: Mapping[str, _Shown], nodes: Sequence[Node], grants: Sequence[Grant]) -> dict[str, _Shown]:
    """By category: those under a category that is not active are not seen."""
    by_id = {node.id: node for node in nodes}
    said = _said(grants)
    decided: dict[str, tuple[bool, _Shown]] = {}
    for start in nodes:
        path: list[Node] = []
        at: Node | None = start
        # A tree that is broken ends where it comes back to itself.
        while at is not None and at.id not in decided and len(path) < len(by_id):
            path.append(at)
            at = by_id.get(at.parent_id)
        for node in reversed(path):
            active, above = decided.get(node.parent_id, (True, default[node.catalog_id]))
            decided[node.id] = (active and node.active, said.get(node.id, above))
    return {id: (active and seen, all_products) for id, (active, (seen, all_products)) in decided.items()}


def _said(grants: Sequence[Grant]) -> dict[str, _Shown]:
    """What is said of each category itself: groups go before the buyer, and any that says yes decides."""
    by_category: dict[str, list[Grant]] = {}
    for grant in grants:
        by_category.setdefault(grant.category_id, []).append(grant)
    said: dict[str, _Shown] = {}
    for id, found in by_category.items():
        deciding = [grant for grant in found if grant.group_id] or found
        said[id] = (any(g.visible for g in deciding), any(g.visible and g.all_products for g in deciding))
    return said
