"""An order that enters a sub-status with its status finds it there."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from libs.db import Database
from libs.db.migrate import upgrade
from libs.errors import WaybillError
from services.order.adapters.db.order_store import keep_entered
from services.order.adapters.db.tables import SUB_STATUSES
from services.order.main import VERSIONS
from tests.unit.order.builders import NOW, order

TEXTS = dict.fromkeys(("name", "description"), "")
FLAGS = dict.fromkeys(("follows_none", "initial", "terminal", "closed"), False)
LISTS: dict[str, Any] = {"follows": [], "roles": [], "parties": [], "xp": {}}
TIMES = {"version": 1, "create_time": NOW, "update_time": NOW}


async def test_a_sub_status_that_is_gone_since_the_order_was_read_is_not_entered(databases):
    url, schema = await databases("entered")
    db = await Database.open(url, schema)
    try:
        await upgrade(db, VERSIONS, schema)
        async with db.transaction() as tx:
            row = {"id": "here", "status": "OPEN", **TEXTS, **FLAGS, **LISTS, **TIMES}
            await tx.execute(sa.insert(SUB_STATUSES), [row])
        here, gone = (order(id=id, sub_status=id, sub_status_time=NOW) for id in ("here", "gone"))
        async with db.transaction() as tx:
            await keep_entered(tx, [here, order()])
            with pytest.raises(WaybillError) as error:
                await keep_entered(tx, [here, gone])
        assert (error.value.reason, error.value.metadata["id"]) == ("ETAG_MISMATCH", "gone")
    finally:
        await db.close()
