"""What users do with themselves: they read and change what is theirs, and nothing that others decide."""

import asyncio
from datetime import timedelta

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind
from services import roles
from tests.integration.directory.test_refresh_tokens import refreshed
from tests.integration.directory.test_tokens import by_password, refused
from tests.integration.directory.test_users import noted
from tests.integration.directory.world import ACME, BOLT, PASSWORD, SELLER, user
from tests.support.principals import buyer, seller, supplier
from waybill.directory.v1 import revocation_service_pb2, revocation_service_pb2_grpc
from waybill.directory.v1 import user_service_pb2 as users

NEW = "another battery staple"
MINE = ("first_name", "last_name", "email", "phone", "xp")
OTHERS = ("username", "roles", "active", "party", "password", "etag", "create_time", "id")


def me(world, *held, who=buyer, **more):
    """The stub of users, called as one who is in the marketplace."""
    return world.calls(who(*(held or (roles.ME_ADMIN,)), **more)).users


def update(*paths, **values):
    return users.UpdateMeRequest(user=users.User(**values), update_mask=FieldMask(paths=paths))


def change(old=PASSWORD, new=NEW, request_id=""):
    return users.ChangePasswordRequest(old_password=old, new_password=new, request_id=request_id)


@pytest.fixture
async def people(world):
    await world.companies()
    await world.people(
        user("anna", first_name="Anna"), user("bob"), user("sven", BOLT), user("admin", SELLER, roles.ORDER_READER)
    )
    await world.client(refresh_token_minutes=1_000)
    return world


async def generation(world, id):
    """How often tokens of a user were ended."""
    stub = world.served.service_stub(revocation_service_pb2_grpc.RevocationServiceStub, "order")
    listed = await stub.ListRevocations(revocation_service_pb2.ListRevocationsRequest())
    return max((r.generation for r in listed.revocations if (r.kind, r.id) == ("USER", id)), default=0)


@pytest.mark.parametrize(("who", "id"), [(buyer, "anna"), (supplier, "sven"), (seller, "admin")])
async def test_users_of_every_company_read_and_change_themselves(people, who, id):
    stub = me(people, who=who)
    assert (await me(people, roles.TAX_RATE_ADMIN, who=who).GetMe(users.GetMeRequest())).user.id == id
    wanted = {"first_name": "A", "last_name": "B", "email": "a@b.example", "phone": "+1 555"}
    request = update(*wanted, "xp", **wanted)
    request.user.xp["shoe"] = 42
    made = (await stub.UpdateMe(request)).user
    assert {name: getattr(made, name) for name in wanted} == wanted
    assert (made.id, made.username, made.active, made.etag) == (id, id, True, "2")
    assert (await stub.GetMe(users.GetMeRequest())).user == made
    assert (await people.admin.users.GetUser(users.GetUserRequest(user_id=id))).user == made
    assert await generation(people, id) == 0


@pytest.mark.parametrize("field", OTHERS)
async def test_nobody_changes_of_itself_what_others_decide(people, field):
    error = await refused(me(people, roles.FULL_ACCESS).UpdateMe(update("first_name", field, first_name="X")))
    assert (error.kind, noted(error)) == (Kind.INVALID, [("update_mask.paths[1]", "FIELD_INVALID")])
    assert (await me(people).GetMe(users.GetMeRequest())).user.first_name == "Anna"


async def test_a_user_that_is_sent_back_whole_changes_only_what_is_its_own(people):
    stub = me(people)
    whole = (await stub.GetMe(users.GetMeRequest())).user
    before = users.User()
    before.CopyFrom(whole)
    whole.last_name = "Berg"
    whole.roles.append(roles.FULL_ACCESS)
    whole.username, whole.active, whole.password = "root", False, NEW
    whole.party.CopyFrom(SELLER)
    after = (await stub.UpdateMe(users.UpdateMeRequest(user=whole))).user
    assert after.last_name == "Berg"
    for field in ("id", "roles", "username", "active", "party", "first_name"):
        assert getattr(after, field) == getattr(before, field)
    assert (await people.tokens.IssueToken(by_password())).access_token


async def test_everything_wrong_with_an_update_is_reported_at_once(people):
    request = update("first_name", "email", "roles", "nonsense", id="bob", first_name="x" * 101, email="x" * 201)
    assert noted(await refused(me(people).UpdateMe(request))) == [
        ("update_mask.paths[2]", "FIELD_INVALID"),
        ("update_mask.paths[3]", "FIELD_INVALID"),
        ("user.email", "VALUE_OUT_OF_RANGE"),
        ("user.first_name", "VALUE_OUT_OF_RANGE"),
        ("user.id", "FIELD_INVALID"),
    ]
    assert (await refused(me(people).UpdateMe(update("phone", phone="1", etag="7")))).kind is Kind.STALE
    assert (await people.admin.users.GetUser(users.GetUserRequest(user_id="bob"))).user.first_name == ""


