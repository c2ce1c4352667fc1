"""What of a product an order is built on: the fields that decide an amount, a source or a way to ship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from libs.identify import folded
from services.order.domain.model import Line, ProductSnapshot

STANDARD_CLASS = "standard"


def _sources(product: ProductSnapshot) -> dict[str, object]:
    """What sourcing and shipping look at."""
    return {
        "default_supplier_id": product.default_supplier_id,
        "supplier_ids": frozenset(product.supplier_ids),
        "ship_from_address_id": product.ship_from_address_id,
        "shippable": product.shippable,
        "track_inventory": product.track_inventory,
        "weight_kg": product.weight_kg,
    }


def _deciding(product: ProductSnapshot) -> dict[str, object]:
    """All of it; a name or a multiplier for display decides nothing."""
    return {**_sources(product), "tax_class": folded(product.tax_class) or STANDARD_CLASS}


def changes(remembered: ProductSnapshot, present: ProductSnapshot) -> list[str]:
    """Names of the deciding fields that differ."""
    before, now = _deciding(remembered), _deciding(present)
    return [name for name, value in before.items() if value != now[name]]


def renewed(lines: Sequence[Line], present: Mapping[str, ProductSnapshot]) -> tuple[Line, ...]:
    """The lines with their products as they are now; one that is gone stays as it was remembered; a submit reports it."""
    return tuple(replace(line, product=present.get(line.product_id, line.product)) for line in lines)


def sourced_otherwise(before: Sequence[Line], after: Sequence[Line]) -> bool:
    """Whether sourcing or shipping would look at something else than before. Both are the same lines in the same order."""
    return any(_sources(a.product) != _sources(b.product) for a, b in zip(before, after, strict=True))
