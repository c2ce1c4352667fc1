"""Who may call which method, as the contracts say: read once when a server is made, held before a request is parsed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor

from libs.auth import PartyKind, Principal
from libs.auth.roles import FULL_ACCESS
from libs.errors import Kind, WaybillError, denied, impersonated
from libs.service.startup import StartupError
from waybill.type.v1 import reasons
from waybill.type.v1.access_pb2 import Access
from waybill.type.v1.access_pb2 import access as option
from waybill.type.v1.party_pb2 import PartyKind as PartyKindValue


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call one method. The default admits nobody."""

    open: bool = False
    service_only: bool = False
    services: frozenset[str] = frozenset()
    """The services that may call it."""
    own_hand: bool = False
    """Whether it is refused to whoever acts in the place of a user."""
    guests: bool = False
    """Whether a guest may call it, whose token is for one order."""
    admits: Mapping[PartyKind, tuple[str, ...]] = field(default_factory=dict)
    """By the kind of the caller's company: roles, any of which is enough, and none for every user."""

    def require(self, caller: Principal | None, service: str | None) -> None:
        """Raises SERVICE_NOT_ADMITTED, SERVICE_ONLY, TOKEN_MISSING, PARTY_NOT_ADMITTED, ROLE_MISSING,
        GUEST_NOT_ADMITTED or IMPERSONATED.

        Whom a service calls for must be admitted besides; one that calls for nobody passes. What needs to know a user refuses
        it by itself, as it does a call without a token.
        """
        if service is not None and service not in self.services:
            raise self._not_for(service)
        if self.open:
            return
        if self.service_only:
            if service is None:
                raise WaybillError(Kind.DENIED, reasons.SERVICE_ONLY, "this method is for Waybill's own services")
            return
        if caller is None and service is not None:
            return
        if caller is None:
            raise WaybillError(Kind.UNAUTHENTICATED, reasons.TOKEN_MISSING, "the call carries no token")
        roles = self.admits.get(caller.party_kind)
        if roles is None:
            raise self._not_admitted()
        if roles and FULL_ACCESS not in caller.roles and caller.roles.isdisjoint(roles):
            raise denied(roles[0])
        if caller.is_guest and not self.guests:
            why = "this method is for users who signed in, and not for guests"
            raise WaybillError(Kind.DENIED, reasons.GUEST_NOT_ADMITTED, why)
        if self.own_hand and caller.impersonator_id:
            raise impersonated(caller.impersonator_id)

    def _not_for(self, service: str) -> WaybillError:
        why, named = f"this method is not for the service {service[:100]!r}", ", ".join(sorted(self.services))
        return WaybillError(Kind.DENIED, reasons.SERVICE_NOT_ADMITTED, why, metadata={"services": named})

    def _not_admitted(self) -> WaybillError:
        """The kinds are those of the contract, whatever the marketplace holds."""
        parties = ", ".join(kind.value for kind in PartyKind if kind in self.admits)
        why = f"this method is for users of: {parties}"
        return WaybillError(Kind.DENIED, reasons.PARTY_NOT_ADMITTED, why, metadata={"parties": parties})


NOBODY = Rule()
"""Of a method that no contract describes."""


def rules_of(services: Iterable[str], roles: Collection[str]) -> dict[str, Rule]:
    """By path, such as `/waybill.order.v1.OrderService/GetOrder`, the rule of every method of these services.

    `roles` are all that exist. Raises `StartupError`, which names every method whose contract does not say who may call it.
    """
    pool = descriptor_pool.Default()
    found: dict[str, Rule] = {}
    wrong: list[str] = []
    for service in services:
        try:
            methods = pool.FindServiceByName(service).methods
        except KeyError:
            wrong.append(f"{service} has no contract")
            continue
        for method in methods:
            access = access_of(method)
            wrong += (f"{method.full_name}: {why}" for why in _faults(access, roles))
            found[f"/{service}/{method.name}"] = _rule(access)
    if wrong:
        raise StartupError("it is not said who may call: " + "; ".join(wrong))
    return found


def access_of(method: MethodDescriptor) -> Access:
    """What the contract says of a method; empty where it says nothing."""
    return method.GetOptions().Extensions[option]


def open_methods(rules: Mapping[str, Rule]) -> frozenset[str]:
    """Paths of the methods that need no token."""
    return frozenset(path for path, rule in rules.items() if rule.open)


def _faults(access: Access, roles: Collection[str]) -> list[str]:
    if [bool(access.admits), access.service_only, access.open].count(True) != 1:
        return ["exactly one of admits, service_only and open is set"]
    found = ["service_only without services"] if access.service_only and not access.services else []
    kinds = [kind for admission in access.admits for kind in admission.parties]
    if any(not admission.parties for admission in access.admits) or 0 in kinds or len(kinds) != len(set(kinds)):
        found.append("every admission names kinds of companies, each once")
    unknown = {role for admission in access.admits for role in admission.any_of_roles} - set(roles)
    return [*found, *(f"there is no role {role!r}" for role in sorted(unknown))]


def _rule(access: Access) -> Rule:
    return Rule(
        open=access.open,
        service_only=access.service_only,
        services=frozenset(access.services),
        own_hand=access.own_hand,
        guests=access.guests,
        admits={
            PartyKind(PartyKindValue.Name(kind).removeprefix("PARTY_KIND_")): tuple(admission.any_of_roles)
            for admission in access.admits
            for kind in admission.parties
            if kind
        },
    )
