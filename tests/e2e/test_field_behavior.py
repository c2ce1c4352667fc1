"""What the contracts mark as required is required, and what they mark as output only is never taken from a caller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from libs.rpc.required import REASON, behaviors
from tests.e2e.steps import card, promise, ready
from tests.support.contracts import invoke, services
from tests.support.marketplace import Marketplace
from waybill.directory.v1 import user_service_pb2
from waybill_client import AsyncWaybill, WaybillError

MAKES = ("Create", "BatchCreate", "Assign", "Unassign", "AdjustStock", "PlaceOrder")
"""Names of methods that look at the whole of what they get; others look at what a mask names, or first for an order."""
CLOSED = ("PARTY_NOT_ADMITTED", "ROLE_MISSING", "SERVICE_ONLY")
NUMBERS = (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64)
FAR = 86_400
"""A day of 1970: no time that a service would write."""


def unary() -> list[MethodDescriptor]:
    """Every method that is answered once."""
    return [m for service in services() for m in service.methods if not m.server_streaming]


def wanted(request: Any, path: str = "") -> Iterator[str]:
    """Fills a message with empty ones where such are required; paths of the required fields that are then empty."""
    for field in request.DESCRIPTOR.fields:
        if "REQUIRED" not in behaviors(field) or field.cpp_type in NUMBERS:
            continue
        at = f"{path}.{field.name}" if path else field.name
        if field.message_type is None or not field.message_type.full_name.startswith("waybill."):
            yield at
            continue
        made = getattr(request, field.name).add() if field.is_repeated else getattr(request, field.name)
        made.SetInParent()
        yield from wanted(made, f"{at}[0]" if field.is_repeated else at)


async def refusal(client: AsyncWaybill, method: MethodDescriptor, request: Any) -> WaybillError | None:
    """What a call is refused with; none for what is not for the caller."""
    try:
        await invoke(client.channel, method, request)
    except WaybillError as error:
        return None if error.reason in CLOSED else error
    raise AssertionError(f"{method.full_name} took {request}")


@pytest.mark.on_sqlite
async def test_every_required_field_that_is_empty_is_named(shared_market: Marketplace) -> None:
    owner, seen, silent = shared_market.people.owner, 0, []
    for method in unary():
        kind = GetMessageClass(method.input_type)
        bare = [f.name for f in method.input_type.fields if "REQUIRED" in behaviors(f) and f.cpp_type not in NUMBERS]
        if not bare or (error := await refusal(owner, method, kind())) is None:
            continue
        seen += 1
        named = [v.field for v in error.fields if v.reason == REASON]
        silent += [f"{method.full_name}: {b}" for b in bare if not any(n == b or n.startswith(f"{b}.") for n in named)]
        if method.name.startswith(MAKES):
            request = kind()
            paths = list(wanted(request))
            error = await refusal(owner, method, request)
            named = [v.field for v in error.fields if v.reason == REASON] if error else []
            silent += [f"{method.full_name}: {path}" for path in paths if path not in named]
    assert silent == []
    assert seen > 60


def rubbish(field: FieldDescriptor, message: Any, depth: int = 0) -> None:
    """Fills one field with what no service would write."""
    target = getattr(message, field.name)
    if field.message_type is None:
        value: Any = {"string": "rubbish", "bool": True}.get(_word(field), 987_654)
        if field.enum_type is not None:
            value = field.enum_type.values[-1].number
        target.append(value) if field.is_repeated else setattr(message, field.name, value)
        return
    made = target.add() if field.is_repeated else target
    made.SetInParent()
    if field.message_type.full_name == "google.protobuf.Timestamp":
        made.seconds = FAR
    elif field.message_type.full_name == "google.type.Money":
        made.currency_code, made.units = "USD", 987_654
    elif field.message_type.full_name == "google.type.Decimal":
        made.value = "0.987654"
    elif depth < 2 and field.message_type.full_name.startswith("waybill."):
        for part in field.message_type.fields:
            rubbish(part, made, depth + 1)


def _word(field: FieldDescriptor) -> str:
    return {FieldDescriptor.TYPE_STRING: "string", FieldDescriptor.TYPE_BOOL: "bool"}.get(field.type, "")


def outputs(kind: Descriptor) -> list[FieldDescriptor]:
    """The fields that are output only."""
    return [field for field in kind.fields if "OUTPUT_ONLY" in behaviors(field)]


def shown(message: Any, field: FieldDescriptor) -> Any:
    """A field's value in a form that compares."""
    value = getattr(message, field.name)
    return [str(item) for item in value] if field.is_repeated else str(value)


