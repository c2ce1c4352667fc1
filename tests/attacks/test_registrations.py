"""Whoever registers wants to be somebody else, somebody more, or a nuisance to others."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import grpc
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask

from services.host.sample.marketplace import PASSWORD
from tests.attacks.proxied import Proxied, by_password
from tests.attacks.tally import Tally
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import message_service_pb2 as messages
from waybill.directory.v1 import registration_service_pb2 as pb
from waybill.directory.v1 import registration_service_pb2_grpc
from waybill.directory.v1 import user_service_pb2 as users
from waybill_client.errors import from_rpc_error

JOIN, OTHER = "rg-join", "rg-other"
"""Clients: the first takes people into Acme, the second into Globex."""
OF_MAILBOX = 5


def form(name: str, **more: Any) -> pb.RegisterRequest:
    said = {"username": name, "password": PASSWORD, "email": f"{name}@example.com", "first_name": "Zoe", "last_name": "Zed"}
    return pb.RegisterRequest(**{"client_id": JOIN, **said, **more})


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(proxied_market: Proxied) -> Proxied:
    """A marketplace in which people register."""
    for id, buyer in ((JOIN, "acme"), (OTHER, "globex")):
        client = clients.ApiClient(id=id, name=id, active=True, buyer_ids=[buyer], registration_buyer_id=buyer)
        await proxied_market.owner.api_clients.CreateApiClient(clients.CreateApiClientRequest(api_client=client))
    return proxied_market


async def heard(at: Proxied, method: str, request: Any, source: str = "") -> str:
    """The reasons of a refusal; nothing of what is answered."""
    stub: Any = registration_service_pb2_grpc.RegistrationServiceStub(at.channel)
    try:
        await getattr(stub, method)(request, metadata=(("x-forwarded-for", source or at.elsewhere()),))
    except grpc.aio.AioRpcError as error:
        known = from_rpc_error(error)
        return ", ".join(sorted({field.reason for field in known.fields})) or known.reason
    return ""


async def mail(at: Proxied, email: str) -> list[messages.Message]:
    """What is to be sent to an address, the oldest first."""
    request = messages.ListMessagesRequest(filter=f'email = "{email}"', order_by="create_time")
    return list((await at.owner.messages.ListMessages(request)).messages)


async def token(at: Proxied, name: str, **more: Any) -> str:
    """Of a registration that waits."""
    assert await heard(at, "Register", form(name, **more)) == ""
    return (await mail(at, more.get("email", f"{name}@example.com")))[-1].token


def confirming(token: str, password: str = PASSWORD) -> pb.ConfirmRegistrationRequest:
    return pb.ConfirmRegistrationRequest(token=token, password=password)


async def named(at: Proxied, name: str) -> list[users.User]:
    return list((await at.owner.users.ListUsers(users.ListUsersRequest(filter=f'username = "{name}"'))).users)


async def test_whoever_adds_to_the_form_gets_nothing_more(desk: Proxied, tally: Tally) -> None:
    """Roles, a company, an id and groups, in every field that the message does not have, as bytes that another contract might."""
    bare = form("rg-greedy").SerializeToString()
    more = users.User(id="owner2", roles=["FullAccess"], active=True).SerializeToString()
    smuggled = bytearray(bare)
    for number in range(11, 40):
        for value in (b"FullAccess", b"SELLER", b"globex", more):
            tag = number << 3 | 2
            smuggled += bytes([tag & 0x7F | 0x80, tag >> 7] if tag > 0x7F else [tag]) + bytes([len(value)]) + value
    call: Any = desk.channel.unary_unary("/waybill.directory.v1.RegistrationService/Register")
    await call(bytes(smuggled), metadata=(("x-forwarded-for", desk.elsewhere()),))
    (message,) = await mail(desk, "rg-greedy@example.com")
    assert await heard(desk, "ConfirmRegistration", confirming(message.token)) == ""
    (made,) = await named(desk, "rg-greedy")
    assert (made.party.id, list(made.roles), made.id != "owner2") == ("acme", [], True)
    signed_in = await desk.issue(by_password("rg-greedy", client=JOIN))
    assert "FullAccess" not in signed_in.roles
    assert (await desk.refusal(by_password("rg-greedy", client=JOIN, wanted=("FullAccess",))))[0] != ""
    tally.count("forms with fields that registering does not have", 29 * 4)


async def test_a_name_that_is_taken_is_answered_with_as_much_and_as_many_messages(desk: Proxied, tally: Tally) -> None:
    await desk.newcomer("rg-known")
    for number, name in enumerate(("rg-known", "RG-Known", "ｒｇ-known", "rg-free", "RG-Free2", "owner", "ada", "gil")):
        address = f"rg-curious-{number}@example.com"
        assert await heard(desk, "Register", form(name, email=address)) == ""
        assert len(await mail(desk, address)) == 1, name
        # Neither is the form answered otherwise when it is wrong beside, or sent again.
        assert await heard(desk, "Register", form(name, email=address, phone="x" * 101)) == "VALUE_OUT_OF_RANGE"
        tally.count("names tried by registering", 2)


async def test_a_token_is_good_for_its_own_registration_and_password_alone(desk: Proxied, tally: Tally) -> None:
    mine = await token(desk, "rg-mine", password="the password of mine")
    await token(desk, "rg-victim", password="the password of another")
    (message,) = await mail(desk, "rg-victim@example.com")
    tried = [
        confirming(mine, "the password of another"),
        confirming(message.token, "the password of mine"),
        confirming(message.token, ""),
        confirming(message.id),
        confirming(mine[: len(mine) // 2] + message.token[len(mine) // 2 :], "the password of mine"),
        confirming(mine.swapcase(), "the password of mine"),
        confirming(f" {mine}", "the password of mine"),
        confirming("x" * 100_000, "the password of mine"),
        confirming("' OR 1 = 1 --", "the password of mine"),
    ]
    for request in tried:
        assert await heard(desk, "ConfirmRegistration", request) in ("REGISTRATION_TOKEN_INVALID", "FIELD_REQUIRED")
    assert await named(desk, "rg-mine") == await named(desk, "rg-victim") == []
    assert await heard(desk, "ConfirmRegistration", confirming(mine, "the password of mine")) == ""
    # The token that was used signs nobody in, and is shown to nobody any more.
    assert (await desk.refusal(by_password("rg-mine", mine, client=JOIN)))[0] == "GRANT_INVALID"
    assert [one.token for one in await mail(desk, "rg-mine@example.com")] == [""]
    assert await heard(desk, "ConfirmRegistration", confirming(mine, "the password of mine")) == ""
    assert len(await named(desk, "rg-mine")) == 1
    tally.count("tokens of registrations that are another's, altered or used", len(tried) + 2)


async def test_of_many_who_confirm_one_name_at_once_one_has_it(desk: Proxied, tally: Tally) -> None:
    wanted = [f"rg-race-{n}@example.com" for n in range(6)]
    found = [await token(desk, name, email=email) for name, email in zip(("rg-race", "RG-RACE") * 3, wanted, strict=True)]
    said = await asyncio.gather(*(heard(desk, "ConfirmRegistration", confirming(each)) for each in found * 2))
    assert Counter(said) == {"": 2, "USERNAME_TAKEN": 10}
    (made,) = await named(desk, "rg-race")
    assert made.email in wanted
    tally.count("confirmations of one name at the same time", 12)


async def test_who_is_made_a_user_meanwhile_keeps_the_name_and_the_password(desk: Proxied, tally: Tally) -> None:
    waiting = await token(desk, "rg-slow", password="the password of a stranger")
    await desk.newcomer("rg-slow")
    assert await heard(desk, "ConfirmRegistration", confirming(waiting, "the password of a stranger")) == "USERNAME_TAKEN"
    assert (await desk.refusal(by_password("rg-slow", "the password of a stranger")))[0] == "GRANT_INVALID"
    assert (await desk.issue(by_password("rg-slow"))).access_token
    tally.count("confirmations of a name that was taken meanwhile", 1)


async def test_nobody_registers_into_what_the_client_takes_no_longer(desk: Proxied, tally: Tally) -> None:
    waiting = await token(desk, "rg-late", client_id=OTHER)
    changes = (
        ({"registration_buyer_id": ""}, ["registration_buyer_id"]),
        ({"registration_buyer_id": "acme", "buyer_ids": ["acme"]}, ["registration_buyer_id", "buyer_ids"]),
        ({"active": False}, ["active"]),
    )
    for changed, paths in changes:
        client = clients.ApiClient(id=OTHER, **changed)
        request = clients.UpdateApiClientRequest(api_client=client, update_mask=FieldMask(paths=paths))
        await desk.owner.api_clients.UpdateApiClient(request)
        assert await heard(desk, "ConfirmRegistration", confirming(waiting)) == "REGISTRATION_CLOSED", changed
    for id in (OTHER, "till", "waybill-admin", "rg-nowhere"):
        assert await heard(desk, "Register", form("rg-nobody", client_id=id)) == "REGISTRATION_CLOSED", id
    assert await named(desk, "rg-late") == []
    tally.count("registrations through a client that takes nobody, or nobody any more", 7)


async def test_a_mailbox_is_not_filled_from_many_addresses_and_many_spellings(desk: Proxied, tally: Tally) -> None:
    said: Counter[str] = Counter()
    for number in range(40):
        email = ("rg-box@example.com", "RG-Box@Example.com", "rg-box@EXAMPLE.COM", "ｒｇ-box@example.com")[number % 4]
        said[await heard(desk, "Register", form(f"rg-box-{number}", email=email))] += 1
    assert said == {"": OF_MAILBOX, "TOO_MANY_ATTEMPTS": 40 - OF_MAILBOX}
    assert await heard(desk, "Register", form("rg-neighbour")) == ""
    tally.count("registrations with one mailbox from many addresses", 40)


async def test_no_form_makes_a_letter_of_more_headers_or_more_recipients(desk: Proxied, tally: Tally) -> None:
    tried = 0
    for mark in ("\r\nBcc: all@example.com\r\n", "\n", "\r", "\u2028", "\x0b", "\x85", "\x1b[2J"):
        for name in ("username", "first_name", "last_name", "phone", "email"):
            asked = {name: f"zoe{mark}@example.com"}
            request = form(asked.pop("username", f"rg-mail-{tried}"), **asked)
            assert await heard(desk, "Register", request) == "FIELD_INVALID", (name, mark)
            tried += 1
    for email in (
        "a@b.example,c@d.example",
        "a@b.example;c@d.example",
        "<a@b.example>",
        "Zoe <a@b.example>",
        "a@b.example c@d.e",
    ):
        assert await heard(desk, "Register", form(f"rg-mail-{tried}", email=email)) == "FIELD_INVALID", email
        tried += 1
    sent = await desk.owner.messages.ListMessages(messages.ListMessagesRequest(filter='username : "rg-mail"'))
    assert not sent.messages
    tally.count("forms that would make other letters of the one", tried)
