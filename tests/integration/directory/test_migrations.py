"""What is stored means the same after a migration."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from libs.db import Database
from libs.db.migrate import upgrade
from services.directory.adapters.db.tables import CLIENTS
from services.directory.main import VERSIONS

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FLAGS = dict.fromkeys(("active", "allow_seller", "allow_any_buyer", "allow_any_supplier"), True)
LISTS: dict[str, list[str]] = {"buyer_ids": [], "supplier_ids": [], "roles": []}
CLIENT = {"name": "Shop", "access_token_minutes": 60, "default_user_id": "", "xp": {}, "version": 1, **FLAGS, **LISTS}


@pytest.mark.parametrize(
    ("stored", "meant"),
    [
        ({"auto_forward": True, "estimate_valid": "60s"}, {"auto_forward": "AUTO_FORWARD_ALL", "estimate_valid": "60s"}),
        ({"auto_forward": False}, {"auto_forward": "AUTO_FORWARD_NONE"}),
        ({"require_ship_methods": True}, {"auto_forward": "AUTO_FORWARD_NONE", "require_ship_methods": True}),
        (None, None),
    ],
)
async def test_channels_that_had_a_switch_forward_as_before(databases, stored, meant):
    url, schema = await databases("former")
    db = await Database.open(url, schema)
    try:
        await upgrade(db, VERSIONS, schema, "0003")
        row = {**CLIENT, "id": "shop", "policy": stored, "create_time": NOW, "update_time": NOW}
        async with db.transaction() as tx:
            await tx.execute(sa.insert(CLIENTS), row)
        await upgrade(db, VERSIONS, schema)
        async with db.reading() as tx:
            assert (await tx.execute(sa.select(CLIENTS.c.policy))).scalar_one() == meant
    finally:
        await db.close()
