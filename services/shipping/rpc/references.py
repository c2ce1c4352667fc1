"""What the set-up's resources refer to is checked in the transaction that stores them."""

from __future__ import annotations

from libs.errors import Violations
from libs.resource.contract import Items
from services.shipping.application.ports import References, ShippingWork


async def of_ship_methods(work: ShippingWork, found: Violations, items: Items) -> None:
    """Ship methods: their carriers."""
    await work.references.carriers(found, _only(items, "carrier_id"))


async def of_assignments(work: ShippingWork, found: Violations, items: Items) -> None:
    """Assignments: their ship methods, and that none stands twice."""
    names = ("ship_method_id", "buyer_id", "client_id", "supplier_id", "ship_from_id")
    await work.references.of_assignments(found, _only(items, *names))


async def of_rate_tables(work: ShippingWork, found: Violations, items: Items) -> None:
    """Rate tables: their ship methods and zones, and that none stands twice."""
    await work.references.of_rate_tables(found, _only(items, "ship_method_id", "zone_id", "currency"))


def _only(items: Items, *names: str) -> References:
    return [(where, {name: values[name] for name in ("id", *names)}) for where, values in items]
