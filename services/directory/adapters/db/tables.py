"""Tables of the directory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from libs.auth import PartyKind, Principal
from libs.db import Json, UtcTime, metadata
from libs.errors import Violations
from libs.idempotency import outcomes
from libs.identify import folded
from libs.resource import Attribute, Resource, flag, integer, ref, refs, resource_table, text, xp
from libs.resource.attributes import currency, document
from services.directory.domain import access, policy
from waybill.directory.v1 import api_client_service_pb2 as client_pb
from waybill.directory.v1 import buyer_service_pb2 as buyer_pb
from waybill.directory.v1 import seller_service_pb2 as seller_pb
from waybill.directory.v1 import supplier_service_pb2 as supplier_pb
from waybill.directory.v1 import user_service_pb2 as user_pb
from waybill.type.v1 import party_pb2

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)
_KIND = "PARTY_KIND_"
MAX_NAME_KEY = 300
"""Characters of a user name as it is compared."""


def party_text(party: party_pb2.Party) -> str:
    """A company as one text, `BUYER:acme`; empty for an unknown kind."""
    if party.kind not in (1, 2, 3):
        return ""
    return f"{party_pb2.PartyKind.Name(party.kind).removeprefix(_KIND)}:{party.id}"


def party_message(stored: str) -> party_pb2.Party:
    """The message of a stored company."""
    kind, _, id = stored.partition(":")
    return party_pb2.Party(kind=party_pb2.PartyKind.Value(_KIND + kind), id=id)


def _read_party(found: Violations, where: str, message: Any, _: dict[str, Any]) -> str:
    found.check_id(f"{where}.party.id", message.party.id)
    stored = party_text(message.party)
    found.require(f"{where}.party.kind", bool(stored), "FIELD_REQUIRED", "is required")
    return stored


def _roles() -> Attribute:
    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> list[str]:
        access.known_roles(found, f"{where}.roles", message.roles)
        return list(message.roles)

    return Attribute("roles", Json(), read, lambda row: row["roles"], nullable=False)


def _username() -> Attribute:
    typed = text("username", 100, required=True)

    def read(found: Violations, where: str, message: Any, values: dict[str, Any]) -> str:
        name: str = typed.read(found, where, message, values)
        if name.strip():
            key = folded(name)
            plain = name == name.strip() and bool(key)
            found.require(f"{where}.username", plain, "FIELD_INVALID", "has no blanks around it, and something that can be seen")
            fits = len(key) <= MAX_NAME_KEY or len(name) > 100
            found.require(f"{where}.username", fits, "VALUE_OUT_OF_RANGE", f"is at most {MAX_NAME_KEY} characters without case")
        return name

    return replace(typed, read=read)


_SELLER = (text("name", 100, required=True), xp())
SELLERS = resource_table(
    METADATA,
    "sellers",
    _SELLER,
    # Always true, and unique: there is one seller, whoever sets the marketplace up at the same time.
    sa.Column("singleton", sa.Boolean, nullable=False, unique=True),
)
SELLER = Resource("seller", seller_pb.Seller, SELLERS, _SELLER, prefix="sel")
_BUYER = (text("name", 100, required=True), flag("active"), currency(), flag("restrict_addresses"), xp())
BUYERS = resource_table(METADATA, "buyers", _BUYER)
BUYER = Resource("buyer", buyer_pb.Buyer, BUYERS, _BUYER, prefix="buy")
_SUPPLIER = (text("name", 100, required=True), flag("active"), xp())
SUPPLIERS = resource_table(METADATA, "suppliers", _SUPPLIER)
SUPPLIER = Resource("supplier", supplier_pb.Supplier, SUPPLIERS, _SUPPLIER, prefix="sup")
_USER = (
    Attribute("party", sa.String(120), _read_party, lambda row: party_message(row["party"]), "text", True, False, True),
    _username(),
    text("first_name", 100),
    text("last_name", 100),
    text("email", 200),
    text("phone", 100),
    flag("active"),
    _roles(),
    xp(),
)
USERS = resource_table(
    METADATA,
    "users",
    _USER,
    # Folding can make several characters of one.
    sa.Column("username_key", sa.String(MAX_NAME_KEY), nullable=True, unique=True),
    sa.Column("password_hash", sa.String(300), nullable=True),
)
USER = Resource("user", user_pb.User, USERS, _USER, prefix="usr")
_CLIENT = (
    text("name", 100, required=True),
    flag("active"),
    integer("access_token_minutes", 10, 600, default=60),
    flag("allow_seller"),
    flag("allow_any_buyer"),
    flag("allow_any_supplier"),
    refs("buyer_ids", 1_000),
    refs("supplier_ids", 1_000),
    _roles(),
    ref("default_user_id", index=False),
    document("policy", policy.check),
    xp(),
)
CLIENTS = resource_table(METADATA, "api_clients", _CLIENT, sa.Column("secret_hash", sa.String(300), nullable=True))
CLIENT = Resource(
    "API client",
    client_pb.ApiClient,
    CLIENTS,
    _CLIENT,
    prefix="api",
    extra=lambda row: {"has_secret": bool(row.get("secret_hash"))},
)
ADDRESSES = sa.Table(
    "addresses",
    METADATA,
    sa.Column("party", sa.String(120), primary_key=True),
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("user_id", sa.String(100), nullable=False),
    sa.Column("address", Json(), nullable=False),
    sa.Column("xp", Json(), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("update_time", UtcTime(), nullable=False),
)
ADDRESS_ASSIGNMENTS = sa.Table(
    "address_assignments",
    METADATA,
    sa.Column("party", sa.String(120), primary_key=True),
    sa.Column("address_id", sa.String(100), primary_key=True),
    sa.Column("user_id", sa.String(100), primary_key=True),
    sa.Column("shipping", sa.Boolean, nullable=False),
    sa.Column("billing", sa.Boolean, nullable=False),
    sa.ForeignKeyConstraint(["party", "address_id"], ["addresses.party", "addresses.id"], ondelete="CASCADE"),
)
SIGNING_KEYS = sa.Table(
    "signing_keys",
    METADATA,
    sa.Column("kid", sa.String(100), primary_key=True),
    sa.Column("private_pem", sa.Text, nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("retire_time", UtcTime(), nullable=True),
)


def visible(table: sa.Table, kind: PartyKind, caller: Principal) -> sa.ColumnElement[bool] | None:
    """Companies of one kind: the own one, or all for the seller and for services."""
    if caller.service is not None or caller.is_seller:
        return None
    return table.c.id == caller.party_id if caller.party_kind is kind else sa.false()


def visible_users(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Users of the own company, or all."""
    if caller.service is not None or caller.is_seller:
        return None
    return USERS.c.party == f"{caller.party_kind.value}:{caller.party_id}"


MADE = {
    "CreateBuyer": BUYERS,
    "BatchCreateBuyers": BUYERS,
    "CreateSupplier": SUPPLIERS,
    "BatchCreateSuppliers": SUPPLIERS,
    "CreateUser": USERS,
    "BatchCreateUsers": USERS,
    "CreateApiClient": CLIENTS,
    "BatchCreateApiClients": CLIENTS,
}
"""By the method that makes it: what is never deleted again, so that the id in a recorded outcome leads somewhere."""
