"""Builders with defaults."""

from __future__ import annotations

from decimal import Decimal

from services.shipping.domain.grouping import Grouping, Item, Rule
from services.shipping.domain.methods import Scope, ShipMethod
from services.shipping.domain.rates import RateRow, RateTable
from services.shipping.domain.zones import Destination, Place, Zone

BERLIN = Destination("berlin", "DE", "BE", "10115")
LOS_ANGELES = Destination("la", "US", "CA", "90012")
DAY = 86_400
UNIT = 1_000_000


def item(
    line: str = "l1",
    quantity: int = 1,
    *,
    product: str = "p1",
    supplier: str = "",
    origin: str = "w1",
    weight: str = "1",
    to: Destination | None = LOS_ANGELES,
    pickup: str = "",
) -> Item:
    return Item(line, product, quantity, supplier, origin, Decimal(weight), to, pickup)


def rule(
    grouping: Grouping,
    id: str = "r1",
    *,
    own: bool = True,
    priority: int = 0,
    suppliers: tuple[str, ...] = (),
    origins: tuple[str, ...] = (),
    products: tuple[str, ...] = (),
) -> Rule:
    return Rule(id, grouping, own, priority, frozenset(suppliers), frozenset(origins), frozenset(products))


def zone(id: str, *places: tuple[str, str, str]) -> Zone:
    return Zone(id, tuple(Place.of(*place) for place in places or (("", "", ""),)))


def table(
    *rows: tuple[str | None, str] | tuple[str | None, str, str],
    zone: Zone = Zone("everywhere", (Place.of("", "", ""),)),  # noqa: B008
    currency: str = "USD",
    handling: str = "0",
    lead_times: tuple[int, int] | None = None,
) -> RateTable:
    """Rows of (up to kg or None, price[, per kg])."""
    made = tuple(
        RateRow(
            None if row[0] is None else Decimal(row[0]),
            int(Decimal(row[1]) * UNIT),  # type: ignore[arg-type]
            int(Decimal(row[2]) * UNIT) if len(row) == 3 else 0,  # type: ignore[arg-type]
        )
        for row in rows or ((None, "5"),)
    )
    return RateTable(f"t-{zone.id}-{currency}", zone, currency, made, int(Decimal(handling) * UNIT), lead_times)


def method(
    id: str = "ground",
    *tables: RateTable,
    pickup: bool = False,
    scopes: tuple[Scope, ...] = (Scope(),),
    days: tuple[int, int] = (2, 5),
) -> ShipMethod:
    return ShipMethod(id, id.title(), "ups", pickup, (days[0] * DAY, days[1] * DAY), scopes, tables)
