"""Checks of references and twins before something is stored. Each is one statement for a whole batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.errors import Violations
from libs.ids import valid_id
from services.shipping.adapters.db.tables import ASSIGNMENTS, CARRIERS, RATE_TABLES, SHIP_METHODS, ZONES
from services.shipping.application.ports import References
from waybill.shipping.v1 import reasons


class SqlReferences:
    """What resources refer to, in one transaction."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def carriers(self, found: Violations, items: References) -> None:
        """The carrier of a ship method exists."""
        await _exist(self._tx, found, items, "carrier_id", CARRIERS, reasons.CARRIER_NOT_FOUND, "carrier")

    async def of_assignments(self, found: Violations, items: References) -> None:
        """The ship method exists, and the same assignment does not."""
        await _ship_methods(self._tx, found, items)
        same = ("ship_method_id", "buyer_id", "client_id", "supplier_id", "ship_from_id")
        text = "the same assignment stands already"
        await _no_twin(self._tx, found, items, ASSIGNMENTS, same, reasons.ASSIGNMENT_EXISTS, text)

    async def of_rate_tables(self, found: Violations, items: References) -> None:
        """Ship method and zone exist, and no other table of both in the same currency."""
        await _ship_methods(self._tx, found, items)
        await _exist(self._tx, found, items, "zone_id", ZONES, reasons.ZONE_NOT_FOUND, "zone")
        same = ("ship_method_id", "zone_id", "currency")
        text = "the method has a table for this zone and currency"
        await _no_twin(self._tx, found, items, RATE_TABLES, same, reasons.RATE_TABLE_EXISTS, text)


async def _ship_methods(tx: Tx, found: Violations, items: References) -> None:
    reason = reasons.SHIP_METHOD_NOT_FOUND
    await _exist(tx, found, items, "ship_method_id", SHIP_METHODS, reason, "ship method")


async def _exist(
    tx: Tx, found: Violations, items: References, name: str, table: sa.Table, reason: reasons.ReasonName, word: str
) -> None:
    wanted = sorted({values[name] for _, values in items if valid_id(values[name])})
    statement = sa.select(table.c.id).where(table.c.id.in_(wanted)).order_by(table.c.id)
    # Locked against removal, in the order of the ids.
    known = set((await tx.execute(statement.with_for_update(read=True, key_share=True))).scalars())
    for path, values in items:
        if values[name] in wanted and values[name] not in known:
            found.add(f"{path}.{name}", reason, f"there is no {word} {values[name]!r}")


async def _no_twin(
    tx: Tx, found: Violations, items: References, table: sa.Table, same: Sequence[str], reason: reasons.ReasonName, text: str
) -> None:
    methods = sorted({v["ship_method_id"] for _, v in items if valid_id(v["ship_method_id"])})
    columns = [table.c[name] for name in same]
    rows = (await tx.execute(sa.select(table.c.id, *columns).where(table.c.ship_method_id.in_(methods)))).all()
    # One of the same id is no twin: that id is taken.
    taken: dict[tuple[Any, ...], str] = {tuple(row[1:]): row[0] for row in rows}
    seen: set[tuple[Any, ...]] = set()
    for path, values in items:
        identity = tuple(values[name] for name in same)
        free = taken.get(identity, values["id"]) == values["id"] and identity not in seen
        found.require(path, free, reason, text)
        seen.add(identity)
