"""Every method of every service, called by users of every kind of company with every role, by services and by nobody: who is
admitted is what `calls.md` says."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import MethodDescriptor

from libs.auth import PartyKind, Principal
from services import roles
from services.host.contexts import CONTEXTS
from tests.access.callers import Answer, Callers
from tests.access.cells import PARTIES, Row, guests, roles_of_data, rows
from tests.support.contracts import services
from waybill_client import AsyncWaybill
from waybill_client.aio_services import AsyncServices
from waybill_client.services import Service, Services

METHODS = {f"/{m.containing_service.full_name}/{m.name}": m for s in services() for m in s.methods}
ACCESS = frozenset(
    {"TOKEN_MISSING", "SERVICE_ONLY", "SERVICE_NOT_ADMITTED", "PARTY_NOT_ADMITTED", "ROLE_MISSING", "GUEST_NOT_ADMITTED"}
)
"""Reasons that say who may call; every other answer comes from a method that admitted its caller."""
DEFECTS = frozenset({"INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "TOKEN_INVALID"})
"""Answers that say nothing about access."""
ROWS = rows()
GUESTS = guests()
GUEST = frozenset({roles.SHOPPER, roles.ME_CREDIT_CARD_ADMIN})
"""Roles of a guest."""


def test_every_method_has_one_row() -> None:
    listed = [row.method for row in ROWS]
    assert sorted(METHODS.keys() - set(listed)) == [], "methods without a row in calls.md"
    assert sorted(set(listed) - METHODS.keys()) == [], "rows of calls.md without a method"
    assert len(listed) == len(set(listed))


def test_guests_call_what_there_is() -> None:
    shoppers = {row.method for row in ROWS if PartyKind.BUYER in row.admits}
    assert sorted(GUESTS - shoppers) == [], "methods for guests that no buyer's user may call"


def test_every_role_admits_to_a_call_or_is_said_to_open_something_else() -> None:
    admitting = {role for row in ROWS for admitted in row.admits.values() for role in admitted}
    assert sorted(roles.ALL_ROLES - admitting - roles_of_data()) == [], "roles that no cell of calls.md names"
    assert sorted((admitting | roles_of_data()) - roles.ALL_ROLES) == [], "cells of calls.md that name no role"


def test_every_row_is_for_somebody() -> None:
    assert [row.method for row in ROWS if row.service_only and not row.services] == []
    assert [row.method for row in ROWS if row.services - set(CONTEXTS)] == []


async def test_a_service_of_the_contracts_is_wholly_for_services_or_offered_by_the_client() -> None:
    inner = {row.service: row.service_only for row in ROWS}
    assert [row.method for row in ROWS if inner[row.service] != row.service_only] == []
    client = AsyncWaybill("127.0.0.1:1", "shop")
    attributes = [name for name, value in vars(Services).items() if isinstance(value, Service)]
    assert attributes == [name for name in AsyncServices.__annotations__ if name != "channel"]
    offered = {type(getattr(client, name)).__name__.removesuffix("Stub") for name in attributes}
    assert offered == {service for service, closed in inner.items() if not closed}


def others(admitted: tuple[str, ...]) -> frozenset[str]:
    """Every role that does not admit. Whoever has all of them is refused, so each of them alone would be."""
    return roles.ALL_ROLES - {*admitted, roles.FULL_ACCESS}


def expected_of(row: Row, kind: PartyKind) -> dict[frozenset[str], Answer | None]:
    """By the roles that a user of this kind of company has, what it hears; None where it is admitted."""
    if row.service_only or row.open:
        heard = None if row.open else ("SERVICE_ONLY", dict[str, str]())
        return {frozenset(): heard, frozenset({roles.FULL_ACCESS}): heard}
    if kind not in row.admits:
        parties = ", ".join(party.value for party in PartyKind if party in row.admits)
        refused = ("PARTY_NOT_ADMITTED", {"parties": parties})
        return {frozenset(): refused, frozenset({roles.FULL_ACCESS}): refused}
    admitted = row.admits[kind]
    if not admitted:
        return {frozenset(): None, frozenset({roles.FULL_ACCESS}): None}
    missing = ("ROLE_MISSING", {"role": admitted[0]})
    found: dict[frozenset[str], Answer | None] = {frozenset(): missing, others(admitted): missing}
    return found | {frozenset({role}): None for role in (*admitted, roles.FULL_ACCESS)}


def differs(heard: Answer, expected: Answer | None) -> bool:
    """Whether an answer is another than the expected refusal, or than that of a method that admitted its caller."""
    return heard != expected if expected is not None else heard[0] in ACCESS | DEFECTS


def named(held: frozenset[str]) -> str:
    """Roles for people."""
    if len(held) > 1:
        return "every role but " + ", ".join(sorted(roles.ALL_ROLES - held))
    return next(iter(held), "no role")


async def by_users(callers: Callers, row: Row, method: MethodDescriptor) -> list[str]:
    """What users hear otherwise than they should."""
    found = []
    for kind in PARTIES:
        for held, expected in expected_of(row, kind).items():
            heard = await callers.answer(method, callers.of(kind, held))
            if differs(heard, expected):
                found.append(f"{row.method}: a {kind.value} with {named(held)} heard {heard}, not {expected or 'an admission'}")
    return found


async def by_guest(callers: Callers, row: Row, method: MethodDescriptor) -> list[str]:
    """What a guest hears otherwise than it should: what a buyer's user with its roles would hear, or that it is a guest."""
    admitted = row.admits.get(PartyKind.BUYER)
    if admitted is not None and (not admitted or GUEST & set(admitted)):
        expected = None if row.method in GUESTS else ("GUEST_NOT_ADMITTED", dict[str, str]())
    else:
        expected = expected_of(row, PartyKind.BUYER)[frozenset()]
    heard = await callers.answer(method, await callers.guest())
    return [f"{row.method}: a guest heard {heard}, not {expected or 'an admission'}"] if differs(heard, expected) else []


