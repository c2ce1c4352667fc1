"""What companies, users and API clients are, between their messages and the values that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from google.protobuf.duration_pb2 import Duration

from libs.auth.revocations import LONGEST_MINUTES
from libs.errors import Violations
from libs.identify import folded
from libs.protoconv import time_in
from libs.resource.contract import Attribute, Shape, Storage, currency, document, flag, integer, ref, refs, text, xp
from services.directory.contract.parties import party_message, party_text
from services.directory.domain import access
from services.directory.domain.channels import origins, policy
from services.directory.domain.parties import exemptions
from services.directory.domain.tokens.grants import ANONYMOUS_MINUTES, LONGEST_ANONYMOUS_MINUTES, LONGEST_REFRESH_MINUTES
from waybill.directory.v1 import api_client_service_pb2 as client_pb
from waybill.directory.v1 import buyer_service_pb2 as buyer_pb
from waybill.directory.v1 import cost_center_service_pb2 as cost_center_pb
from waybill.directory.v1 import ordering_context_service_pb2 as context_pb
from waybill.directory.v1 import reasons
from waybill.directory.v1 import security_profile_service_pb2 as profile_pb
from waybill.directory.v1 import seller_service_pb2 as seller_pb
from waybill.directory.v1 import supplier_service_pb2 as supplier_pb
from waybill.directory.v1 import user_group_service_pb2 as group_pb
from waybill.directory.v1 import user_service_pb2 as user_pb
from waybill.type.v1.tax_exemption_pb2 import TaxExemption

MAX_NAME_KEY = 300
"""Characters of a user name as it is compared."""


def _read_party(found: Violations, where: str, message: Any, _: dict[str, Any]) -> str:
    found.check_id(f"{where}.party.id", message.party.id)
    stored = party_text(message.party)
    found.require(f"{where}.party.kind", bool(stored), reasons.FIELD_REQUIRED, "is required")
    return stored


def _party() -> Attribute:
    return Attribute(
        "party",
        Storage.TEXT,
        _read_party,
        lambda row: party_message(row["party"]),
        "text",
        immutable=True,
        nullable=False,
        index=True,
        length=120,
    )


def _roles(name: str = "roles") -> Attribute:
    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> list[str]:
        values = list(getattr(message, name))
        access.known_roles(found, f"{where}.{name}", values)
        return values

    return Attribute(name, Storage.DOCUMENT, read, lambda row: row[name], nullable=False)


def _username() -> Attribute:
    typed = text("username", 100, required=True)

    def read(found: Violations, where: str, message: Any, values: dict[str, Any]) -> str:
        name: str = typed.read(found, where, message, values)
        if name.strip():
            key = folded(name)
            plain = name == name.strip() and bool(key)
            found.require(
                f"{where}.username", plain, reasons.FIELD_INVALID, "has no blanks around it, and something that can be seen"
            )
            fits = len(key) <= MAX_NAME_KEY or len(name) > 100
            found.require(
                f"{where}.username", fits, reasons.VALUE_OUT_OF_RANGE, f"is at most {MAX_NAME_KEY} characters without case"
            )
        return name

    return replace(typed, read=read)


def _origins(name: str) -> Attribute:
    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> list[str]:
        values = list(getattr(message, name))
        origins.check(found, f"{where}.{name}", values)
        return values

    return Attribute(name, Storage.DOCUMENT, read, lambda row: row[name], nullable=False)


_SELLER = (text("name", 100, required=True), xp())
SELLER = Shape("seller", seller_pb.Seller, _SELLER, prefix="sel")


def _check_exemptions(found: Violations, where: str, messages: Sequence[TaxExemption]) -> None:
    stated = []
    for i, m in enumerate(messages[: exemptions.MOST + 1]):
        start, end = (
            time_in(found, f"{where}[{i}].{name}", getattr(m, name)) if m.HasField(name) else None
            for name in ("start_time", "end_time")
        )
        stated.append(exemptions.StatedExemption(m.country, m.tax_class, m.certificate_id, start, end))
    exemptions.check(found, where, stated)


_BUYER = (
    text("name", 100, required=True),
    flag("active"),
    currency(),
    flag("restrict_addresses"),
    xp(),
    document("tax_exemptions", _check_exemptions),
)
BUYER = Shape("buyer", buyer_pb.Buyer, _BUYER, prefix="buy")
_SUPPLIER = (text("name", 100, required=True), flag("active"), xp())
SUPPLIER = Shape("supplier", supplier_pb.Supplier, _SUPPLIER, prefix="sup")
_USER = (
    _party(),
    _username(),
    text("first_name", 100),
    text("last_name", 100),
    text("email", 200),
    text("phone", 100),
    flag("active"),
    _roles(),
    xp(),
)
USER = Shape("user", user_pb.User, _USER, prefix="usr")
_GROUP = (_party(), text("name", 100, required=True), text("description", 2_000), xp())
GROUP = Shape("user group", group_pb.UserGroup, _GROUP, prefix="grp")
_COST_CENTER = (
    ref("buyer_id", required=True, immutable=True),
    text("name", 100, required=True),
    text("description", 2_000),
    flag("active"),
    xp(),
)
COST_CENTER = Shape("cost center", cost_center_pb.CostCenter, _COST_CENTER, prefix="cce")
_PROFILE = (text("name", 100, required=True), _roles(), xp())
PROFILE = Shape("security profile", profile_pb.SecurityProfile, _PROFILE, prefix="spr")


def _check_policy(found: Violations, where: str, message: context_pb.OrderingPolicy) -> None:
    stated = policy.StatedPolicy(
        message.auto_forward,
        message.payment_coverage,
        message.sourcing_strategy,
        _span(message.estimate_valid) if message.HasField("estimate_valid") else None,
        tuple(message.payment_types),
        _span(message.accept_within) if message.HasField("accept_within") else None,
        message.capture,
        tuple(message.sourcing_stages),
    )
    policy.check(found, where, stated)


def _span(span: Duration) -> tuple[int, int]:
    return span.seconds, span.nanos


_CLIENT = (
    text("name", 100, required=True),
    flag("active"),
    integer("access_token_minutes", 10, LONGEST_MINUTES, default=60),
    flag("allow_seller"),
    flag("allow_any_buyer"),
    flag("allow_any_supplier"),
    refs("buyer_ids", 1_000),
    refs("supplier_ids", 1_000),
    _roles(),
    ref("default_user_id", index=False),
    document("policy", _check_policy),
    xp(),
    _roles("minimum_roles"),
    integer("refresh_token_minutes", 0, LONGEST_REFRESH_MINUTES),
    _origins("allowed_origins"),
    ref("anonymous_user_id", index=False),
    integer("anonymous_token_minutes", 10, LONGEST_ANONYMOUS_MINUTES, default=ANONYMOUS_MINUTES),
    ref("registration_buyer_id", index=False),
)
CLIENT = Shape(
    "API client", client_pb.ApiClient, _CLIENT, prefix="api", extra=lambda row: {"has_secret": bool(row.get("has_secret"))}
)
