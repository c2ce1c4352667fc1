"""What is stored means the same after a migration."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from libs.clock import ManualClock
from libs.db import Database
from libs.db.migrate import upgrade
from libs.ids import RandomIds
from services.directory.adapters.db.tables import CLIENTS, SIGNING_KEYS
from services.directory.domain.channels.policy import PAYMENT_TYPES
from services.directory.main import VERSIONS, bootstrap

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
        (None, {}),
    ],
)
async def test_channels_that_had_a_switch_forward_as_before_and_take_what_they_took(databases, stored, meant):
    url, schema = await databases("former")
    db = await Database.open(url, schema)
    try:
        await upgrade(db, VERSIONS, schema, "0003")
        row = {**CLIENT, "id": "shop", "policy": stored, "create_time": NOW, "update_time": NOW}
        async with db.transaction() as tx:
            await tx.execute(sa.insert(CLIENTS), row)
        await upgrade(db, VERSIONS, schema)
        async with db.reading() as tx:
            assert (await tx.execute(sa.select(CLIENTS.c.policy))).scalar_one() == {**meant, "payment_types": list(PAYMENT_TYPES)}
    finally:
        await db.close()


async def test_keys_of_another_kind_go_and_the_next_start_makes_one(settings, secret):
    db = await Database.open(settings.database_url, settings.database_schema)
    try:
        async with db.transaction() as tx:
            await tx.execute(sa.delete(SIGNING_KEYS))
        starts = (bootstrap(settings, ManualClock(NOW), RandomIds()) for _ in range(3))
        assert await asyncio.gather(*starts) == [None, None, None]
        async with db.reading() as tx:
            assert len((await tx.execute(sa.select(SIGNING_KEYS.c.kid))).all()) == 1
    finally:
        await db.close()
