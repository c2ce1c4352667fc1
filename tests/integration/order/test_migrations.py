"""What is stored means the same after a migration."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from libs.db import Database
from libs.db.migrate import upgrade
from services.order.adapters.db.rows import order_of
from services.order.adapters.db.tables import ORDERS
from services.order.domain.policy import AutoForward
from services.order.main import VERSIONS

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TEXTS = dict.fromkeys(
    ("seller_id", "buyer_id", "user_id", "created_by", "client_id", "shipping_address_id", "billing_address_id", "comments"), ""
)
NUMBERS = dict.fromkeys(
    (
        *("version", "content_version", "estimated_version", "calculated_version", "line_item_count"),
        *("subtotal", "discount", "shipping_cost", "tax", "total"),
    ),
    0,
)


def stored(id: str, kind: str, sub_status: str, policy: dict[str, Any]) -> dict[str, Any]:
    """A row as it was before supplier orders had a column for their status."""
    own = {"key": uuid.uuid4(), "id": id, "kind": kind, "sub_status": sub_status, "policy": policy}
    rest = {"user": {"id": ""}, "currency": "USD", "status": "OPEN", "is_submitted": True, "xp": {}}
    return {**TEXTS, **NUMBERS, **rest, **own, "create_time": NOW, "update_time": NOW}


async def test_supplier_orders_keep_their_status_and_orders_how_they_are_forwarded(databases):
    url, schema = await databases("former")
    db = await Database.open(url, schema)
    try:
        await upgrade(db, VERSIONS, schema, "0006")
        rows = [
            stored("waits", "BUYER", "", {"auto_forward": False, "must_cover_total": False}),
            stored("goes", "BUYER", "", {"auto_forward": True, "must_cover_total": True}),
            stored("goes-1", "SUPPLIER", "ACCEPTED", {}),
            stored("waits-1", "MOVED", "OPEN", {}),
        ]
        async with db.transaction() as tx:
            await tx.execute(sa.insert(ORDERS), rows)
        await upgrade(db, VERSIONS, schema)
        async with db.reading() as tx:
            found = {row["id"]: row for row in (await tx.execute(sa.select(ORDERS))).mappings()}
        said = {id: (row["supplier_status"], row["sub_status"]) for id, row in found.items()}
        assert said == {"waits": ("", ""), "goes": ("", ""), "goes-1": ("ACCEPTED", ""), "waits-1": ("OPEN", "")}
        waits, goes = order_of(found["waits"]).policy, order_of(found["goes"]).policy
        assert (waits.auto_forward, waits.must_cover_total) == (AutoForward.NONE, False)
        assert (goes.auto_forward, goes.must_cover_total) == (AutoForward.ALL, True)
        assert found["goes-1"]["policy"] == {}
    finally:
        await db.close()
