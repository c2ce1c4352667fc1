"""Ship methods, who is offered them, and what they offer to a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from libs.json_value import JsonObject
from services.shipping.domain.grouping import Group
from services.shipping.domain.rates import RateTable
from services.shipping.domain.zones import NOWHERE, Destination, ZoneIndex


@dataclass(frozen=True, slots=True)
class Scope:
    """What an assignment to the buyer and channel is restricted to; empty is everything."""

    supplier_id: str = ""
    ship_from_id: str = ""

    def holds(self, group: Group) -> bool:
        """Whether all of the group comes from there."""
        return self.covers(group.supplier_id, group.ship_from_id)

    def covers(self, supplier_id: str | None, ship_from_id: str | None) -> bool:
        """Whether it is for what one supplier ships from one origin; None, or an empty id, is no single one."""
        return (not self.supplier_id or self.supplier_id == supplier_id) and (
            not self.ship_from_id or self.ship_from_id == ship_from_id
        )


@dataclass(frozen=True, slots=True)
class ShipMethod:
    """A method that the buyer and channel may use. Lead times in seconds; tables of all currencies."""

    id: str
    name: str
    carrier_id: str
    pickup: bool
    lead_times: tuple[int, int]
    scopes: tuple[Scope, ...]
    tables: tuple[RateTable, ...] = ()
    xp: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """A method that carries a group, for a price in micros. Lead times in seconds."""

    method: ShipMethod
    cost: int
    min_lead_time: int
    max_lead_time: int
    tax_included: bool = False
    """Whether the price includes its tax."""


Tariff = tuple[ShipMethod, RateTable | None]
"""A method with the table that applies; None for a pick-up method that costs nothing."""


class Offers:
    """Finds the methods for each group of one order. Groups that are alike share work and result."""

    def __init__(self, methods: Sequence[ShipMethod], currency: str, ordered_to: Destination | None) -> None:
        self._methods = methods
        self._currency = currency
        self._ordered_to = ordered_to or NOWHERE
        self._tariffs: dict[tuple[str | None, ...], tuple[Tariff, ...]] = {}
        self._zones: dict[str, tuple[Mapping[str, RateTable], ZoneIndex]] = {}
        self._offers: dict[tuple[tuple[str | None, ...], Decimal], tuple[Offer, ...]] = {}

    def of(self, group: Group) -> tuple[Offer, ...]:
        """What carries the group: cheapest first, then by longest and shortest lead time, then by id."""
        to = group.destination.key if group.destination is not None else None
        alike = (group.supplier_id, group.ship_from_id, to, "pickup" if group.pickup else "")
        found = self._offers.get((alike, group.weight))
        if found is None:
            tariffs = self._tariffs.get(alike)
            if tariffs is None:
                tariffs = self._tariffs[alike] = self._find_tariffs(group)
            found = self._offers[alike, group.weight] = _priced(tariffs, group.weight)
        return found

    def _find_tariffs(self, group: Group) -> tuple[Tariff, ...]:
        # Where a pick-up location lies is not known here: its rates go by the order's destination.
        to = self._ordered_to if group.pickup else group.destination
        if to is None:
            return ()
        found: list[Tariff] = []
        for method in self._methods:
            if method.pickup is not group.pickup or not any(scope.holds(group) for scope in method.scopes):
                continue
            if method.pickup and not method.tables:
                found.append((method, None))
                continue
            # Only the method's own zones compete: another method's finer zone takes nothing away.
            tables, zones = self._zones_of(method)
            zone = zones.find(to)
            if zone is not None:
                found.append((method, tables[zone.id]))
        return tuple(found)

    def _zones_of(self, method: ShipMethod) -> tuple[Mapping[str, RateTable], ZoneIndex]:
        """The method's tables in the order's currency by zone, made once for all destinations."""
        known = self._zones.get(method.id)
        if known is None:
            tables = {table.zone.id: table for table in method.tables if table.currency == self._currency}
            known = self._zones[method.id] = tables, ZoneIndex(table.zone for table in tables.values())
        return known


def _priced(tariffs: tuple[Tariff, ...], weight: Decimal) -> tuple[Offer, ...]:
    offers: list[Offer] = []
    for method, table in tariffs:
        cost = 0 if table is None else table.price(weight)
        if cost is not None:
            shortest, longest = (table.lead_times if table else None) or method.lead_times
            offers.append(Offer(method, cost, shortest, longest, table is not None and table.tax_included))
    return tuple(sorted(offers, key=lambda o: (o.cost, o.max_lead_time, o.min_lead_time, o.method.id)))
