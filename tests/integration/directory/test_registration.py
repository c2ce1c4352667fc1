"""People register themselves: the answer is always alike, and the rest goes by messages to their e-mail addresses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from libs.auth import Principal
from libs.errors import WaybillError
from libs.rpc.fairness.limits import OutsideLimits
from services import roles
from services.directory.adapters.db.tables import MESSAGES, REGISTRATIONS
from services.directory.main import build
from tests.integration.directory.world import ACME, PASSWORD, World, given, profile, user
from tests.support.principals import buyer, seller
from tests.support.server import Served, runtime_for, serving
from waybill.audit.v1 import audit_service_pb2 as audit
from waybill.audit.v1 import audit_service_pb2_grpc
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import message_service_pb2 as messages
from waybill.directory.v1 import message_service_pb2_grpc, registration_service_pb2_grpc
from waybill.directory.v1 import registration_service_pb2 as pb
from waybill.directory.v1 import token_service_pb2 as tokens
from waybill.directory.v1 import user_service_pb2 as users
from waybill_client.errors import from_rpc_error

EVIL, HOME = "203.0.113.9", "198.51.100.1"


def form(name: str = "zoe", **more: Any) -> pb.RegisterRequest:
    said = {"username": name, "password": PASSWORD, "email": f"{name}@example.com", "first_name": "Zoe", "last_name": "Zed"}
    return pb.RegisterRequest(**{"client_id": "shop", **said, **more})


def confirmation(token: str, **more: Any) -> pb.ConfirmRegistrationRequest:
    return pb.ConfirmRegistrationRequest(**{"token": token, "password": PASSWORD, **more})


class Desk:
    """A directory in which people register into Acme, and who sends its messages."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.public: Any = world.served.stub(registration_service_pb2_grpc.RegistrationServiceStub)
        self.outbox = self.of(seller(roles.MESSAGE_ADMIN))

    def of(self, caller: Principal) -> Any:
        return self.world.served.stub(message_service_pb2_grpc.MessageServiceStub, caller)

    async def unsent(self, **more: Any) -> list[messages.Message]:
        request = messages.ListMessagesRequest(filter="sent = false", order_by="create_time", **more)
        return list((await self.outbox.ListMessages(request)).messages)

    async def token(self, name: str = "zoe", **more: Any) -> str:
        """Of a registration that is made."""
        await self.public.Register(form(name, **more))
        (message,) = [one for one in await self.unsent() if one.username == name]
        return message.token

    async def rows(self, table: sa.Table) -> int:
        async with self.world.served.apps[0].database.reading() as tx:
            return int((await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar() or 0)


@pytest.fixture
async def desk(world: World) -> Desk:
    await world.companies()
    await world.client(registration_buyer_id="acme")
    return Desk(world)


async def refused(attempt: Any) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


async def test_who_registers_and_confirms_is_a_user_of_the_buyer_with_the_roles_of_its_profiles(desk: Desk) -> None:
    world = desk.world
    await world.profiles(profile("shoppers", roles.SHOPPER, roles.ME_ADMIN))
    await world.give(given("shoppers", party=ACME))
    assert await desk.public.Register(form("zoe", phone="1")) == pb.RegisterResponse()
    (message,) = await desk.unsent()
    assert (message.kind, message.email) == (messages.MESSAGE_KIND_REGISTRATION_CONFIRMATION, "zoe@example.com")
    assert (message.username, message.first_name, message.client_id) == ("zoe", "Zoe", "shop")
    assert message.expire_time.ToDatetime(world.clock.now().tzinfo) == world.clock.now() + timedelta(hours=24)
    grant = tokens.IssueTokenRequest(client_id="shop", password=tokens.PasswordGrant(username="ZOE", password=PASSWORD))
    # Nobody signs in before.
    assert (await refused(world.tokens.IssueToken(grant))).reason == "GRANT_INVALID"
    made = (await desk.public.ConfirmRegistration(confirmation(message.token))).user_id
    assert set((await world.tokens.IssueToken(grant)).roles) == {roles.SHOPPER, roles.ME_ADMIN}
    one = (await world.admin.users.GetUser(users.GetUserRequest(user_id=made))).user
    said = (one.party, one.username, one.first_name, one.last_name, one.email, one.phone, one.active, list(one.roles))
    assert said == (ACME, "zoe", "Zoe", "Zed", "zoe@example.com", "1", True, [])
    assert (await desk.unsent())[0].token == ""
    assert await desk.rows(REGISTRATIONS) == 0
    log: Any = world.served.stub(audit_service_pb2_grpc.AuditServiceStub, seller(roles.AUDIT_READER))
    kept = await log.ListAuditEntries(audit.ListAuditEntriesRequest(context="directory", filter=f'resource_id = "{made}"'))
    assert [(entry.action, entry.resource) for entry in kept.entries] == [("ConfirmRegistration", "user")]


async def test_a_token_is_used_once_and_a_repeat_is_answered_the_same_user(desk: Desk) -> None:
    token = await desk.token()
    made = await asyncio.gather(*(desk.public.ConfirmRegistration(confirmation(token, request_id=f"r{n}")) for n in range(4)))
    assert len({one.user_id for one in made}) == 1
    found = await desk.world.admin.users.ListUsers(users.ListUsersRequest(filter='username = "zoe"'))
    assert [one.id for one in found.users] == [made[0].user_id]


async def test_a_taken_name_is_answered_alike_after_as_many_statements_and_hashes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, hashes = desk.world, 0
    await world.people(user("anna"))
    hashed = PasswordHasher.hash

    def counted(self: PasswordHasher, secret: str) -> str:
        nonlocal hashes
        hashes += 1
        return hashed(self, secret)

    monkeypatch.setattr(PasswordHasher, "hash", counted)
    await desk.public.Register(form("warm"))
    costs = []
    for name in ("anna", "free", " ANNA".strip(), "free2"):
        before = (world.served.statements, hashes)
        assert await desk.public.Register(form(name)) == pb.RegisterResponse()
        costs.append((world.served.statements - before[0], hashes - before[1]))
    assert len(set(costs)) == 1, costs
    assert costs[0][1] == 1
    said = {(one.username, one.kind, bool(one.token)) for one in await desk.unsent()}
    taken, free = messages.MESSAGE_KIND_REGISTRATION_NAME_TAKEN, messages.MESSAGE_KIND_REGISTRATION_CONFIRMATION
    assert said == {
        ("warm", free, True),
        ("anna", taken, False),
        ("ANNA", taken, False),
        ("free", free, True),
        ("free2", free, True),
    }


async def test_of_two_who_want_one_name_the_first_to_confirm_has_it(desk: Desk) -> None:
    await desk.public.Register(form("zoe"))
    await desk.public.Register(form("ZOE", email="other@example.com"))
    first, second = [one.token for one in sorted(await desk.unsent(), key=lambda one: one.email)]
    made = await desk.public.ConfirmRegistration(confirmation(first))
    error = await refused(desk.public.ConfirmRegistration(confirmation(second)))
    assert (error.reason, error.metadata) == ("USERNAME_TAKEN", {"field": "token"})
    assert made.user_id == (await desk.public.ConfirmRegistration(confirmation(first))).user_id


async def test_a_token_that_is_none_or_has_ended_confirms_nothing(desk: Desk) -> None:
    token = await desk.token()
    for wrong in (token[:-1], token + "x", "x", "\0"):
        error = await refused(desk.public.ConfirmRegistration(confirmation(wrong)))
        assert (error.reason, error.metadata) == ("REGISTRATION_TOKEN_INVALID", {"field": "token"})
    desk.world.clock.advance(timedelta(hours=24))
    assert (await refused(desk.public.ConfirmRegistration(confirmation(token)))).reason == "REGISTRATION_TOKEN_INVALID"
    assert (await desk.unsent())[0].token == ""
    assert (await refused(desk.public.ConfirmRegistration(pb.ConfirmRegistrationRequest()))).reason == "FIELD_REQUIRED"


async def test_whoever_registers_with_the_address_of_another_gets_no_user_by_the_others_slip(desk: Desk) -> None:
    await desk.public.Register(form(email="victim@example.com", password="the stranger knows this"))
    (message,) = await desk.unsent()
    error = await refused(desk.public.ConfirmRegistration(confirmation(message.token)))
    assert (error.fields[0].field, error.fields[0].reason) == ("token", "REGISTRATION_TOKEN_INVALID")
    # It waits still, for whoever has filled in the form and reads the mail.
    assert (await desk.public.ConfirmRegistration(confirmation(message.token, password="the stranger knows this"))).user_id


async def test_everything_wrong_with_a_form_is_reported_at_once(desk: Desk) -> None:
    error = await refused(
        desk.public.Register(pb.RegisterRequest(username=" a", email="nobody", password="short", phone="x" * 101))
    )
    assert {(f.field, f.reason) for f in error.fields} == {
        ("client_id", "FIELD_REQUIRED"),
        ("username", "FIELD_INVALID"),
        ("email", "FIELD_INVALID"),
        ("password", "VALUE_OUT_OF_RANGE"),
        ("phone", "VALUE_OUT_OF_RANGE"),
        ("first_name", "FIELD_REQUIRED"),
        ("last_name", "FIELD_REQUIRED"),
    }
    for email in ("a@b", "a b@example.com", "a@b@example.com", "@example.com", "a@example.", "a@.com", "a\n@example.com"):
        error = await refused(desk.public.Register(form(email=email)))
        assert {f.field for f in error.fields} == {"email"}, email
    for name in ("username", "email", "first_name", "last_name", "phone"):
        for mark in ("\r\n", "\n", "\t", "\x07", "\x85", "\u2028", "\x9b"):
            asked = {"username": "zoe", "email": "zoe@example.com", name: f"zo{mark}e@example.com"}
            error = await refused(desk.public.Register(form(asked.pop("username"), **asked)))
            assert {(f.field, f.reason) for f in error.fields} == {(name, "FIELD_INVALID")}, (name, mark)
    assert await desk.rows(MESSAGES) == 0


async def test_a_client_that_takes_nobody_is_closed_whatever_the_reason(desk: Desk) -> None:
    world = desk.world
    await world.client("other")
    await world.client("idle", registration_buyer_id="acme", active=False)
    token = await desk.token()
    for id in ("other", "idle", "nowhere"):
        assert (await refused(desk.public.Register(form(client_id=id)))).reason == "REGISTRATION_CLOSED"
    inactive = buyers.UpdateBuyerRequest(buyer=buyers.Buyer(id="acme"))
    inactive.update_mask.paths.append("active")
    await world.admin.buyers.UpdateBuyer(inactive)
    assert (await refused(desk.public.Register(form("yan")))).reason == "REGISTRATION_CLOSED"
    assert (await refused(desk.public.ConfirmRegistration(confirmation(token)))).reason == "REGISTRATION_CLOSED"


async def test_a_client_with_a_secret_or_with_pages_asks_for_them(desk: Desk) -> None:
    secret = await desk.world.client("safe", True, registration_buyer_id="acme", allowed_origins=["https://shop.example"])
    for wrong in ("", "guess"):
        assert (await refused(desk.public.Register(form(client_id="safe", client_secret=wrong)))).reason == "GRANT_INVALID"
    kept = {"client_id": "safe", "client_secret": secret}
    error = await refused(desk.public.Register(form(origin="https://evil.example", **kept)))
    assert error.reason == "ORIGIN_NOT_ALLOWED"
    await desk.public.Register(form(origin="https://shop.example", **kept))
    assert len(await desk.unsent()) == 1


async def test_a_repeat_of_a_request_leaves_one_message(desk: Desk) -> None:
    for _ in range(3):
        await desk.public.Register(form(request_id="r1"))
    assert len(await desk.unsent()) == 1
    # The same id for another person is another request.
    await desk.public.Register(form("yan", request_id="r1"))
    assert len(await desk.unsent()) == 2
    error = await refused(desk.public.Register(form(request_id="r1", phone="2")))
    assert error.reason == "REQUEST_ID_REUSED"


async def test_of_one_address_the_newest_three_wait(desk: Desk) -> None:
    sent = []
    for name in ("a1", "a2", "a3", "a4", "a5"):
        desk.world.clock.advance(timedelta(minutes=1))
        await desk.public.Register(form(name, email="same@example.com"))
        sent.append((await desk.unsent())[-1].token)
    assert [one.username for one in await desk.unsent()] == ["a3", "a4", "a5"]
    assert await desk.rows(REGISTRATIONS) == 3
    error = await refused(desk.public.Register(form("a6", email="Same@Example.com")))
    assert (error.reason, error.metadata) == ("TOO_MANY_ATTEMPTS", {"limit": "email"})
    for token in sent[:2]:
        assert (await refused(desk.public.ConfirmRegistration(confirmation(token)))).reason == "REGISTRATION_TOKEN_INVALID"
    for token in sent[2:]:
        assert (await desk.public.ConfirmRegistration(confirmation(token))).user_id


async def test_what_is_sent_has_no_token_any_more_and_messages_are_the_sellers(desk: Desk) -> None:
    token = await desk.token()
    (message,) = await desk.unsent()
    for caller, reason in ((buyer(roles.MESSAGE_ADMIN), "PARTY_NOT_ADMITTED"), (seller(roles.USER_ADMIN), "ROLE_MISSING")):
        assert (await refused(desk.of(caller).ListMessages(messages.ListMessagesRequest()))).reason == reason
    marking = messages.MarkMessagesSentRequest(message_ids=[message.id, "nothing"], request_id="r1")
    assert (await refused(desk.of(seller(roles.MESSAGE_READER)).MarkMessagesSent(marking))).reason == "ROLE_MISSING"
    for _ in range(2):
        assert list((await desk.outbox.MarkMessagesSent(marking)).missing_message_ids) == ["nothing"]
    assert await desk.unsent() == []
    everything = await desk.of(seller(roles.MESSAGE_READER)).ListMessages(messages.ListMessagesRequest(include_total=True))
    assert (everything.total_size, everything.messages[0].token) == (1, "")
    assert everything.messages[0].HasField("sent_time")
    # Whoever was sent it has it.
    assert (await desk.public.ConfirmRegistration(confirmation(token))).user_id


async def test_what_is_over_is_forgotten(desk: Desk) -> None:
    app, clock = desk.world.served.apps[0], desk.world.clock
    loops = {loop.name: loop for loop in app.background}
    await desk.public.Register(form())
    clock.advance(timedelta(hours=25))
    for loop in ("forget_registrations", "forget_messages"):
        await loops[loop].once()
    assert (await desk.rows(REGISTRATIONS), await desk.rows(MESSAGES)) == (0, 1)
    async with app.database.reading() as tx:
        assert (await tx.execute(sa.select(MESSAGES.c.token))).scalar() == ""
    clock.advance(timedelta(days=30))
    await loops["forget_messages"].once()
    assert await desk.rows(MESSAGES) == 0


async def test_a_registration_goes_with_its_client(desk: Desk) -> None:
    token = await desk.token()
    await desk.world.admin.clients.DeleteApiClient(clients.DeleteApiClientRequest(api_client_id="shop"))
    assert await desk.rows(REGISTRATIONS) == 0
    assert (await refused(desk.public.ConfirmRegistration(confirmation(token)))).reason == "REGISTRATION_TOKEN_INVALID"


@asynccontextmanager
async def proxied(settings: Any, clock: Any) -> AsyncIterator[Served]:
    """Behind a proxy that says where calls come from."""
    app = await build(settings, runtime_for("directory", clock=clock))
    async with serving(app, limits=OutsideLimits(trusted_proxies="127.0.0.1,::1", refusals=1_000_000)) as served:
        yield served


async def heard(served: Served, name: str, request: Any, source: str) -> tuple[str, dict[str, str]]:
    """Why a call from there is refused; nothing for what is answered."""
    stub = registration_service_pb2_grpc.RegistrationServiceStub(served.channel)
    try:
        await getattr(stub, name)(request, metadata=(("x-forwarded-for", source),))
    except grpc.aio.AioRpcError as error:
        known = from_rpc_error(error)
        return known.reason, dict(known.metadata)
    return "", {}


async def test_a_thousand_from_one_address_leave_twenty_and_keep_nobody_else_out(
    settings: Any, secret: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxied(settings, clock) as served:
        world = World(served, clock)
        await world.companies()
        await world.client(registration_buyer_id="acme")
        hashes, hashed = 0, PasswordHasher.hash

        def counted(self: PasswordHasher, text: str) -> str:
            nonlocal hashes
            hashes += 1
            return hashed(self, text)

        monkeypatch.setattr(PasswordHasher, "hash", counted)
        found = [await heard(served, "Register", form(f"u{n}"), EVIL) for n in range(1_000)]
        assert found == [("", {})] * 20 + [("TOO_MANY_ATTEMPTS", {"limit": "source"})] * 980
        assert (hashes, await Desk(world).rows(REGISTRATIONS)) == (20, 20)
        assert await heard(served, "Register", form("honest"), HOME) == ("", {})
        clock.advance(timedelta(hours=1))
        assert await heard(served, "Register", form("late"), EVIL) == ("", {})


async def test_whoever_guesses_tokens_waits_and_nobody_else_does(settings: Any, secret: Any, clock: Any) -> None:
    async with proxied(settings, clock) as served:
        world = World(served, clock)
        await world.companies()
        await world.client(registration_buyer_id="acme")
        assert await heard(served, "Register", form(), HOME) == ("", {})
        (message,) = await Desk(world).unsent()
        found = [(await heard(served, "ConfirmRegistration", confirmation(f"guess-{n}"), EVIL))[0] for n in range(25)]
        assert found == ["REGISTRATION_TOKEN_INVALID"] * 20 + ["TOO_MANY_ATTEMPTS"] * 5
        assert (await heard(served, "ConfirmRegistration", confirmation(message.token), EVIL))[0] == "TOO_MANY_ATTEMPTS"
        assert await heard(served, "ConfirmRegistration", confirmation(message.token), HOME) == ("", {})
