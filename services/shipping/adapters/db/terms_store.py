"""Reads what applies to an order: three statements, whatever the order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from services.shipping.adapters.db.tables import ASSIGNMENTS, CARRIERS, GROUPING_RULES, RATE_TABLES, SHIP_METHODS, ZONES
from services.shipping.domain.estimate import Terms
from services.shipping.domain.grouping import Grouping, Rule
from services.shipping.domain.methods import Scope, ShipMethod
from services.shipping.domain.rates import RateRow, RateTable
from services.shipping.domain.zones import Place, Zone

Row = sa.RowMapping
_M, _A, _C = SHIP_METHODS.c, ASSIGNMENTS.c, CARRIERS.c
_ASSIGNED = (
    sa.select(
        _M.id, _M.name, _M.carrier_id, _M.pickup, _M.min_lead_time, _M.max_lead_time, _M.xp, _A.supplier_id, _A.ship_from_id
    )
    .select_from(SHIP_METHODS)
    .join(ASSIGNMENTS, _A.ship_method_id == _M.id)
    .outerjoin(CARRIERS, _C.id == _M.carrier_id)
    .where(_M.active, _A.buyer_id.in_(("", sa.bindparam("buyer"))), _A.client_id.in_(("", sa.bindparam("client"))))
    .where(sa.or_(_M.carrier_id == "", _C.active))
    .order_by(_M.id, _A.id)
)
"""A row per method and assignment. The methods of an inactive carrier are left out."""
_ASSIGNED_OF = _ASSIGNED.where(_M.id.in_(sa.bindparam("methods", expanding=True)))
_TABLES = (
    sa.select(RATE_TABLES, ZONES.c.destinations)
    .join(ZONES, ZONES.c.id == RATE_TABLES.c.zone_id)
    .where(RATE_TABLES.c.ship_method_id.in_(sa.bindparam("methods", expanding=True)))
    .order_by(RATE_TABLES.c.id)
)
_RULES = sa.select(GROUPING_RULES).where(GROUPING_RULES.c.client_id.in_(("", sa.bindparam("client"))))


class TermsReader:
    """`TermsStore` over the service's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def load(self, buyer_id: str, client_id: str) -> Terms:
        """Active methods assigned to the buyer and channel, with their tables; the channel's rules."""
        async with self._db.reading(snapshot=True) as tx:
            assigned = await _rows(tx, _ASSIGNED, buyer=buyer_id, client=client_id)
            tables = await _rows(tx, _TABLES, methods=sorted({row["id"] for row in assigned}))
            rules = await _rows(tx, _RULES, client=client_id)
        return Terms(_methods(assigned, tables), tuple(_rule(row) for row in rules))

    async def scopes(self, buyer_id: str, client_id: str, method_ids: Collection[str]) -> dict[str, list[Scope]]:
        """Of these methods the active ones that are assigned to the buyer and channel, each with its scopes."""
        found: dict[str, list[Scope]] = defaultdict(list)
        async with self._db.reading() as tx:
            for row in await _rows(tx, _ASSIGNED_OF, buyer=buyer_id, client=client_id, methods=sorted(method_ids)):
                found[row["id"]].append(Scope(row["supplier_id"], row["ship_from_id"]))
        return found


async def _rows(tx: Tx, statement: sa.Select[Any], **parameters: Any) -> Sequence[Row]:
    return (await tx.execute(statement, parameters)).mappings().all()


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
            id=id,
            name=row["name"],
            carrier_id=row["carrier_id"],
            pickup=row["pickup"],
            lead_times=(row["min_lead_time"] or 0, row["max_lead_time"] or 0),
            scopes=tuple(scopes[id]),
            tables=tuple(tables_of[id]),
            xp=row["xp"],
        )
        for id, row in first.items()
    )


def _places(destinations: Sequence[Mapping[str, str]]) -> tuple[Place, ...]:
    return tuple(
        Place.of(place.get("country", ""), place.get("region", ""), place.get("postal_prefix", "")) for place in destinations
    )


def _table(row: Row, zone: Zone) -> RateTable:
    override = None if row["min_lead_time"] is None else (row["min_lead_time"], row["max_lead_time"])
    rows = tuple(RateRow(None if r["up_to"] is None else Decimal(r["up_to"]), r["price"], r["per_kg"] or 0) for r in row["rows"])
    return RateTable(row["id"], zone, row["currency"], rows, row["handling"] or 0, override, row["tax_included"])


def _rule(row: Row) -> Rule:
    match = row["match"] or {}
    return Rule(
        id=row["id"],
        grouping=Grouping(row["grouping"]),
        own=bool(row["client_id"]),
        priority=row["priority"],
        suppliers=frozenset(match.get("supplier_ids", ())),
        origins=frozenset(match.get("ship_from_ids", ())),
        products=frozenset(match.get("product_ids", ())),
    )
