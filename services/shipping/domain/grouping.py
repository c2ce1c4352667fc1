"""Which items of an order ship together: a partition of the items by rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from services.shipping.domain.rates import EXACT
from services.shipping.domain.zones import Destination


class Grouping(StrEnum):
    """What makes one group of the items of a rule."""

    ORDER = "ORDER"
    LINE = "LINE"
    SUPPLIER = "SUPPLIER"
    SHIP_FROM = "SHIP_FROM"
    PICKUP = "PICKUP"


@dataclass(frozen=True, slots=True)
class Item:
    """A quantity of a line from one origin. `weight` is that of one unit in kilograms."""

    line_item_id: str
    product_id: str
    quantity: int
    supplier_id: str
    ship_from_id: str
    weight: Decimal
    destination: Destination | None
    pickup_location_id: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """How items are grouped; an empty set matches all. `own` is true of a client's own rule and false of a default one."""

    id: str
    grouping: Grouping
    own: bool = False
    priority: int = 0
    suppliers: frozenset[str] = field(default=frozenset())
    origins: frozenset[str] = field(default=frozenset())
    products: frozenset[str] = field(default=frozenset())

    def matches(self, item: Item) -> bool:
        """Whether the rule is for the item: pick-up rules for what is picked up, others for the rest."""
        return (
            (self.grouping is Grouping.PICKUP) is bool(item.pickup_location_id)
            and (not self.suppliers or item.supplier_id in self.suppliers)
            and (not self.origins or item.ship_from_id in self.origins)
            and (not self.products or item.product_id in self.products)
        )


LAST_RULES = (Rule("", Grouping.SHIP_FROM), Rule("", Grouping.PICKUP))
"""For items that no rule matches."""


@dataclass(frozen=True, slots=True)
class Group:
    """Items that travel together. `supplier_id` and `ship_from_id` are None when mixed; weight in kg."""

    id: str
    grouping: Grouping
    supplier_id: str | None
    ship_from_id: str | None
    destination: Destination | None
    lines: tuple[tuple[str, int], ...]
    """(line id, quantity), each line once, in the order of the items."""
    weight: Decimal

    @property
    def pickup(self) -> bool:
        """Whether the buyer picks it up."""
        return self.grouping is Grouping.PICKUP


Key = tuple[str, ...]


def _key(rule: Rule, item: Item) -> Key:
    to = item.destination.key if item.destination is not None else ""
    match rule.grouping:
        case Grouping.ORDER:
            return (to,)
        case Grouping.LINE:
            return (item.line_item_id, to)
        case Grouping.SUPPLIER:
            return (item.supplier_id, to)
        case Grouping.SHIP_FROM:
            # Address ids are unique in a supplier's book only.
            return (item.supplier_id, item.ship_from_id, to)
        case Grouping.PICKUP:
            return (item.pickup_location_id, item.supplier_id, item.ship_from_id)


def estimate_id(rule: Rule, key: Key) -> str:
    """The id of a group: the same whenever the same rule makes the same group, whatever is in it."""
    text = repr((rule.id, rule.grouping.value, *key))
    return f"est_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def group_items(items: Iterable[Item], rules: Iterable[Rule]) -> list[Group]:
    """Every quantity of every item in exactly one group, in the order of the groups' first items.

    Items go through the client's own rules by priority and id, then through the default rules likewise.
    """
    ordered = [*sorted(rules, key=lambda r: (not r.own, r.priority, r.id)), *LAST_RULES]
    decided: dict[tuple[str, str, str, bool], Rule] = {}
    groups: dict[tuple[str, Grouping, Key], tuple[Rule, list[Item]]] = {}
    for item in items:
        alike = (item.supplier_id, item.ship_from_id, item.product_id, bool(item.pickup_location_id))
        rule = decided.get(alike)
        if rule is None:
            rule = decided[alike] = next(r for r in ordered if r.matches(item))
        key = _key(rule, item)
        found = groups.get((rule.id, rule.grouping, key))
        if found is None:
            groups[rule.id, rule.grouping, key] = (rule, [item])
        else:
            found[1].append(item)
    return [_group(rule, key, members) for (_, _, key), (rule, members) in groups.items()]


def _group(rule: Rule, key: Key, items: Sequence[Item]) -> Group:
    first = items[0]
    lines: dict[str, int] = {}
    weight = Decimal(0)
    for item in items:
        lines[item.line_item_id] = lines.get(item.line_item_id, 0) + item.quantity
        if item.weight:
            weight = EXACT.add(weight, EXACT.multiply(item.weight, Decimal(item.quantity)))
    one_supplier = all(item.supplier_id == first.supplier_id for item in items)
    one_origin = one_supplier and all(item.ship_from_id == first.ship_from_id for item in items)
    return Group(
        id=estimate_id(rule, key),
        grouping=rule.grouping,
        supplier_id=first.supplier_id if one_supplier else None,
        ship_from_id=first.ship_from_id if one_origin else None,
        destination=first.destination,
        lines=tuple(lines.items()),
        weight=weight,
    )
