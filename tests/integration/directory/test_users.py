import asyncio

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask

from libs.db import Database
from libs.errors import Kind, WaybillError
from services import roles
from services.directory.adapters.db.tables import REQUESTS, USERS
from tests.integration.directory.world import ACME, BOLT, GLOBEX, PASSWORD, SELLER, user
from tests.support.principals import buyer, seller, supplier
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import token_service_pb2 as tokens
from waybill.directory.v1 import user_service_pb2 as users
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, Party

USER_ADMIN, SHOPPER, READER = roles.USER_ADMIN, roles.SHOPPER, roles.ORDER_READER


async def refused(attempt):
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


def noted(error):
    return sorted((f.field, f.reason) for f in error.fields)


def create(*made, request_id=""):
    return users.BatchCreateUsersRequest(users=made, request_id=request_id)


def update(made, *paths):
    return users.UpdateUserRequest(user=made, update_mask=FieldMask(paths=paths))


async def signs_in(world, name, password):
    grant = tokens.PasswordGrant(username=name, password=password)
    try:
        return bool(await world.tokens.IssueToken(tokens.IssueTokenRequest(client_id="shop", password=grant)))
    except WaybillError as error:
        if error.reason != "GRANT_INVALID":
            raise
    return False


async def test_a_user_is_read_as_it_was_written_but_for_the_password(world):
    await world.companies()
    wanted = user("anna", first_name="Anna", last_name="Ärger", email="anna@acme.example", phone="+1 555")
    made = (await world.admin.users.CreateUser(users.CreateUserRequest(user=wanted))).user
    assert (made.password, made.etag) == ("", "1")
    wanted.password = ""
    for field in ("id", "party", "username", "first_name", "last_name", "email", "phone", "active", "roles"):
        assert getattr(made, field) == getattr(wanted, field)
    assert (await world.admin.users.GetUser(users.GetUserRequest(user_id="anna"))).user == made


async def test_everything_wrong_with_users_is_reported_at_once(world):
    await world.companies()
    await world.people(user("anna"))
    nowhere = Party(kind=PARTY_KIND_BUYER, id="nowhere")
    error = await refused(
        world.admin.users.BatchCreateUsers(
            create(
                user("u0", username="ANNA"),
                user("u1", nowhere),
                user("u2", roles=["Wizard", SHOPPER, SHOPPER]),
                user("u3", username=""),
                user("u4", Party(id="acme")),
                user("u5"),
                user("u6", username="U5"),
                user("u7", username="nul\0"),
                user("u5", username="other"),
            )
        )
    )
    assert noted(error) == [
        ("users[0].username", "USERNAME_TAKEN"),
        ("users[1].party", "PARTY_NOT_FOUND"),
        ("users[2].roles[0]", "ROLE_NOT_AVAILABLE"),
        ("users[2].roles[2]", "DUPLICATE_ITEM"),
        ("users[3].username", "FIELD_REQUIRED"),
        ("users[4].party.kind", "FIELD_REQUIRED"),
        ("users[6].username", "USERNAME_TAKEN"),
        ("users[7].username", "FIELD_INVALID"),
        ("users[8].id", "DUPLICATE_ITEM"),
    ]
    short = await refused(
        world.admin.users.BatchCreateUsers(
            create(
                user("u1", password="short"),
                user("u\0"),
                user("u3", username="", password="x" * 201),
                user("u4", nowhere, password="short"),
                user("anna", username="anna2"),
                request_id="r1",
            )
        )
    )
    assert noted(short) == [
        ("users[0].password", "VALUE_OUT_OF_RANGE"),
        ("users[1].id", "ID_INVALID"),
        ("users[1].username", "FIELD_INVALID"),
        ("users[2].password", "VALUE_OUT_OF_RANGE"),
        ("users[2].username", "FIELD_REQUIRED"),
        ("users[3].party", "PARTY_NOT_FOUND"),
        ("users[3].password", "VALUE_OUT_OF_RANGE"),
        ("users[4].id", "RESOURCE_EXISTS"),
    ]
    change = users.User(id="anna", username="", password="short")
    changed = await refused(world.admin.users.UpdateUser(update(change, "username", "password")))
    assert noted(changed) == [("user.password", "VALUE_OUT_OF_RANGE"), ("user.username", "FIELD_REQUIRED")]
    masked = await refused(world.admin.users.UpdateUser(update(change, "nothing", "password")))
    assert noted(masked) == [("update_mask.paths[0]", "FIELD_INVALID"), ("user.password", "VALUE_OUT_OF_RANGE")]
    assert len((await world.admin.users.ListUsers(users.ListUsersRequest())).users) == 2


async def test_too_many_users_are_refused_before_any_password_is_hashed(world):
    await world.companies()
    error = await refused(world.admin.users.BatchCreateUsers(create(*(user(f"u{i}") for i in range(1_001)))))
    assert noted(error) == [("users", "TOO_MANY_ITEMS")]
    assert (await refused(world.admin.users.BatchCreateUsers(create()))).reason == "FIELD_REQUIRED"