def resource_of(method: MethodDescriptor) -> FieldDescriptor | None:
    """The field of a request that holds a resource which has output-only fields."""
    for field in method.input_type.fields:
        if field.message_type is not None and "id" in field.message_type.fields_by_name and outputs(field.message_type):
            return field
    return None


async def samples(client: AsyncWaybill) -> dict[str, Any]:
    """One message of every kind that is listed, by its full name."""
    found: dict[str, Any] = {}
    for method in unary():
        if not method.name.startswith("List"):
            continue
        request = GetMessageClass(method.input_type)()
        for name, value in (("direction", 1), ("order_id", "CART"), ("page_size", 1)):
            if name in method.input_type.fields_by_name:
                setattr(request, name, value)
        try:
            answer = await invoke(client.channel, method, request)
        except WaybillError:
            continue
        for field, items in answer.ListFields():
            if field.message_type is not None and field.is_repeated:
                found[field.message_type.full_name] = items[0]
    return found


OWN = {"User": "username", "CreditCard": "token", "ShipMethodAssignment": "ship_from_id"}
"""Fields that a copy cannot have from the original."""
ONE_OF_A_KIND = ("InventoryRecord", "RateTable")
"""What there is only one of for its place: it is updated, and no copy is made."""
ELSEWHERE = ("CreatePayments", "UpdateLineItems", "UpdatePayment")
"""For services alone, or within an order."""


def copied(sample: Any, id: str) -> Any:
    """Another one like it, for a request that creates it."""
    made = type(sample)()
    made.CopyFrom(sample)
    for field in made.DESCRIPTOR.fields:
        if field.name == "etag" or "OUTPUT_ONLY" in behaviors(field):
            made.ClearField(field.name)
    made.id = id
    if id != sample.id and (name := OWN.get(made.DESCRIPTOR.name)):
        setattr(made, name, id)
    return made


def spoiled(message: Any) -> Any:
    """The message, with rubbish in everything that is output only."""
    for field in outputs(message.DESCRIPTOR):
        message.ClearField(field.name)
        rubbish(field, message)
    return message


def kept(message: Any) -> list[str]:
    """What is output only and holds rubbish all the same, of a message that a service has answered with."""
    trash = spoiled(type(message)())
    return [f.full_name for f in outputs(message.DESCRIPTOR) if shown(message, f) == shown(trash, f)]


async def answered(client: AsyncWaybill, method: MethodDescriptor, field: FieldDescriptor, message: Any) -> Any:
    """The resource as the answer to a request has it that carries it."""
    request = GetMessageClass(method.input_type)()
    if field.is_repeated:
        getattr(request, field.name).append(message)
    else:
        getattr(request, field.name).CopyFrom(message)
    answer = getattr(await invoke(client.channel, method, request), field.name)
    return answer[0] if field.is_repeated else answer


@pytest.mark.on_sqlite
async def test_what_is_output_only_is_never_taken_from_a_caller(market: Marketplace) -> None:
    ada, owner = market.people.ada, market.people.owner
    await card(market, "visa", "tok_approve")
    await ada.place_order({"anvil": 2, "lamp": 1}, id="PO1")
    await ready(ada, "CART", promise(), anvil=1, lamp=2)
    known, taken, tried = await samples(owner), [], set()
    owners_own = (await owner.users.GetMe(user_service_pb2.GetMeRequest())).user
    for method in unary():
        field = resource_of(method)
        sample = None if field is None else known.get(field.message_type.full_name)
        if method.name == "UpdateMe":
            sample = owners_own
        if field is None or sample is None or not method.name.startswith(("Create", "BatchCreate", "Update")):
            continue
        changes = method.name.startswith("Update")
        if method.name in ELSEWHERE or (field.message_type.name in ONE_OF_A_KIND and not changes):
            continue
        message = spoiled(copied(sample, sample.id if changes else f"{method.name}-1"))
        try:
            after = await answered(owner, method, field, message)
        except WaybillError as error:
            taken.append(f"{method.name}: {error}")
            continue
        tried.add(method.name)
        taken += [f"{method.name}: {name}" for name in _wrong(sample, after, changes)]
    assert not taken, "\n".join(taken)
    assert len(tried) > 30, sorted(tried)


def _wrong(before: Any, after: Any, changes: bool) -> list[str]:
    """Output-only fields of an answer that came from the caller: rubbish in what was made, a change in what was there."""
    if not changes:
        return kept(after)
    moved = ("update_time", "version", "calculated")
    return [
        field.full_name
        for field in outputs(before.DESCRIPTOR)
        if field.name not in moved and shown(before, field) != shown(after, field)
    ]
