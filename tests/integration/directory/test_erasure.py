"""A person who is emptied before it is deleted leaves nothing of itself in the directory, as the page about security has it."""

from __future__ import annotations

import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask

from libs.db import Database
from services.directory.adapters.db.tables import METADATA
from services.directory.settings import Settings
from tests.integration.directory.world import ACME, World, entry, user
from waybill.directory.v1 import address_service_pb2 as addresses
from waybill.directory.v1 import user_service_pb2 as users

PERSONAL = ["username", "first_name", "last_name", "email", "phone", "xp"]


async def rows_with(settings: Settings, text: str) -> list[str]:
    """Tables of the directory in which the text stands anywhere."""
    database = await Database.open(settings.database_url, settings.database_schema)
    found = []
    async with database.reading() as tx:
        for table in METADATA.sorted_tables:
            rows = (await tx.execute(sa.select(table))).all()
            found += [table.name for row in rows if text in repr(tuple(row)).lower()]
    await database.close()
    return found


async def test_who_is_emptied_and_then_deleted_leaves_no_name_behind(world: World, settings: Settings) -> None:
    await world.companies()
    stubs = world.admin
    person = user("u1", username="zelda.fitz", first_name="Zelda", last_name="Zelda-Fitz", email="zelda@x.example", phone="zelda")
    person.xp.update({"nick": "zelda"})
    await stubs.users.CreateUser(users.CreateUserRequest(user=person, request_id="r1"))
    home = entry("home", user_id="u1")
    home.address.first_name = "Zelda"
    await stubs.addresses.CreateAddresses(addresses.CreateAddressesRequest(entries=[home], request_id="r2"))
    assert sorted(await rows_with(settings, "zelda")) == ["addresses", "users"]

    nobody = users.User(id="u1", username="gone-1")
    nobody.xp.update({"nick": None})
    emptied = users.UpdateUserRequest(user=nobody, update_mask=FieldMask(paths=PERSONAL), request_id="r3")
    await stubs.users.UpdateUser(emptied)
    empty = entry("home", user_id="u1")
    await stubs.addresses.UpdateAddress(addresses.UpdateAddressRequest(entry=empty, update_mask=FieldMask(paths=["address"])))
    await stubs.addresses.DeleteAddress(addresses.DeleteAddressRequest(party=ACME, address_id="home"))
    await stubs.users.DeleteUser(users.DeleteUserRequest(user_id="u1"))
    assert await rows_with(settings, "zelda") == []
    assert "changes" in await rows_with(settings, "gone-1")