async def test_for_xp_alone_its_own_role_is_enough(people):
    stub = me(people, roles.ME_XP_ADMIN)
    request = update("xp")
    request.user.xp["a"] = 1
    assert dict((await stub.UpdateMe(request)).user.xp) == {"a": 1}
    by_itself = users.UpdateMeRequest()
    by_itself.user.xp["b"] = 2
    assert dict((await stub.UpdateMe(by_itself)).user.xp) == {"a": 1, "b": 2}
    for more in (update("xp", "phone", phone="1"), users.UpdateMeRequest(user=users.User(phone="1"))):
        error = await refused(stub.UpdateMe(more))
        assert (error.reason, error.metadata) == ("ROLE_MISSING", {"role": roles.ME_ADMIN})
    assert (await me(people, roles.FULL_ACCESS).UpdateMe(update("phone", phone="1"))).user.phone == "1"


async def test_an_update_that_is_repeated_has_one_effect(people):
    request = update("phone", phone="1")
    request.request_id = "r1"
    first = (await me(people).UpdateMe(request)).user
    assert (await me(people).UpdateMe(request)).user == first
    request.user.phone = "2"
    assert (await refused(me(people).UpdateMe(request))).reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize("role", [roles.ME_ADMIN, roles.PASSWORD_RESET, roles.FULL_ACCESS])
async def test_who_knows_the_old_password_sets_a_new_one_and_all_tokens_end(people, role):
    signed_in = await people.tokens.IssueToken(by_password())
    assert signed_in.refresh_token
    await me(people, role).ChangePassword(change())
    assert await generation(people, "anna") == 1
    assert (await refused(people.tokens.IssueToken(refreshed(signed_in.refresh_token)))).reason == "GRANT_INVALID"
    assert (await refused(people.tokens.IssueToken(by_password()))).reason == "GRANT_INVALID"
    assert (await people.tokens.IssueToken(by_password(password=NEW))).access_token
    assert (await people.tokens.IssueToken(by_password(name="bob"))).access_token


async def test_a_wrong_old_password_and_a_bad_new_one_change_nothing(people):
    error = await refused(me(people).ChangePassword(change(old="", new="short")))
    assert noted(error) == [("new_password", "VALUE_OUT_OF_RANGE"), ("old_password", "FIELD_REQUIRED")]
    assert noted(await refused(me(people).ChangePassword(change(new="")))) == [("new_password", "FIELD_REQUIRED")]
    error = await refused(me(people).ChangePassword(change(old="guess", request_id="r1")))
    assert (error.kind, noted(error)) == (Kind.INVALID, [("old_password", "PASSWORD_WRONG")])
    assert PASSWORD not in str(error)
    assert await generation(people, "anna") == 0
    # What was refused is recorded nowhere: the same request with the right one is carried out.
    await me(people).ChangePassword(change(request_id="r1"))
    assert (await people.tokens.IssueToken(by_password(password=NEW))).access_token


async def test_guesses_at_the_old_password_count_as_failed_sign_ins_do(people):
    for _ in range(5):
        assert (await refused(people.tokens.IssueToken(by_password(password="guess")))).reason == "GRANT_INVALID"
        assert (await refused(me(people).ChangePassword(change(old="guess")))).reason == "PASSWORD_WRONG"
    for attempt in (people.tokens.IssueToken(by_password()), me(people).ChangePassword(change())):
        error = await refused(attempt)
        assert (error.kind, error.reason, error.retry_after) == (Kind.EXHAUSTED, "TOO_MANY_ATTEMPTS", timedelta(minutes=1))
    people.clock.advance(timedelta(minutes=1))
    await me(people).ChangePassword(change())


async def test_a_change_that_is_repeated_has_one_effect_whatever_the_password_is_by_then(people):
    await me(people).ChangePassword(change(request_id="r1"))
    await me(people).ChangePassword(change(request_id="r1"))
    assert await generation(people, "anna") == 1
    await me(people).ChangePassword(change(old=NEW, new=PASSWORD, request_id="r2"))
    assert (await people.tokens.IssueToken(by_password())).access_token


async def test_of_changes_at_the_same_time_one_takes_place(people):
    attempts = (me(people).ChangePassword(change(new=f"{NEW} {i}")) for i in range(4))
    done = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(not isinstance(each, Exception) for each in done) == 1
    assert await generation(people, "anna") == 1


async def test_a_user_without_a_password_and_one_that_is_gone_change_none(people):
    await people.people(user("robot", ACME, password=""))
    error = await refused(me(people, user="robot").ChangePassword(change(old="anything")))
    assert noted(error) == [("old_password", "PASSWORD_WRONG")]
    nobody = me(people, user="nobody")
    for attempt in (nobody.ChangePassword(change()), nobody.GetMe(users.GetMeRequest()), nobody.UpdateMe(update("phone"))):
        assert (await refused(attempt)).kind is Kind.MISSING


async def test_an_update_without_a_user_is_none(people):
    assert noted(await refused(me(people).UpdateMe(users.UpdateMeRequest()))) == [("user", "FIELD_REQUIRED")]
    assert (await me(people).GetMe(users.GetMeRequest())).user.etag == "1"
