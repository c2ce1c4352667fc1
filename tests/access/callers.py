"""Everyone who calls: users with exactly the roles that a cell is about, services, and nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import grpc
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from libs.auth import PartyKind, Principal, ServiceTokens
from libs.rpc.required import behaviors
from services.host.contexts import CONTEXTS
from services.host.sample.marketplace import PASSWORD, PORTAL, SHOP, party
from tests.support.guests import WEB, open_to_guests
from tests.support.marketplace import Marketplace
from waybill.directory.v1 import token_service_pb2, token_service_pb2_grpc, user_service_pb2
from waybill_client import WaybillError
from waybill_client.errors import from_rpc_error

COMPANIES = {PartyKind.SELLER: ("seller", PORTAL), PartyKind.BUYER: ("acme", SHOP), PartyKind.SUPPLIER: ("northforge", PORTAL)}
"""By kind, a company and the API client that its users sign in through."""
NOBODY = "nobody"
"""An id that nothing has."""
_TEXTS = {"currency": "USD", "country": "US", "password": PASSWORD}
"""By field, what is no id."""
_VALUES: dict[str, Message] = {"Money": Money(currency_code="USD", units=1), "Decimal": Decimal(value="1")}
"""By name, messages that say nothing of their fields."""
Metadata = tuple[tuple[str, str], ...]
Answer = tuple[str, dict[str, str]]
"""The reason of a refusal and its metadata; `OK` where there is none."""


@dataclass(slots=True)
class Callers:
    """Users by the kind of their company and their roles, each signed in once."""

    market: Marketplace
    tokens: ServiceTokens
    outside: grpc.aio.Channel
    inside: grpc.aio.Channel
    _known: dict[tuple[PartyKind, frozenset[str]], Metadata] = field(default_factory=dict)
    _guest: Metadata = ()

    async def sign_up(self, wanted: Iterable[tuple[PartyKind, Collection[str]]]) -> None:
        """Makes a user for each, and signs it in."""
        new = {(kind, frozenset(held)) for kind, held in wanted} - self._known.keys()
        names = {who: f"caller-{len(self._known) + i}" for i, who in enumerate(sorted(new, key=repr))}
        users = [
            user_service_pb2.User(
                id=name,
                username=name,
                party=party(kind.value, COMPANIES[kind][0]),
                first_name="Alex",
                last_name="All",
                email="alex@example.com",
                active=True,
                password=PASSWORD,
                roles=sorted(held),
            )
            for (kind, held), name in names.items()
        ]
        for begin in range(0, len(users), 100):
            request = user_service_pb2.BatchCreateUsersRequest(users=users[begin : begin + 100])
            await self.market.people.owner.users.BatchCreateUsers(request)
        tokens = token_service_pb2_grpc.TokenServiceStub(self.outside)
        for (kind, held), name in names.items():
            grant = token_service_pb2.PasswordGrant(username=name, password=PASSWORD)
            signed_in = await tokens.IssueToken(token_service_pb2.IssueTokenRequest(client_id=COMPANIES[kind][1], password=grant))
            self._known[kind, held] = (("authorization", f"Bearer {signed_in.access_token}"),)

    def of(self, kind: PartyKind, held: Collection[str]) -> Metadata:
        """What a call of such a user carries."""
        return self._known[kind, frozenset(held)]

    async def guest(self) -> Metadata:
        """What a call of a guest carries."""
        if not self._guest:
            await open_to_guests(self.market)
            request = token_service_pb2.IssueTokenRequest(client_id=WEB, guest=token_service_pb2.GuestGrant())
            issued = await token_service_pb2_grpc.TokenServiceStub(self.outside).IssueToken(request)
            self._guest = (("authorization", f"Bearer {issued.access_token}"),)
        return self._guest

    async def call(self, method: MethodDescriptor, request: Message, metadata: Metadata) -> tuple[Answer, Message | None]:
        """What a caller hears and is given from outside; nothing where it is refused."""
        return await _called(self.outside, method, request, metadata)

    async def answer(self, method: MethodDescriptor, metadata: Metadata) -> Answer:
        """What a user hears who calls it."""
        return (await self.call(method, idle(method), metadata))[0]

    async def answer_to_service(self, method: MethodDescriptor, service: str, acting: Principal | None = None) -> Answer:
        """What a service hears that calls it, for nobody or for a user. Its request is empty: services are believed, and a
        submit or a cancel of an order that nobody has would be carried out."""
        context = method.full_name.split(".")[1]
        # What every process serves belongs to none of the contexts.
        context = context if context in CONTEXTS else "host"
        metadata = (("waybill-service", self.tokens.issue(service, acting, context)),)
        return (await _called(self.inside, method, GetMessageClass(method.input_type)(), metadata))[0]


async def _called(
    channel: grpc.aio.Channel, method: MethodDescriptor, request: Message, metadata: Metadata
) -> tuple[Answer, Message | None]:
    path = f"/{method.containing_service.full_name}/{method.name}"
    out_of = GetMessageClass(method.output_type)
    kinds = {"request_serializer": type(request).SerializeToString, "response_deserializer": out_of.FromString}
    try:
        if method.server_streaming:
            call = channel.unary_stream(path, **kinds)(request, metadata=metadata)
            given = await call.read()
            call.cancel()
        else:
            given = await channel.unary_unary(path, **kinds)(request, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        refused: WaybillError = from_rpc_error(error)
        return (refused.reason or refused.code.name, dict(refused.metadata)), None
    return ("OK", {}), given


def idle(method: MethodDescriptor) -> Message:
    """A request in which everything that is required is set, and which names only what does not exist: it passes the checks of
    its form, so a role that is asked for later is asked for, and changes next to nothing."""
    made = _filled(GetMessageClass(method.input_type))
    # A stream that goes on from no position ends at once.
    if "resume_token" in made.DESCRIPTOR.fields_by_name:
        made.resume_token = NOBODY  # type: ignore[attr-defined]
    return made


def _filled(kind: type[Message]) -> Message:
    made = kind()
    if made.DESCRIPTOR.name in _VALUES:
        made.CopyFrom(_VALUES[made.DESCRIPTOR.name])
    for each in made.DESCRIPTOR.fields:
        if not {"REQUIRED", "IDENTIFIER"} & behaviors(each):
            continue
        target = getattr(made, each.name)
        if each.message_type is None:
            value = _scalar(each)
            if each.is_repeated:
                target.append(value)
            else:
                setattr(made, each.name, value)
        elif each.is_repeated:
            target.append(_filled(GetMessageClass(each.message_type)))
        else:
            target.CopyFrom(_filled(GetMessageClass(each.message_type)))
            target.SetInParent()
    return made


def _scalar(each: FieldDescriptor) -> object:
    if each.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _TEXTS.get(each.name, NOBODY)
    return True if each.cpp_type == FieldDescriptor.CPPTYPE_BOOL else 1
