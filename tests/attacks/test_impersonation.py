"""Whoever may stand in for buyers' users wants to be somebody else, or to stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask

from libs.auth import PartyKind
from services import roles
from services.host.sample.marketplace import PASSWORD, PORTAL, SHOP, party
from tests.access.callers import Metadata
from tests.attacks.tally import Tally
from tests.attacks.target import EVERYTHING, Target, carrying
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import token_service_pb2, token_service_pb2_grpc, user_service_pb2_grpc
from waybill.directory.v1 import user_service_pb2 as users
from waybill_client.errors import from_rpc_error

MAY = frozenset({roles.BUYER_IMPERSONATION})
VICTIMS = {
    "the owner": ("owner", PORTAL, "IMPERSONATION_REFUSED"),
    "another user of the seller": ("seller-user", PORTAL, "IMPERSONATION_REFUSED"),
    "a supplier's user": ("supplier-user", PORTAL, "IMPERSONATION_REFUSED"),
    "who is not active": ("gone-user", SHOP, "IMPERSONATION_REFUSED"),
    "whose company is not active": ("closed-user", SHOP, "IMPERSONATION_REFUSED"),
    "through a client that does not admit it": ("ada", PORTAL, "IMPERSONATION_REFUSED"),
    "who is not there": ("nobody-at-all", SHOP, "RESOURCE_NOT_FOUND"),
    "through a client that is not there": ("ada", "no-client", "RESOURCE_NOT_FOUND"),
}
"""By whom: the user, the client and the refusal."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cast(target_market: Target) -> Target:
    """Everybody whom one might want to be."""
    owner = target_market.callers.market.people.owner
    closed = buyers.Buyer(id="closed", name="Closed", active=False, currency="USD")
    await owner.buyers.CreateBuyer(buyers.CreateBuyerRequest(buyer=closed))
    for id, company, active in (
        ("seller-user", party("SELLER", "seller"), True),
        ("supplier-user", party("SUPPLIER", "northforge"), True),
        ("gone-user", party("BUYER", "acme"), False),
        ("closed-user", party("BUYER", "closed"), True),
        ("all-powerful", party("BUYER", "acme"), True),
    ):
        held = [roles.FULL_ACCESS] if id == "all-powerful" else [roles.SHOPPER]
        user = users.User(id=id, username=id, party=company, active=active, password=PASSWORD, roles=held)
        await owner.users.CreateUser(users.CreateUserRequest(user=user))
    await target_market.callers.sign_up(
        [
            (PartyKind.SELLER, MAY),
            (PartyKind.SELLER, roles.ALL_ROLES - {roles.BUYER_IMPERSONATION, roles.FULL_ACCESS}),
            (PartyKind.BUYER, MAY),
            (PartyKind.SUPPLIER, MAY),
        ]
    )
    return target_market


