"""Reads what applies to an order: three statements, whatever the order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from services.shipping.adapters.db.tables import (
    ASSIGNMENTS,
    CARRIERS,
    GROUPING_RULES,
    RATE_TABLES,
    SHIP_METHODS,
    ZONES,
)
from services.shipping.domain.estimate import Terms
from services.shipping.domain.grouping import Grouping, Rule
from services.shipping.domain.methods import Scope, ShipMethod
from services.shipping.domain.rates import RateRow, RateTable
from services.shipping.domain.zones import Place, Zone

Row = sa.RowMapping


class TermsReader:
    """`TermsStore` over the service's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def load(self, buyer_id: str, client_id: str) -> Terms:
        """Active methods assigned to the buyer and channel, with their tables; the channel's rules."""
        async with self._db.reading(snapshot=True) as tx:
            assigned = await _rows(tx, _assigned(buyer_id, client_id))
            tables = await _rows(tx, _tables(sorted({row["id"] for row in assigned})))
            rules = await _rows(tx, _rules(client_id))
        return Terms(_methods(assigned, tables), tuple(_rule(row) for row in rules))


async def _rows(tx: Tx, statement: sa.Select[Any]) -> Sequence[Row]:
    return (await tx.execute(statement)).mappings().all()


def _assigned(buyer_id: str, client_id: str) -> sa.Select[Any]:
    """A row per method and assignment. The methods of an inactive carrier are left out."""
    m, a, c = SHIP_METHODS.c, ASSIGNMENTS.c, CARRIERS.c
    return (
        sa.select(
            m.id, m.name, m.carrier_id, m.pickup, m.min_lead_time, m.max_lead_time, m.xp,
            a.supplier_id, a.ship_from_id,
        )
        .select_from(SHIP_METHODS)
        .join(ASSIGNMENTS, a.ship_method_id == m.id)
        .outerjoin(CARRIERS, c.id == m.carrier_id)
        .where(m.active, a.buyer_id.in_(["", buyer_id]), a.client_id.in_(["", client_id]))
        .where(sa.or_(m.carrier_id == "", c.active))
        .order_by(m.id, a.id)
    )  # fmt: skip


def _tables(methods: Sequence[str]) -> sa.Select[Any]:
    return (
        sa.select(RATE_TABLES, ZONES.c.destinations)
        .join(ZONES, ZONES.c.id == RATE_TABLES.c.zone_id)
        .where(RATE_TABLES.c.ship_method_id.in_(methods))
        .order_by(RATE_TABLES.c.id)
    )


def _rules(client_id: str) -> sa.Select[Any]:
    return sa.select(GROUPING_RULES).where(GROUPING_RULES.c.client_id.in_(["", client_id]))


def _methods(assigned: Sequence[Row], tables: Sequence[Row]) -> tuple[ShipMethod, ...]:
    zones: dict[str, Zone] = {}
    tables_of: dict[str, list[RateTable]] = defaultdict(list)
    for row in tables:
        zone = zones.get(row["zone_id"])
        if zone is None:
            zone = zones[row["zone_id"]] = Zone(row["zone_id"], _places(row["destinations"]))
        tables_of[row["ship_method_id"]].append(_table(row, zone))
    scopes: dict[str, list[Scope]] = defaultdict(list)
    first: dict[str, Row] = {}
    for row in assigned:
        first.setdefault(row["id"], row)
        scopes[row["id"]].append(Scope(row["supplier_id"], row["ship_from_id"]))
    return tuple(
        ShipMethod(
            id, row["name"], row["carrier_id"], row["pickup"],
            (row["min_lead_time"] or 0, row["max_lead_time"] or 0),
            tuple(scopes[id]), tuple(tables_of[id]), row["xp"],
        )
        for id, row in first.items()
    )  # fmt: skip


def _places(destinations: Sequence[Mapping[str, str]]) -> tuple[Place, ...]:
    return tuple(
        Place.of(place.get("country", ""), place.get("region", ""), place.get("postal_prefix", ""))
        for place in destinations
    )


def _table(row: Row, zone: Zone) -> RateTable:
    override = None if row["min_lead_time"] is None else (row["min_lead_time"], row["max_lead_time"])
    rows = tuple(
        RateRow(None if r["up_to"] is None else Decimal(r["up_to"]), r["price"], r["per_kg"] or 0)
        for r in row["rows"]
    )
    return RateTable(row["id"], zone, row["currency"], rows, row["handling"] or 0, override)


def _rule(row: Row) -> Rule:
    match = row["match"] or {}
    return Rule(
        row["id"],
        Grouping(row["grouping"]),
        bool(row["client_id"]),
        row["priority"],
        frozenset(match.get("supplier_ids", ())),
        frozenset(match.get("ship_from_ids", ())),
        frozenset(match.get("product_ids", ())),
    )