async def test_a_user_name_is_unique_whatever_the_case(world):
    await world.companies()
    await world.people(user("anna", username="Straße"), user("bob"))
    error = await refused(world.admin.users.CreateUser(users.CreateUserRequest(user=user("gil", GLOBEX, username="STRASSE"))))
    assert noted(error) == [("user.username", "USERNAME_TAKEN")]
    error = await refused(world.admin.users.UpdateUser(update(users.User(id="bob", username="strasse"), "username")))
    assert noted(error) == [("user.username", "USERNAME_TAKEN")]
    made = await world.admin.users.UpdateUser(update(users.User(id="anna", username="STRASSE"), "username"))
    assert made.user.username == "STRASSE"
    await world.admin.users.UpdateUser(update(users.User(id="anna", username="anna"), "username"))
    await world.admin.users.UpdateUser(update(users.User(id="bob", username="strasse"), "username"))


async def test_a_user_name_is_unique_however_it_is_composed_and_has_no_blanks_around_it(world):
    await world.companies()
    await world.people(user("anna", username="Renée"))
    wrong = ("Rene\u0301e", "ＲＥＮÉＥ", "René\u200be", " bob", "cat\u00a0", "\u200b", "\ufdfa" * 100)
    error = await refused(world.admin.users.BatchCreateUsers(create(*(user(f"u{i}", username=n) for i, n in enumerate(wrong)))))
    assert noted(error) == [
        *((f"users[{i}].username", "USERNAME_TAKEN") for i in range(3)),
        *((f"users[{i}].username", "FIELD_INVALID") for i in range(3, 6)),
        ("users[6].username", "VALUE_OUT_OF_RANGE"),
    ]


async def test_of_two_at_the_same_time_one_gets_the_name(world):
    await world.companies()
    made = await asyncio.gather(
        *(
            world.admin.users.CreateUser(users.CreateUserRequest(user=user(f"u{i}", username="Anna", password="")))
            for i in range(6)
        ),
        return_exceptions=True,
    )
    errors = [error for error in made if isinstance(error, Exception)]
    assert len(errors) == 5
    assert {error.reason for error in errors} == {"USERNAME_TAKEN"}


async def test_a_role_over_users_shows_their_own_company_or_to_the_seller_every_company(world):
    await world.companies()
    await world.people()
    for caller, seen in (
        (seller(roles.USER_ADMIN), ["anna", "bob", "gil", "owner", "sven"]),
        (buyer(roles.USER_ADMIN), ["anna", "bob"]),
        (supplier(roles.USER_ADMIN), ["sven"]),
    ):
        page = await world.calls(caller).users.ListUsers(users.ListUsersRequest(order_by="id"))
        assert [u.id for u in page.users] == seen
    error = await refused(world.calls(buyer(roles.USER_ADMIN)).users.GetUser(users.GetUserRequest(user_id="gil")))
    assert error.kind is Kind.MISSING
    page = await world.admin.users.ListUsers(users.ListUsersRequest(filter='party = "BUYER:globex"'))
    assert [u.id for u in page.users] == ["gil"]


async def test_a_company_manages_its_own_users_only(world):
    await world.companies()
    await world.people()
    boss = world.calls(buyer(USER_ADMIN, SHOPPER, user="boss")).users
    await boss.CreateUser(users.CreateUserRequest(user=user("cleo")))
    for made in (user("mole", GLOBEX), user("mole", SELLER), user("mole", BOLT)):
        assert (await refused(boss.CreateUser(users.CreateUserRequest(user=made)))).kind is Kind.MISSING
    change = update(users.User(id="gil", phone="1"), "phone")
    assert (await refused(boss.UpdateUser(change))).kind is Kind.MISSING
    assert (await refused(boss.SetPassword(users.SetPasswordRequest(user_id="gil", password=PASSWORD)))).kind is (Kind.MISSING)
    dock = world.calls(supplier(USER_ADMIN, READER)).users
    await dock.CreateUser(users.CreateUserRequest(user=user("stig", BOLT, READER)))
    error = await refused(world.calls(buyer()).users.CreateUser(users.CreateUserRequest(user=user("dan"))))
    assert error.metadata == {"role": USER_ADMIN}
    moved = update(users.User(id="anna", party=GLOBEX), "party")
    assert noted(await refused(boss.UpdateUser(moved))) == [("user.party", "FIELD_INVALID")]


async def test_nobody_gives_roles_that_it_does_not_hold(world):
    await world.companies()
    await world.people()
    boss = world.calls(buyer(USER_ADMIN, SHOPPER, user="boss")).users
    error = await refused(boss.CreateUser(users.CreateUserRequest(user=user("cleo", ACME, SHOPPER, READER))))
    assert noted(error) == [("user.roles[1]", "ROLE_NOT_AVAILABLE")]
    raised = update(users.User(id="anna", roles=[roles.FULL_ACCESS]), "roles")
    assert noted(await refused(boss.UpdateUser(raised))) == [("user.roles[0]", "ROLE_NOT_AVAILABLE")]
    own = update(users.User(id="anna", roles=[SHOPPER, USER_ADMIN]), "roles")
    assert list((await boss.UpdateUser(own)).user.roles) == [SHOPPER, USER_ADMIN]