async def stand_in(
    target: Target, metadata: Metadata, user: str, client: str = SHOP, wanted: tuple[str, ...] = ()
) -> tuple[str, str]:
    """What is answered, and the token where there is one."""
    request = token_service_pb2.IssueTokenRequest(
        client_id=client, impersonation=token_service_pb2.ImpersonationGrant(user_id=user), roles=wanted
    )
    try:
        issued = await token_service_pb2_grpc.TokenServiceStub(target.callers.outside).IssueToken(request, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        known = from_rpc_error(error)
        return known.reason or known.fields[0].reason, ""
    return "OK", str(issued.access_token)


@pytest.mark.parametrize("victim", VICTIMS.values(), ids=list(VICTIMS))
async def test_nobody_stands_in_for(cast: Target, tally: Tally, victim: tuple[str, str, str]) -> None:
    user, client, refusal = victim
    metadata = cast.callers.of(PartyKind.SELLER, MAY)
    for wanted in ((), (roles.SHOPPER,), (roles.FULL_ACCESS,)):
        assert await stand_in(cast, metadata, user, client, wanted) == (refusal, "")
    tally.count("impersonation: of whom nobody may be", 3)


async def test_nobody_else_stands_in_for_anyone(cast: Target, tally: Tally) -> None:
    everything_else = roles.ALL_ROLES - {roles.BUYER_IMPERSONATION, roles.FULL_ACCESS}
    who: Mapping[str, tuple[Metadata, str]] = {
        "no token": ((), "TOKEN_MISSING"),
        "every other role": (cast.callers.of(PartyKind.SELLER, everything_else), "ROLE_MISSING"),
        "a buyer with the role": (cast.callers.of(PartyKind.BUYER, MAY), "PARTY_NOT_ADMITTED"),
        "a buyer with every role": (cast.callers.of(PartyKind.BUYER, EVERYTHING), "PARTY_NOT_ADMITTED"),
        "a supplier with the role": (cast.callers.of(PartyKind.SUPPLIER, MAY), "PARTY_NOT_ADMITTED"),
        "a supplier with every role": (cast.callers.of(PartyKind.SUPPLIER, EVERYTHING), "PARTY_NOT_ADMITTED"),
        "a token of another marketplace": (carrying(cast.of_another_marketplace), "TOKEN_INVALID"),
        "an expired one": (carrying(cast.expired), "TOKEN_EXPIRED"),
    }
    for name, (metadata, refusal) in who.items():
        for user in ("ada", "owner", "nobody-at-all"):
            assert await stand_in(cast, metadata, user) == (refusal, ""), (name, user)
    tally.count("impersonation: by whoever may not", 3 * len(who))


async def test_whoever_stands_in_gets_no_further(cast: Target, tally: Tally) -> None:
    answer, token = await stand_in(cast, cast.callers.of(PartyKind.SELLER, MAY), "all-powerful")
    assert answer == "OK"
    metadata = carrying(token)
    # Neither for somebody else in turn, nor for itself.
    for user in ("ada", "owner", "all-powerful", "seller-user"):
        assert (await stand_in(cast, metadata, user))[0] == "PARTY_NOT_ADMITTED"
    stub: Any = user_service_pb2_grpc.UserServiceStub(cast.callers.outside)
    mine = users.User(id="all-powerful", password="another horse battery staple")
    new = users.User(
        id="second", username="second", party=party("BUYER", "acme"), password=PASSWORD, active=True, roles=[roles.FULL_ACCESS]
    )
    for call, request in (
        (stub.SetPassword, users.SetPasswordRequest(user_id="all-powerful", password=mine.password)),
        (stub.SetPassword, users.SetPasswordRequest(user_id="ada", password=mine.password)),
        (stub.ChangePassword, users.ChangePasswordRequest(old_password=PASSWORD, new_password=mine.password)),
        (stub.UpdateUser, users.UpdateUserRequest(user=mine, update_mask=FieldMask(paths=["password"]))),
        (stub.UpdateUser, users.UpdateUserRequest(user=mine)),
        (stub.CreateUser, users.CreateUserRequest(user=new)),
        (stub.BatchCreateUsers, users.BatchCreateUsersRequest(users=[new])),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(request, metadata=metadata)
        known = from_rpc_error(refused.value)
        assert "IMPERSONATED" in {known.reason, *(f.reason for f in known.fields)}, (request, known)
    tally.count("impersonation: to stay", 11)


async def test_whoever_stands_in_has_no_role_that_the_user_lacks(cast: Target, tally: Tally) -> None:
    metadata = cast.callers.of(PartyKind.SELLER, EVERYTHING)
    refused = [
        role for role in sorted(roles.ALL_ROLES) if (await stand_in(cast, metadata, "ada", wanted=(role,)))[0] == "ROLE_MISSING"
    ]
    assert len(refused) > len(roles.ALL_ROLES) - 8
    assert roles.FULL_ACCESS in refused
    assert roles.ORDER_ADMIN in refused
    tally.count("impersonation: with more roles", len(refused))
