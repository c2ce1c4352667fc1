"""Who may call a method, as its contract says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libs.auth import PartyKind, Principal
from libs.errors import Kind, WaybillError
from libs.rpc.access import NOBODY, Rule, open_methods, rules_of
from libs.service.startup import StartupError
from services.roles import ALL_ROLES
from tests.support.contracts import services
from tests.support.echo import ECHO, OPEN, SERVICE, describe
from tests.support.principals import buyer, seller, supplier
from waybill.type.v1.access_pb2 import Access, Admission
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, PARTY_KIND_SELLER, PARTY_KIND_UNSPECIFIED

READ = Rule(
    services=frozenset({"order", "payment"}), admits={PartyKind.SELLER: ("OrderReader", "OrderAdmin"), PartyKind.BUYER: ()}
)
FOR_ORDER = Rule(service_only=True, services=frozenset({"order"}))
FAULTY = {
    "Bare": (Access(), "exactly one of admits, service_only and open is set"),
    "Both": (Access(open=True, service_only=True), "exactly one of admits, service_only and open is set"),
    "Unknown": (Access(admits=[Admission(parties=[PARTY_KIND_SELLER], any_of_roles=["Wizard"])]), "there is no role 'Wizard'"),
    "NoKind": (Access(admits=[Admission(any_of_roles=["Shopper"])]), "every admission names kinds of companies, each once"),
    "Unspecified": (
        Access(admits=[Admission(parties=[PARTY_KIND_UNSPECIFIED])]),
        "every admission names kinds of companies, each once",
    ),
    "Twice": (
        Access(admits=[Admission(parties=[PARTY_KIND_BUYER]), Admission(parties=[PARTY_KIND_BUYER], any_of_roles=["Shopper"])]),
        "every admission names kinds of companies, each once",
    ),
    "OfNoService": (Access(service_only=True), "service_only without services"),
}


def refusal(rule: Rule, caller: Principal | None, service: str | None = None) -> tuple[str, dict[str, str]]:
    with pytest.raises(WaybillError) as refused:
        rule.require(caller, service)
    assert refused.value.kind is (Kind.UNAUTHENTICATED if refused.value.reason == "TOKEN_MISSING" else Kind.DENIED)
    return refused.value.reason, refused.value.metadata


def test_any_of_the_roles_is_enough_and_full_access_is_each_of_them() -> None:
    for caller in (seller("OrderReader"), seller("OrderAdmin", "Shopper"), seller("FullAccess"), buyer("Shopper")):
        READ.require(caller, None)
    assert refusal(READ, seller("Shopper")) == ("ROLE_MISSING", {"role": "OrderReader"})


def test_no_role_makes_up_for_a_company_that_is_not_admitted() -> None:
    for caller in (supplier("OrderReader"), supplier("FullAccess")):
        assert refusal(READ, caller) == ("PARTY_NOT_ADMITTED", {"parties": "SELLER, BUYER"})


def test_a_service_that_calls_for_a_user_is_held_to_what_that_user_may_call() -> None:
    READ.require(buyer("Shopper"), "order")
    READ.require(None, "order")
    assert refusal(READ, supplier("FullAccess"), "order")[0] == "PARTY_NOT_ADMITTED"
    assert refusal(READ, seller("Shopper"), "order")[0] == "ROLE_MISSING"
    assert refusal(READ, None)[0] == "TOKEN_MISSING"


def test_a_method_is_for_the_services_that_it_names() -> None:
    FOR_ORDER.require(None, "order")
    FOR_ORDER.require(buyer(), "order")
    Rule(open=True, services=frozenset({"order"})).require(None, "order")
    assert refusal(FOR_ORDER, seller("FullAccess")) == ("SERVICE_ONLY", {})
    for rule, named in ((FOR_ORDER, "order"), (READ, "order, payment"), (Rule(open=True), ""), (NOBODY, "")):
        for caller in (None, seller("FullAccess")):
            assert refusal(rule, caller, "pricing") == ("SERVICE_NOT_ADMITTED", {"services": named})


def test_what_is_by_own_hand_only_is_refused_to_whoever_acts_in_the_place_of_a_user() -> None:
    acting = replace(buyer("UserAdmin"), impersonator_id="sam")
    rule = Rule(admits={PartyKind.BUYER: ("UserAdmin",)}, services=frozenset({"order"}), own_hand=True)
    rule.require(replace(acting, impersonator_id=""), None)
    replace(rule, own_hand=False).require(acting, None)
    for service in (None, "order"):
        assert refusal(rule, acting, service) == ("IMPERSONATED", {"impersonator": "sam"})
    assert refusal(rule, replace(acting, roles=frozenset({"Shopper"})))[0] == "ROLE_MISSING"


def test_the_methods_that_change_how_a_user_signs_in_are_by_own_hand_only() -> None:
    found = rules_of([service.full_name for service in services()], ALL_ROLES)
    assert {path.rpartition("/")[2] for path, rule in found.items() if rule.own_hand} == {"SetPassword", "ChangePassword"}


def test_what_is_open_asks_for_nobody_and_what_no_contract_describes_admits_nobody() -> None:
    Rule(open=True).require(None, None)
    assert refusal(NOBODY, seller("FullAccess"))[0] == "PARTY_NOT_ADMITTED"


@pytest.mark.parametrize("name", FAULTY)
def test_a_contract_that_does_not_say_who_may_call_keeps_the_server_from_starting(name: str) -> None:
    access, why = FAULTY[name]
    service = f"test.faulty.v1.{name}Service"
    describe(service, {"Do": access})
    with pytest.raises(StartupError) as refused:
        rules_of([SERVICE, service], ALL_ROLES)
    assert str(refused.value) == f"it is not said who may call: {service}.Do: {why}"


def test_a_service_without_a_contract_keeps_the_server_from_starting() -> None:
    with pytest.raises(StartupError, match=r"test\.unknown\.v1\.NoService has no contract"):
        rules_of(["test.unknown.v1.NoService"], ALL_ROLES)


def test_every_method_of_every_service_says_who_may_call_it() -> None:
    found = rules_of([service.full_name for service in services()], ALL_ROLES)
    assert found.keys() == {f"/{service.full_name}/{method.name}" for service in services() for method in service.methods}
    tokens = "/waybill.directory.v1.TokenService"
    registrations = "/waybill.directory.v1.RegistrationService"
    of_people = {f"{registrations}/Register", f"{registrations}/ConfirmRegistration"}
    of_providers = "/waybill.payment.v1.ProviderCallbackService/HandleProviderCallback"
    assert open_methods(found) == {f"{tokens}/IssueToken", f"{tokens}/GetKeySet", of_providers, *of_people}
    assert open_methods(rules_of([SERVICE], ALL_ROLES)) == {OPEN}
    assert rules_of([SERVICE], ALL_ROLES)[ECHO].admits == dict.fromkeys(PartyKind, ())