async def by_others(callers: Callers, row: Row, method: MethodDescriptor) -> list[str]:
    """What nobody, and services, hear otherwise than they should."""
    heard = {"nobody": await callers.answer(method, ())}
    expected: dict[str, Answer | None] = {"nobody": None if row.open else ("TOKEN_MISSING", {})}
    for service in CONTEXTS:
        if service not in row.services:
            heard[service] = await callers.answer_to_service(method, service)
            expected[service] = ("SERVICE_NOT_ADMITTED", {"services": ", ".join(sorted(row.services))})
        elif not row.admits:
            heard[service], expected[service] = await callers.answer_to_service(method, service), None
    for service in row.services:
        # It is held to the rights of the user whom it calls for.
        for kind in PARTIES if row.admits else ():
            acting = Principal("somebody", "company", kind, frozenset(), "client")
            who = f"{service} that calls for a {kind.value} without roles"
            heard[who] = await callers.answer_to_service(method, service, acting)
            expected[who] = expected_of(row, kind)[frozenset()]
    return [
        f"{row.method}: {who} heard {answer}, not {expected[who] or 'an admission'}"
        for who, answer in heard.items()
        if differs(answer, expected[who])
    ]


@pytest.mark.parametrize("context", sorted({row.context for row in ROWS}))
async def test_who_is_admitted_is_what_the_row_says(callers: Callers, context: str) -> None:
    looked = [row for row in ROWS if row.context == context and row.method in METHODS]
    await callers.sign_up((kind, held) for row in looked for kind in PARTIES for held in expected_of(row, kind))
    wrong = [said for row in looked for said in await by_users(callers, row, METHODS[row.method])]
    wrong += [said for row in looked for said in await by_guest(callers, row, METHODS[row.method])]
    wrong += [said for row in looked for said in await by_others(callers, row, METHODS[row.method])]
    assert looked
    assert not wrong, "\n".join(wrong)
