"""Tables of the directory."""

from __future__ import annotations

import sqlalchemy as sa

from libs.auth import PartyKind, Principal
from libs.db import Json, UtcTime, metadata
from libs.idempotency import outcomes
from libs.relay.changes import change_tables
from libs.resource.database import Resource, resource_table
from services.directory.contract import resources

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)
CHANGES = change_tables(METADATA)
SELLERS = resource_table(
    METADATA,
    "sellers",
    resources.SELLER,
    # Always true, and unique: there is one seller, whoever sets the marketplace up at the same time.
    sa.Column("singleton", sa.Boolean, nullable=False, unique=True),
)
BUYERS = resource_table(METADATA, "buyers", resources.BUYER)
SUPPLIERS = resource_table(METADATA, "suppliers", resources.SUPPLIER)
USERS = resource_table(
    METADATA,
    "users",
    resources.USER,
    # Folding can make several characters of one.
    sa.Column("username_key", sa.String(resources.MAX_NAME_KEY), nullable=True, unique=True),
    sa.Column("password_hash", sa.String(300), nullable=True),
)
CLIENTS = resource_table(METADATA, "api_clients", resources.CLIENT, sa.Column("secret_hash", sa.String(300), nullable=True))
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


def _visible(table: sa.Table, kind: PartyKind, caller: Principal) -> sa.ColumnElement[bool] | None:
    """Companies of one kind: the own one, or all for the seller and for services."""
    if caller.service is not None or caller.is_seller:
        return None
    return table.c.id == caller.party_id if caller.party_kind is kind else sa.false()


def visible_users(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Users of the own company, or all."""
    if caller.service is not None or caller.is_seller:
        return None
    return USERS.c.party == f"{caller.party_kind.value}:{caller.party_id}"


SELLER = Resource(resources.SELLER, SELLERS)
BUYER = Resource(resources.BUYER, BUYERS, lambda caller: _visible(BUYERS, PartyKind.BUYER, caller))
SUPPLIER = Resource(resources.SUPPLIER, SUPPLIERS, lambda caller: _visible(SUPPLIERS, PartyKind.SUPPLIER, caller))
USER = Resource(resources.USER, USERS, visible_users)
CLIENT = Resource(resources.CLIENT, CLIENTS)

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
