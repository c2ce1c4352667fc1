"""Tables of the directory."""

from __future__ import annotations

import sqlalchemy as sa

from libs.audit.trail import audit_table
from libs.db import Json, UtcTime, metadata
from libs.idempotency import outcomes, tombstones
from libs.relay.changes import change_tables
from libs.resource.database import resource_table
from services.directory.contract import resources
from services.directory.domain.tokens.client_secrets import CLUE_LENGTH

METADATA = metadata()


def _generation() -> sa.Column[int]:
    """Raised with everything by which tokens end."""
    return sa.Column("generation", sa.BigInteger, nullable=False, server_default="0")


REQUESTS = outcomes.table(METADATA)
DELETED = tombstones.table(METADATA)
CHANGES = change_tables(METADATA)
AUDIT = audit_table(
    METADATA,
    (
        *("seller", "buyer", "supplier", "user", "API client", "user group", "user group member"),
        *("security profile", "security profile assignment", "signing key"),
    ),
)
"""Resources named here are in it whoever changes them: who there is, and what it may do. Addresses are everyday work."""
SELLERS = resource_table(
    METADATA,
    "sellers",
    resources.SELLER,
    # Always true, and unique: there is one seller, whoever sets the marketplace up at the same time.
    sa.Column("singleton", sa.Boolean, nullable=False, unique=True),
    _generation(),
)
BUYERS = resource_table(METADATA, "buyers", resources.BUYER, _generation())
SUPPLIERS = resource_table(METADATA, "suppliers", resources.SUPPLIER, _generation())
USERS = resource_table(
    METADATA,
    "users",
    resources.USER,
    # Folding can make several characters of one.
    sa.Column("username_key", sa.String(resources.MAX_NAME_KEY), nullable=True, unique=True),
    sa.Column("password_hash", sa.String(300), nullable=True),
    _generation(),
)
CLIENTS = resource_table(
    METADATA,
    "api_clients",
    resources.CLIENT,
    # Once true, always: a client whose secrets have all ended is not open to everybody.
    sa.Column("has_secret", sa.Boolean, nullable=False, server_default=sa.false()),
    _generation(),
)
CLIENT_SECRETS = sa.Table(
    "client_secrets",
    METADATA,
    sa.Column("client_id", sa.String(100), primary_key=True),
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    # The beginning of a SHA-256 of the secret, by which it is found; the hash proves it. Empty for those of before.
    sa.Column("clue", sa.String(CLUE_LENGTH), nullable=False),
    sa.Column("secret_hash", sa.String(300), nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("end_time", UtcTime(), nullable=True),
    sa.ForeignKeyConstraint(["client_id"], ["api_clients.id"], ondelete="CASCADE"),
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
    # At most one of the two is set.
    sa.Column("user_id", sa.String(100), primary_key=True),
    sa.Column("user_group_id", sa.String(100), primary_key=True, index=True),
    sa.Column("shipping", sa.Boolean, nullable=False),
    sa.Column("billing", sa.Boolean, nullable=False),
    sa.ForeignKeyConstraint(["party", "address_id"], ["addresses.party", "addresses.id"], ondelete="CASCADE"),
)
USER_GROUPS = resource_table(METADATA, "user_groups", resources.GROUP)
MEMBERS = sa.Table(
    "user_group_members",
    METADATA,
    sa.Column("user_group_id", sa.String(100), primary_key=True),
    sa.Column("user_id", sa.String(100), primary_key=True),
    # Every sign-in asks for the groups of one user.
    sa.Index("ix_user_group_members_user_id", "user_id", "user_group_id"),
)
COST_CENTERS = resource_table(METADATA, "cost_centers", resources.COST_CENTER)
COST_CENTER_ASSIGNMENTS = sa.Table(
    "cost_center_assignments",
    METADATA,
    sa.Column("cost_center_id", sa.String(100), primary_key=True),
    # At most one of the two is set; neither means every user of the buyer.
    sa.Column("user_id", sa.String(100), primary_key=True, index=True),
    sa.Column("user_group_id", sa.String(100), primary_key=True, index=True),
)
PROFILES = resource_table(METADATA, "security_profiles", resources.PROFILE)
PROFILE_ASSIGNMENTS = sa.Table(
    "security_profile_assignments",
    METADATA,
    sa.Column("security_profile_id", sa.String(100), primary_key=True),
    # One of the three is set, the others are empty.
    sa.Column("party", sa.String(120), primary_key=True, index=True),
    sa.Column("user_group_id", sa.String(100), primary_key=True, index=True),
    sa.Column("user_id", sa.String(100), primary_key=True, index=True),
)
SIGNING_KEYS = sa.Table(
    "signing_keys",
    METADATA,
    sa.Column("kid", sa.String(100), primary_key=True),
    # Sealed by a key that the database does not hold; empty once the key is withdrawn or has retired.
    sa.Column("private_pem", sa.Text, nullable=False),
    # The public half, without its exponent, which all keys share.
    sa.Column("modulus", sa.String(400), nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("sign_time", UtcTime(), nullable=False),
    sa.Column("retire_time", UtcTime(), nullable=True),
    sa.Column("withdraw_time", UtcTime(), nullable=True),
)

REVOCATIONS = sa.Table(
    "revocations",
    METADATA,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("subject_id", sa.String(100), nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("time", UtcTime(), nullable=False),
    sqlite_autoincrement=True,
)
SIGN_INS = sa.Table(
    "sign_ins",
    METADATA,
    # A hash of what is counted: a name, a source, both, or that a name has signed in from a source.
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("attempts", sa.BigInteger, nullable=False),
    # Until then it counts; afterwards the row is swept.
    sa.Column("end_time", UtcTime(), nullable=False, index=True),
)
REFRESH_TOKENS = sa.Table(
    "refresh_tokens",
    METADATA,
    # Of a random text of 32 bytes, which nobody can guess, so that a plain digest is enough: SHA-256, in hexadecimal digits.
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.String(100), nullable=False),
    sa.Column("client_id", sa.String(100), nullable=False),
    sa.Column("roles", Json(), nullable=False),
    # Those that it was given in: once one of them is raised, the token is over.
    sa.Column("user_generation", sa.BigInteger, nullable=False),
    sa.Column("client_generation", sa.BigInteger, nullable=False),
    sa.Column("company_generation", sa.BigInteger, nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("expire_time", UtcTime(), nullable=False, index=True),
    # An id may be used again when it was free for long enough, and its generations begin anew: tokens go with their rows.
    sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["client_id"], ["api_clients.id"], ondelete="CASCADE"),
    sa.Index("ix_refresh_tokens_user_id", "user_id", "client_id", "create_time"),
    sa.Index("ix_refresh_tokens_client_id", "client_id"),
)
REGISTRATIONS = sa.Table(
    "registrations",
    METADATA,
    # Of a random text of 32 bytes: SHA-256, in hexadecimal digits.
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("username", sa.String(100), nullable=False),
    sa.Column("password_hash", sa.String(300), nullable=False),
    sa.Column("email", sa.String(200), nullable=False),
    sa.Column("first_name", sa.String(100), nullable=False),
    sa.Column("last_name", sa.String(100), nullable=False),
    sa.Column("phone", sa.String(100), nullable=False),
    sa.Column("client_id", sa.String(100), nullable=False, index=True),
    sa.Column("buyer_id", sa.String(100), nullable=False, index=True),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("expire_time", UtcTime(), nullable=False, index=True),
    # What waits hinders nobody: it ends with what it was asked for.
    sa.ForeignKeyConstraint(["client_id"], ["api_clients.id"], ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["buyer_id"], ["buyers.id"], ondelete="CASCADE"),
    sa.Index("ix_registrations_email", "email", "create_time"),
)
"""Users that wait to be confirmed; one whose name was taken waits like any other, but nobody has its token."""
MESSAGES = sa.Table(
    "messages",
    METADATA,
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("email", sa.String(200), nullable=False),
    sa.Column("username", sa.String(100), nullable=False),
    sa.Column("first_name", sa.String(100), nullable=False),
    sa.Column("client_id", sa.String(100), nullable=False),
    # As it is to be sent; empty where there is none, once the message is sent, and once the token is over.
    sa.Column("token", sa.String(100), nullable=False),
    # Of the registration that it is about.
    sa.Column("token_hash", sa.String(64), nullable=False, index=True),
    sa.Column("expire_time", UtcTime(), nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False, index=True),
    sa.Column("sent_time", UtcTime(), nullable=True),
    sa.Index("ix_messages_email", "email", "create_time"),
)
