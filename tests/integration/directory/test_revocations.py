"""The list of what was taken away, as services read it."""

from datetime import timedelta

import pytest

from libs.auth.revocations import LONGEST
from services.directory.adapters.db.tokens import revocations
from services.directory.adapters.db.tokens.revocations import SqlRevocationLists
from tests.integration.directory.world import PASSWORD, user
from waybill.directory.v1 import revocation_service_pb2 as pb
from waybill.directory.v1 import revocation_service_pb2_grpc as pb_grpc
from waybill.directory.v1 import user_service_pb2 as users


async def listed(world, after=0):
    stub = world.served.service_stub(pb_grpc.RevocationServiceStub, "order")
    return await stub.ListRevocations(pb.ListRevocationsRequest(after=after))


async def another_password(world, id):
    await world.admin.users.SetPassword(users.SetPasswordRequest(user_id=id, password=PASSWORD))


@pytest.fixture
async def people(world):
    await world.companies()
    for id in ("u-1", "u-2"):
        await world.admin.users.CreateUser(users.CreateUserRequest(user=user(id)))
    return world


async def test_generations_rise_one_by_one_and_are_read_from_a_position(people):
    before = (await listed(people)).position
    for id in ("u-1", "u-2", "u-1"):
        await another_password(people, id)
    answer = await listed(people, before)
    assert [(r.kind, r.id, r.generation) for r in answer.revocations] == [
        ("USER", "u-1", 1),
        ("USER", "u-2", 1),
        ("USER", "u-1", 2),
    ]
    assert (answer.more, answer.restart) == (False, False)
    rest = await listed(people, answer.position)
    assert (list(rest.revocations), rest.position, rest.restart) == ([], answer.position, False)


async def test_a_position_that_was_never_given_begins_anew(people):
    await another_password(people, "u-1")
    whole = await listed(people)
    answer = await listed(people, whole.position + 1)
    assert answer.restart
    assert list(answer.revocations) == list(whole.revocations)


async def test_long_lists_come_in_pages(people, monkeypatch):
    monkeypatch.setattr(revocations, "PAGE", 1)
    before = (await listed(people, 0)).position
    for id in ("u-1", "u-2"):
        await another_password(people, id)
    first = await listed(people, before)
    second = await listed(people, first.position)
    assert ([r.id for r in first.revocations], first.more) == (["u-1"], True)
    assert ([r.id for r in second.revocations], second.more) == (["u-2"], False)


async def test_what_no_token_is_old_enough_for_is_forgotten_but_the_newest_stays(people, app):
    for id in ("u-1", "u-2"):
        await another_password(people, id)
    newest = (await listed(people)).position
    people.clock.advance(timedelta(seconds=LONGEST + 1))
    await SqlRevocationLists(app.database).forgetting(people.clock).once()
    answer = await listed(people)
    assert [r.id for r in answer.revocations] == ["u-2"]
    assert answer.position == newest
