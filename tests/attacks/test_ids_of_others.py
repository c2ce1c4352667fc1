"""What belongs to others is not there: whoever names it hears the same as of an id that nobody has, field by field."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from libs.auth import PartyKind
from services import roles
from services.host.sample.marketplace import PASSWORD, PORTAL, SHOP, party
from tests.access import reads
from tests.access.callers import NOBODY, Metadata, idle
from tests.attacks.tally import Tally
from tests.attacks.target import EVERYTHING, Target, carrying, target
from tests.support.contracts import services
from waybill.directory.v1 import (
    address_service_pb2,
    cost_center_service_pb2,
    token_service_pb2,
    token_service_pb2_grpc,
    user_service_pb2,
)
from waybill.order.v1 import order_pb2
from waybill.payment.v1 import credit_card_service_pb2
from waybill.type.v1.address_pb2 import Address
from waybill_client.errors import from_rpc_error

METHODS = [m for service in services() for m in service.methods if not m.name.startswith(("Create", "BatchCreate", "Place"))]
"""An id that is taken is no secret: whoever makes something under it hears so."""
CARD = "visa-of-ada"
HOME = "home-of-ada"
OURS = {
    "order_id": reads.ORDER,
    "supplier_order_id": reads.SUPPLIER_ORDER,
    "shipment_id": reads.SHIPMENT,
    "line_item_id": "l1",
    "payment_id": "FULL-CARD",
    "credit_card_id": CARD,
    "spending_account_id": "gift-ada",
    "inventory_record_id": "anvil-northforge",
    "address_id": HOME,
    "shipping_address_id": HOME,
    "billing_address_id": HOME,
    "user_id": "ada",
    "user_group_id": "purchasing",
    "buyer_id": "acme",
    "cost_center_id": "workshop",
}
"""By the name of a field, what belongs to the ones who are attacked."""
BY_MESSAGE = {
    "Order": "order_id",
    "SupplierOrder": "supplier_order_id",
    "Shipment": "shipment_id",
    "LineItem": "line_item_id",
    "Payment": "payment_id",
    "CreditCard": "credit_card_id",
    "SpendingAccount": "spending_account_id",
    "InventoryRecord": "inventory_record_id",
    "Address": "address_id",
    "User": "user_id",
    "UserGroup": "user_group_id",
    "Buyer": "buyer_id",
    "CostCenter": "cost_center_id",
    "Party": "buyer_id",
}
"""By the name of a message, whose id its `id` is."""


@dataclass(frozen=True, slots=True)
class Attacker:
    """Somebody with a token, and what of all that belongs to others."""

    name: str
    kind: str
    company: str
    client: str
    roles: frozenset[str]
    own: frozenset[str] = frozenset()
    """Fields that name nothing of others: what the own company has."""


ATTACKERS = (
    Attacker("a buyer", "BUYER", "globex", SHOP, EVERYTHING),
    Attacker("a supplier", "SUPPLIER", "lumenworks", PORTAL, EVERYTHING),
    Attacker(
        "a colleague who shops",
        "BUYER",
        "acme",
        SHOP,
        frozenset({roles.SHOPPER, roles.ME_CREDIT_CARD_ADMIN}),
        # The company and its groups are there for everyone in it, and so is its book but for what colleagues keep in it.
        frozenset({"buyer_id", "user_group_id"}),
    ),
)


async def fill(target: Target) -> None:
    """An order in which something is everywhere, and of ada alone a card, a cost center and an address that she keeps."""
    await reads.fill(target.callers)
    card = credit_card_service_pb2.CreditCard(id=CARD, token="tok_approve", card_type="visa", partial_number="4242")
    request = credit_card_service_pb2.CreateCreditCardRequest(credit_card=card)
    await target.callers.market.people.ada.credit_cards.CreateCreditCard(request)
    place = Address(id=HOME, lines=["1 Elm St"], city="San Jose", region="CA", postal_code="95113", country="US")
    home = address_service_pb2.AddressEntry(party=party("BUYER", "acme"), address=place, user_id="ada")
    owner = target.callers.market.people.owner
    await owner.addresses.CreateAddresses(address_service_pb2.CreateAddressesRequest(entries=[home]))
    made = cost_center_service_pb2.CostCenter(id="workshop", name="Workshop", buyer_id="acme", active=True)
    await owner.cost_centers.CreateCostCenter(cost_center_service_pb2.CreateCostCenterRequest(cost_center=made))
    given = cost_center_service_pb2.CostCenterAssignment(cost_center_id="workshop", user_id="ada")
    await owner.cost_centers.AssignCostCenters(cost_center_service_pb2.AssignCostCentersRequest(assignments=[given]))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tokens(target_market: Target) -> Mapping[str, Metadata]:
    """Everybody who is after what others have."""
    await fill(target_market)
    found = {}
    for number, who in enumerate(ATTACKERS):
        name = f"attacker-{number}"
        user = user_service_pb2.User(
            id=name, username=name, active=True, password=PASSWORD, roles=sorted(who.roles), party=party(who.kind, who.company)
        )
        await target_market.callers.market.people.owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=user))
        request = token_service_pb2.IssueTokenRequest(
            client_id=who.client, password=token_service_pb2.PasswordGrant(username=name, password=PASSWORD)
        )
        issued = await token_service_pb2_grpc.TokenServiceStub(target_market.callers.outside).IssueToken(request)
        found[who.name] = carrying(issued.access_token)
    return found


def named(message: Any) -> Iterator[tuple[Any, FieldDescriptor, str]]:
    """Every field of a request that names a resource: the message, the field, and by which name it is known what it names."""
    for each in message.DESCRIPTOR.fields:
        if each.message_type is not None:
            if each.message_type.name in ("Struct", "Timestamp", "FieldMask", "Money", "Decimal", "Duration"):
                continue
            if each.is_repeated:
                for value in getattr(message, each.name):
                    yield from named(value)
            elif message.HasField(each.name):
                yield from named(getattr(message, each.name))
        elif each.cpp_type == FieldDescriptor.CPPTYPE_STRING and each.name != "request_id":
            known = BY_MESSAGE.get(message.DESCRIPTOR.name, "") if each.name == "id" else each.name.removesuffix("s")
            if known in OURS:
                yield message, each, known


def naming(method: MethodDescriptor, who: Attacker, ours: bool) -> tuple[Message, int]:
    """A request that names what others have, or what nobody has, in each of its fields; and the number of these."""
    made = idle(method)
    if "direction" in made.DESCRIPTOR.fields_by_name:
        made.direction = order_pb2.DIRECTION_ALL  # type: ignore[attr-defined]
    if "request_id" in made.DESCRIPTOR.fields_by_name:
        made.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
    for optional in made.DESCRIPTOR.fields:
        if optional.message_type is not None and optional.message_type.name == "Party":
            company = (who.kind, who.company) if "buyer_id" in who.own else ("BUYER", NOBODY)
            getattr(made, optional.name).CopyFrom(party(*company))
    count = 0
    for message, each, known in list(named(made)):
        if known in who.own:
            continue
        value, count = OURS[known] if ours else NOBODY, count + 1
        if each.is_repeated:
            del getattr(message, each.name)[:]
            getattr(message, each.name).append(value)
        else:
            setattr(message, each.name, value)
    return made, count


async def heard(channel: grpc.aio.Channel, method: MethodDescriptor, request: Message, metadata: Metadata) -> str:
    """Everything of an answer, with the ids that were asked for left out."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    out_of = GetMessageClass(method.output_type)
    call = channel.unary_unary(path, request_serializer=type(request).SerializeToString, response_deserializer=out_of.FromString)
    try:
        text = MessageToJson(await call(request, metadata=metadata), indent=None)
    except grpc.aio.AioRpcError as error:
        known = from_rpc_error(error)
        fields = [(v.field, v.reason, v.description) for v in known.fields]
        rules = [str(rule) for rule in known.rules]
        text = f"{known.code.name} {known.reason} {known.message} {sorted(known.metadata.items())} {fields} {rules}"
    for id in sorted({*OURS.values(), NOBODY}, key=len, reverse=True):
        text = text.replace(id, "?")
    return text


