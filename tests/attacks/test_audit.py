"""Whoever wants to read the log of administrative acts, to write into it, or to find a secret there."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToJson

from libs.auth import PartyKind
from services import roles
from services.host.contexts import CONTEXTS
from services.host.sample.marketplace import PASSWORD, SHOP, party
from tests.access.callers import Metadata
from tests.attacks.proxied import DAY
from tests.attacks.tally import Tally
from tests.attacks.target import EVERYTHING, Target, carrying
from waybill.audit.v1 import audit_service_pb2 as pb
from waybill.audit.v1 import audit_service_pb2_grpc
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import token_service_pb2 as tokens
from waybill.directory.v1 import token_service_pb2_grpc, user_service_pb2_grpc
from waybill.directory.v1 import user_service_pb2 as users
from waybill.payment.v1 import credit_card_service_pb2 as cards
from waybill.payment.v1 import credit_card_service_pb2_grpc
from waybill_client.errors import from_rpc_error

SECRET_PASSWORD = "a secret that nobody may read"
ANOTHER_PASSWORD = "another secret that nobody may read"
CARD_TOKEN = "tok_secret_of_a_card"


async def asked(target: Target, metadata: Metadata, context: str = "directory", **of: Any) -> tuple[str, list[pb.AuditEntry]]:
    """Why somebody is refused, or what it reads."""
    request = pb.ListAuditEntriesRequest(context=context, page_size=1_000, **of)
    try:
        stub = audit_service_pb2_grpc.AuditServiceStub(target.callers.outside)
        return "", list((await stub.ListAuditEntries(request, metadata=metadata)).entries)
    except grpc.aio.AioRpcError as error:
        known = from_rpc_error(error)
        return known.reason or known.fields[0].reason, []


async def everything(target: Target) -> list[pb.AuditEntry]:
    """What the owner reads of all contexts."""
    owner = target.callers.of(PartyKind.SELLER, EVERYTHING)
    return [entry for context in CONTEXTS for entry in (await asked(target, owner, context))[1]]


def raw(target: Target) -> str:
    """All that the databases have of it."""
    found = []
    for context in CONTEXTS:
        with closing(sqlite3.connect(target.data / f"{context}.sqlite3")) as database:
            found += database.execute("SELECT * FROM audit_entries").fetchall()
    return json.dumps(found, default=str)


async def test_no_secret_is_in_it(target_market: Target, tally: Tally) -> None:
    owner, outside = target_market.callers.market.people.owner, target_market.callers.outside
    user = users.User(
        id="au-user", username="au-user", party=party("BUYER", "acme"), active=True, password=SECRET_PASSWORD,
        roles=[roles.SHOPPER, roles.ME_ADMIN],
    )  # fmt: skip
    await owner.users.CreateUser(users.CreateUserRequest(user=user))
    client = clients.ApiClient(id="au-client", name="c", active=True, allow_any_buyer=True, refresh_token_minutes=DAY)
    await owner.api_clients.CreateApiClient(clients.CreateApiClientRequest(api_client=client))
    secret = (await owner.api_clients.RotateSecret(clients.RotateSecretRequest(api_client_id="au-client"))).client_secret
    grant = tokens.PasswordGrant(username="au-user", password=SECRET_PASSWORD)
    request = tokens.IssueTokenRequest(client_id="au-client", client_secret=secret, password=grant)
    issued = await token_service_pb2_grpc.TokenServiceStub(outside).IssueToken(request)
    change = users.ChangePasswordRequest(old_password=SECRET_PASSWORD, new_password=ANOTHER_PASSWORD)
    stub: Any = user_service_pb2_grpc.UserServiceStub(outside)
    await stub.ChangePassword(change, metadata=carrying(issued.access_token))
    for set_to in (users.SetPasswordRequest(user_id="au-user", password=SECRET_PASSWORD),):
        await owner.users.SetPassword(set_to)
    updated = users.UpdateUserRequest(user=users.User(id="au-user", password=ANOTHER_PASSWORD))
    updated.update_mask.paths.append("password")
    await owner.users.UpdateUser(updated)
    card = cards.CreditCard(id="au-card", buyer_id="acme", token=CARD_TOKEN, card_type="visa", partial_number="4242")
    await owner.credit_cards.CreateCreditCard(cards.CreateCreditCardRequest(credit_card=card))
    entries = await everything(target_market)
    done = {entry.action for entry in entries if entry.resource_id in ("au-user", "au-client", "au-card")}
    assert {"CreateUser", "ChangePassword", "SetPassword", "UpdateUser", "RotateSecret", "CreateCreditCard"} <= done
    said = "\n".join(MessageToJson(entry) for entry in entries) + raw(target_market)
    secrets = (
        *(SECRET_PASSWORD, ANOTHER_PASSWORD, PASSWORD, CARD_TOKEN, secret, target_market.callers.market.secret.client_secret),
        *(issued.access_token, issued.refresh_token, target_market.token, "$argon2", "sealed1:", "PRIVATE KEY", "eyJ"),
    )
    assert all(secrets)
    assert [one for one in secrets if one in said] == []
    tally.count("secrets looked for in the log of acts", len(secrets) * len(entries))


async def test_nobody_reads_it_who_may_not(target_market: Target, tally: Tally) -> None:
    reader = frozenset({roles.AUDIT_READER})
    others = roles.ALL_ROLES - {roles.AUDIT_READER, roles.FULL_ACCESS}
    await target_market.callers.sign_up(
        [*((kind, reader) for kind in PartyKind), (PartyKind.SELLER, others), (PartyKind.BUYER, others)]
    )
    of = target_market.callers.of
    who: dict[str, tuple[Metadata, str]] = {
        "nobody": ((), "TOKEN_MISSING"),
        "a buyer": (of(PartyKind.BUYER, reader), "PARTY_NOT_ADMITTED"),
        "a buyer with every role": (of(PartyKind.BUYER, EVERYTHING), "PARTY_NOT_ADMITTED"),
        "a supplier": (of(PartyKind.SUPPLIER, reader), "PARTY_NOT_ADMITTED"),
        "a supplier with every role": (of(PartyKind.SUPPLIER, EVERYTHING), "PARTY_NOT_ADMITTED"),
        "every role but one": (of(PartyKind.SELLER, others), "ROLE_MISSING"),
        "somebody of another marketplace": (carrying(target_market.of_another_marketplace), "TOKEN_INVALID"),
    }
    for name, (metadata, refusal) in who.items():
        for context in (*CONTEXTS, "", "no-context", "*", "directory.audit_entries"):
            for filter in ("", 'user_id = "owner"'):
                assert await asked(target_market, metadata, context, filter=filter) == (refusal, []), (name, context)
    assert (await asked(target_market, of(PartyKind.SELLER, reader)))[1]
    tally.count("readers of the log of acts who may not", len(who) * (len(CONTEXTS) + 4) * 2)


INJECTED = (
    "' OR '1'='1",
    "'; DROP TABLE audit_entries; --",
    '" OR user_id != "',
    '\\" OR user_id != \\"',
    "\\",
    "%",
    "_",
    "owner%",
    "own_r",
    "owner' --",
    "owner\x00",
    "owner\n",
    "OWNER",
    "(SELECT user_id FROM audit_entries)",
    "x' UNION SELECT private_pem FROM signing_keys --",
    "🂡" * 50,
    "x" * 5_000,
)


async def test_a_text_of_a_filter_is_a_text(target_market: Target, tally: Tally) -> None:
    owner = target_market.callers.of(PartyKind.SELLER, EVERYTHING)
    fields = ("action", "method", "resource", "resource_id", "user_id", "party", "impersonator_id", "client_id", "request_id")
    before = len(await everything(target_market))
    for name in fields:
        for text in INJECTED:
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            refusal, found = await asked(target_market, owner, filter=f'{name} = "{quoted}"')
            assert (found, refusal in ("", "FILTER_INVALID", "FILTER_SYNTAX", "FIELD_INVALID")) == ([], True), (
                name,
                text,
                refusal,
            )
    broken = (
        *('user_id = "x" OR', 'user_id = "x"; SELECT 1', "private_pem = 'x'", 'fields = "password"', "id > 0 --", "1 = 1"),
        *(
            'user_id = "x" UNION SELECT 1',
            "user_id LIKE '%'",
            '"owner" = user_id OR (',
            "(" * 5_000,
            "NOT " * 5_000 + 'user_id = "x"',
        ),
    )
    for text in broken:
        assert (await asked(target_market, owner, filter=text))[0], text[:80]
    for text in ("time desc; DROP TABLE audit_entries", "private_pem", "(SELECT 1)", "time desc, " * 500, "id", "fields"):
        assert (await asked(target_market, owner, order_by=text))[0], text[:80]
    assert len(await everything(target_market)) == before
    tally.count("filters and orders of the log of acts", len(fields) * len(INJECTED) + len(broken) + 6)


async def test_nobody_makes_entries_up(target_market: Target, tally: Tally) -> None:
    owner = target_market.callers.of(PartyKind.SELLER, EVERYTHING)
    stub: Any = user_service_pb2_grpc.UserServiceStub(target_market.callers.outside)
    before = await everything(target_market)
    made_up = (
        "au\n2026-01-01 owner DeleteUser",
        "au\0",
        "a" * 101,
        "a" * 100_000,
        "au user",
        "au/../owner",
        "ａｕ",
        "",
        "-" * 300,
    )
    for id in made_up:
        user = users.User(id=id, username="owner", party=party("BUYER", "acme"), active=True, roles=[roles.SHOPPER])
        mask = users.UpdateUserRequest(user=users.User(id="ada", first_name="Ada"))
        mask.update_mask.paths.extend([f"first_name{id}x", *["first_name"] * 1_000])
        for call, request in (
            (stub.CreateUser, users.CreateUserRequest(user=user)),
            (stub.DeleteUser, users.DeleteUserRequest(user_id=id or "au-nobody")),
            (stub.SetPassword, users.SetPasswordRequest(user_id=id or "au-nobody", password=PASSWORD)),
            (stub.UpdateUser, mask),
        ):
            with pytest.raises(grpc.aio.AioRpcError):
                await call(request, metadata=owner)
    assert await everything(target_market) == before
    # What is done is one entry, whatever a caller says of itself and of the call, and however often it says so.
    user = users.User(id="au-one", username="au-one", party=party("BUYER", "acme"), active=True, roles=[roles.SHOPPER])
    forged = (("x-request-id", "z" * 3_000), ("x-user-id", "ada"), ("impersonator_id", "sam"), ("user_id", "ada"))
    for _ in range(5):
        await stub.CreateUser(users.CreateUserRequest(user=user, request_id="au-same"), metadata=(*owner, *forged))
    (one,) = [entry for entry in await everything(target_market) if entry not in before]
    assert (one.action, one.resource_id, one.impersonator_id, len(one.request_id)) == ("CreateUser", "au-one", "", 100)
    assert one.user_id == (await stub.GetMe(users.GetMeRequest(), metadata=owner)).user.id
    repeated = users.UpdateUserRequest(user=users.User(id="au-one", first_name="A"))
    repeated.update_mask.paths.extend(["first_name"] * 1_000)
    with_it = await target_market.callers.call(
        users.DESCRIPTOR.services_by_name["UserService"].methods_by_name["UpdateUser"], repeated, owner
    )
    (last, *_) = (await asked(target_market, owner, filter='resource_id = "au-one"'))[1]
    assert len(last.fields) <= 1, with_it[0]
    tally.count("entries of the log of acts that are made up", 4 * len(made_up) + 6)


async def test_what_is_done_in_the_place_of_somebody_names_both(target_market: Target, tally: Tally) -> None:
    owner = target_market.callers.market.people.owner
    user = users.User(
        id="au-victim",
        username="au-victim",
        party=party("BUYER", "acme"),
        active=True,
        password=PASSWORD,
        roles=[roles.SHOPPER, roles.ME_CREDIT_CARD_ADMIN, roles.ME_ADMIN],
    )
    await owner.users.CreateUser(users.CreateUserRequest(user=user))
    may = frozenset({roles.BUYER_IMPERSONATION})
    await target_market.callers.sign_up([(PartyKind.SELLER, may)])
    metadata = target_market.callers.of(PartyKind.SELLER, may)
    me: Any = user_service_pb2_grpc.UserServiceStub(target_market.callers.outside)
    sam = (await me.GetMe(users.GetMeRequest(), metadata=metadata)).user.id
    request = tokens.IssueTokenRequest(client_id=SHOP, impersonation=tokens.ImpersonationGrant(user_id="au-victim"))
    issued = await token_service_pb2_grpc.TokenServiceStub(target_market.callers.outside).IssueToken(request, metadata=metadata)
    acting = carrying(issued.access_token)
    stub: Any = credit_card_service_pb2_grpc.CreditCardServiceStub(target_market.callers.outside)
    card = cards.CreditCard(
        id="au-own", buyer_id="acme", user_id="au-victim", token="tok_approve", card_type="visa", partial_number="1"
    )
    await stub.CreateCreditCard(cards.CreateCreditCardRequest(credit_card=card), metadata=acting)
    changed = users.UpdateMeRequest(user=users.User(first_name="Ann"))
    await me.UpdateMe(changed, metadata=acting)
    await stub.DeleteCreditCard(cards.DeleteCreditCardRequest(credit_card_id="au-own"), metadata=acting)
    entries = [
        entry for entry in await everything(target_market) if entry.impersonator_id == sam and entry.user_id == "au-victim"
    ]
    assert sorted(one.action for one in entries) == ["CreateCreditCard", "DeleteCreditCard", "UpdateMe"]
    # The same user may have stood in for others.
    begun = [entry for entry in await everything(target_market) if entry.action == "Impersonate" and entry.user_id == sam]
    assert [entry.resource_id for entry in begun].count("au-victim") == 1
    tally.count("acts in the place of somebody", 4)
