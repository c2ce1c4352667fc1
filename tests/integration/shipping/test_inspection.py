import sqlalchemy as sa

from libs.db import Database
from libs.invariants import Finding, Summary
from services.shipping.adapters.db.tables import CARRIERS, RATE_TABLES
from tests.integration.shipping.setup import small_setup
from tests.support.server import serving


async def test_a_sound_set_up_yields_a_summary_only(served, app):
    await small_setup(served)
    assert [record async for record in app.inspected()] == [Summary("shipping", 4, 17, 0)]


async def test_a_reference_to_nothing_and_unordered_rows_are_found(settings, app):
    async with serving(app) as served:
        await small_setup(served)
        database = await Database.open(settings.database_url, settings.database_schema)
        async with database.transaction() as tx:
            await tx.execute(sa.delete(CARRIERS))
            rows = [{"up_to": None, "price": 1, "per_kg": None}, {"up_to": "1", "price": 1, "per_kg": None}]
            broken = sa.update(RATE_TABLES).where(RATE_TABLES.c.id == "ground-us").values(rows=rows)
            await tx.execute(broken)
        await database.close()
        found = [record async for record in app.inspected() if isinstance(record, Finding)]
    assert sorted((f.rule, f.subject) for f in found) == [
        ("rate_rows_ascend", "rate table ground-us"),
        ("reference_exists", "ship method ground"),
        ("reference_exists", "ship method next-day"),
        ("stored_as_its_contract_allows", "rate table ground-us"),
    ]