async def test_nobody_takes_over_a_user_who_holds_more(world):
    await world.companies()
    await world.people(user("anna", ACME, READER), user("helper", SELLER, USER_ADMIN))
    await world.client(allow_seller=True)
    helper = world.calls(seller(USER_ADMIN, SHOPPER, user="helper")).users
    for change in (
        update(users.User(id="owner", password="stolen password"), "password"),
        update(users.User(id="owner", username="me"), "username"),
        update(users.User(id="owner", roles=[]), "roles"),
        update(users.User(id="owner", active=False), "active"),
        users.UpdateUserRequest(user=users.User(id="anna", password="stolen password")),
    ):
        assert noted(await refused(helper.UpdateUser(change))) == [("user.id", "ROLE_NOT_AVAILABLE")]
    error = await refused(helper.SetPassword(users.SetPasswordRequest(user_id="anna", password="stolen password")))
    assert noted(error) == [("user_id", "ROLE_NOT_AVAILABLE")]
    assert not await signs_in(world, "anna", "stolen password")
    # What does not open a door may be changed.
    made = await helper.UpdateUser(update(users.User(id="anna", phone="555"), "phone"))
    assert (made.user.phone, list(made.user.roles)) == ("555", [READER])


async def test_a_password_is_changed_by_its_own_call_or_by_an_update_that_names_it(world):
    await world.companies()
    await world.people(user("anna"))
    await world.client()
    assert await signs_in(world, "anna", PASSWORD)
    request = users.SetPasswordRequest(user_id="anna", password="second password", request_id="r1")
    await world.admin.users.SetPassword(request)
    assert await signs_in(world, "anna", "second password")
    assert not await signs_in(world, "anna", PASSWORD)
    await world.admin.users.UpdateUser(update(users.User(id="anna", phone="1", password="third password"), "password"))
    found = (await world.admin.users.GetUser(users.GetUserRequest(user_id="anna"))).user
    assert (found.phone, found.etag) == ("", "3")
    assert await signs_in(world, "anna", "third password")
    # A mask that does not name it leaves it; so does a replay of the first call.
    await world.admin.users.UpdateUser(update(users.User(id="anna", phone="1", password="fourth password"), "phone"))
    await world.admin.users.SetPassword(request)
    assert await signs_in(world, "anna", "third password")
    for wrong in ("", "short", "x" * 201):
        error = await refused(world.admin.users.SetPassword(users.SetPasswordRequest(user_id="anna", password=wrong)))
        assert [f.field for f in error.fields] == ["password"]
    empty = update(users.User(id="anna"), "password")
    assert noted(await refused(world.admin.users.UpdateUser(empty))) == [("user.password", "FIELD_REQUIRED")]
    nobody = users.SetPasswordRequest(user_id="nobody", password=PASSWORD)
    assert (await refused(world.admin.users.SetPassword(nobody))).kind is Kind.MISSING


async def test_the_same_request_id_creates_users_once_and_no_digest_depends_on_a_password(world, settings):
    await world.companies()
    first = await world.admin.users.BatchCreateUsers(
        create(user("", username="first"), user("", username="second"), request_id="r1")
    )
    again = await world.admin.users.BatchCreateUsers(
        create(user("", username="first", password="another password"), user("", username="second"), request_id="r1")
    )
    assert [u.id for u in again.users] == [u.id for u in first.users]
    database = await Database.open(settings.database_url, settings.database_schema)
    async with database.reading() as tx:
        hashes = (await tx.execute(sa.select(USERS.c.password_hash).where(USERS.c.id != "owner"))).scalars().all()
        digests = (await tx.execute(sa.select(REQUESTS.c.digest))).scalars().all()
    await database.close()
    assert len(hashes) == 2
    assert all(h.startswith("$argon2id$") for h in hashes)
    assert len(digests) == 1


async def test_an_inactive_user_or_company_does_not_sign_in(world):
    await world.companies()
    await world.people()
    await world.client()
    await world.admin.users.UpdateUser(update(users.User(id="anna"), "active"))
    assert not await signs_in(world, "anna", PASSWORD)
    assert await signs_in(world, "bob", PASSWORD)
    change = buyers.UpdateBuyerRequest(buyer=buyers.Buyer(id="acme"), update_mask=FieldMask(paths=["active"]))
    await world.admin.buyers.UpdateBuyer(change)
    assert not await signs_in(world, "bob", PASSWORD)


async def test_creating_many_users_takes_as_many_statements_as_creating_one(world):
    await world.companies()

    async def counted(*made):
        before = world.served.statements
        await world.admin.users.BatchCreateUsers(create(*made))
        return world.served.statements - before

    assert await counted(user("one")) == await counted(*(user(f"u{i}", password="") for i in range(1_000)))
