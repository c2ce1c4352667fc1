import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from libs.db import Database
from libs.errors import WaybillError
from libs.ids import RandomIds
from libs.invariants import Finding, Summary
from services.directory.adapters.db.tables import (
    ADDRESS_ASSIGNMENTS,
    ADDRESSES,
    BUYERS,
    CLIENT_SECRETS,
    CLIENTS,
    REQUESTS,
    SELLERS,
    SIGNING_KEYS,
    SUPPLIERS,
    USER_GROUPS,
    USERS,
)
from services.directory.main import bootstrap, build
from tests.integration.directory.world import BOLT, SELLER, World, assignment, entry, group, user
from tests.support.server import runtime_for, serving
from waybill.directory.v1 import user_service_pb2 as users


async def rows(settings, *tables):
    database = await Database.open(settings.database_url, settings.database_schema)
    async with database.reading() as tx:
        found = [(await tx.execute(sa.select(sa.func.count()).select_from(t))).scalar() for t in tables]
    await database.close()
    return found


async def test_of_starts_at_the_same_time_one_sets_the_marketplace_up(settings, clock):
    made = await asyncio.gather(*(bootstrap(settings, clock, RandomIds()) for _ in range(4)))
    assert len([secret for secret in made if secret is not None]) == 1
    assert await rows(settings, SELLERS, USERS, CLIENTS, SIGNING_KEYS) == [1, 1, 1, 1]
    assert await bootstrap(settings, clock, RandomIds()) is None


async def test_the_secret_is_stored_as_a_hash(settings, secret):
    database = await Database.open(settings.database_url, settings.database_schema)
    async with database.reading() as tx:
        stored = (await tx.execute(sa.select(CLIENT_SECRETS.c.secret_hash))).scalar()
    await database.close()
    assert stored.startswith("$argon2id$")
    assert secret.client_secret not in stored


async def test_a_sound_directory_yields_a_summary_only(world, app):
    await world.companies()
    await world.people()
    assert [record async for record in app.inspected()] == [Summary("directory", 25, 24, 0)]


async def test_what_refers_to_nothing_is_found(settings, app, clock):
    async with serving(app) as served:
        world = World(served, clock)
        await world.companies()
        await world.people()
        await world.client(allow_any_buyer=True, default_user_id="anna")
        await world.book(entry("dock", BOLT), entry("hq"))
        await world.groups(group("smiths"))
        await world.assign(assignment("hq", "bob"), assignment("hq", group_id="smiths"))
        database = await Database.open(settings.database_url, settings.database_schema)
        async with database.transaction() as tx:
            await tx.execute(sa.delete(USERS).where(USERS.c.id.in_(["anna", "bob"])))
            await tx.execute(sa.delete(BUYERS).where(BUYERS.c.id == "globex"))
            await tx.execute(sa.delete(SUPPLIERS))
            await tx.execute(sa.delete(USER_GROUPS))
            await tx.execute(sa.update(SIGNING_KEYS).values(retire_time=clock.now(), private_pem=""))
            await tx.execute(sa.update(SELLERS).values(singleton=True))
        await database.close()
        found = [record async for record in app.inspected() if isinstance(record, Finding)]
    assert sorted((f.rule, f.subject) for f in found) == [
        ("address_has_company", "dock"),
        ("assignment_has_group", "hq for smiths"),
        ("assignment_has_user", "hq for bob"),
        ("client_has_default_user", "shop"),
        ("signing_key", "signing keys"),
        ("user_has_company", "gil"),
        ("user_has_company", "sven"),
    ]
    assert await rows(settings, ADDRESSES, ADDRESS_ASSIGNMENTS) == [2, 2]


async def test_outcomes_of_requests_are_forgotten_after_thirty_days(settings, secret, clock):
    app = await build(replace(settings, forget_pause=0.001), runtime_for("directory", clock=clock))
    async with serving(app, background=True) as served:
        world = World(served, clock)
        request = users.CreateUserRequest(user=user("anna", SELLER), request_id="r1")
        await world.admin.users.CreateUser(request)
        clock.advance(timedelta(days=29))
        await world.admin.users.CreateUser(request)
        clock.advance(timedelta(days=2))
        for _ in range(1_000):
            if await rows(settings, REQUESTS) == [0]:
                break
        with pytest.raises(WaybillError) as error:
            await world.admin.users.CreateUser(request)
        assert error.value.reason == "RESOURCE_EXISTS"


async def test_a_directory_that_was_never_set_up_says_so(settings):
    app = await build(settings, runtime_for("directory"))
    found = [record.rule async for record in app.inspected() if isinstance(record, Finding)]
    await app.close()
    assert found == ["one_seller", "signing_key"]