async def differing(target: Target, who: Attacker, metadata: Metadata) -> tuple[list[tuple[str, str, str]], int]:
    """Methods by which somebody learns that there is something, with both answers; and how many were tried."""
    found, tried = [], 0
    for method in METHODS:
        if method.server_streaming:
            continue
        theirs, count = naming(method, who, ours=True)
        nobodys, _ = naming(method, who, ours=False)
        if not count:
            continue
        one, other = [await heard(target.callers.outside, method, each, metadata) for each in (theirs, nobodys)]
        tried += 1
        if one != other:
            found.append((method.full_name, one, other))
    return found, tried


@pytest.mark.parametrize("who", ATTACKERS, ids=lambda who: who.name)
async def test_what_others_have_is_answered_like_what_nobody_has(
    target_market: Target, tokens: Mapping[str, Metadata], tally: Tally, who: Attacker
) -> None:
    found, tried = await differing(target_market, who, tokens[who.name])
    assert found == []
    tally.count(f"ids of others, named by {who.name}", tried)


async def test_the_same_requests_find_what_they_name_for_whoever_may(tmp_path_factory: pytest.TempPathFactory) -> None:
    # In a marketplace of its own: whoever may changes what it finds.
    async with target(tmp_path_factory) as alone:
        await fill(alone)
        metadata = alone.callers.of(PartyKind.SELLER, EVERYTHING)
        found, tried = await differing(alone, Attacker("the seller", "SELLER", "seller", PORTAL, EVERYTHING), metadata)
    assert len(found) > tried / 3, [name for name, _, _ in found]
