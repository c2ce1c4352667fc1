"""Tables of payment."""

# Long because it is one list: every table of the context, and who sees which rows.
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from libs.audit.trail import audit_table
from libs.auth import PartyKind, Principal
from libs.db import Json, Micros, UtcTime, metadata
from libs.idempotency import outcomes, tombstones
from libs.relay import marks
from libs.relay.changes import Counted, change_tables
from libs.resource.database import Resource, UsedBy, resource_table
from libs.service import retries
from services import roles
from services.payment.contract import resources
from services.payment.domain.money.ledger import account_of
from services.payment.domain.payments.states import ENDS, State
from services.payment.domain.payments.transaction import Cause, Result, TransactionType
from services.payment.domain.payments.units import MAX_CODE
from services.payment.domain.redirects.redirect import RedirectState

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)
DELETED = tombstones.table(METADATA)
GATEWAY_WORD = 200
"""Characters that are kept of what a gateway says: its reference, and its message."""

TO_REFUND = sa.text("external AND captured - refunded > due")
PAYMENTS = sa.Table(
    "payments",
    METADATA,
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("order_key", sa.Uuid(), nullable=False, index=True),
    sa.Column("order_id", sa.String(100), nullable=False),
    sa.Column("buyer_id", sa.String(100), nullable=False),
    sa.Column("user_id", sa.String(100), nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("type", sa.String(100), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("amount", Micros(), nullable=True),
    sa.Column("resolved_amount", Micros(), nullable=True),
    sa.Column("due", Micros(), nullable=False, server_default="0"),
    sa.Column("spending_account_id", sa.String(100), nullable=False),
    sa.Column("credit_card_id", sa.String(100), nullable=False),
    sa.Column("purchase_order_number", sa.String(100), nullable=False),
    sa.Column("description", sa.String(2_000), nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("attempt", sa.BigInteger, nullable=False),
    sa.Column("captured", Micros(), nullable=False),
    sa.Column("refunded", Micros(), nullable=False),
    sa.Column("authorization_expire_time", UtcTime(), nullable=True, index=True),
    # When its renewal is tried again, of one that has failed; null when it has not.
    sa.Column("renew_time", UtcTime(), nullable=True),
    *retries.columns(),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("xp", Json(), nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("update_time", UtcTime(), nullable=False),
    # Of one whose account is counted in a unit of the seller's own, from when it is reserved.
    sa.Column("unit", sa.String(MAX_CODE), nullable=False, server_default=""),
    sa.Column("unit_digits", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("rate", Micros(), nullable=False, server_default="0"),
    sa.Column("debited_units", Micros(), nullable=False, server_default="0"),
    sa.Column("refunded_units", Micros(), nullable=False, server_default="0"),
    # What of its amount is not taken, where its order's payments were above the total.
    sa.Column("surplus", Micros(), nullable=False, server_default="0"),
    # Whether its type is one that the marketplace declares.
    sa.Column("external", sa.Boolean, nullable=False, server_default=sa.false()),
    # Of which more was taken outside than is due: see `Payment.to_refund`.
    sa.Index("ix_payments_to_refund", "update_time", sqlite_where=TO_REFUND, postgresql_where=TO_REFUND),
)
ORDERS = sa.Table(
    "payment_orders",
    METADATA,
    sa.Column("order_key", sa.Uuid(), primary_key=True),
    sa.Column("lowered_attempt", sa.BigInteger, nullable=False),
    sa.Column("end_time", UtcTime(), nullable=True),
    # The newest version of the order that was to be deleted: no payment comes to it or to an older one.
    sa.Column("deletion_version", sa.BigInteger, nullable=False, server_default="0"),
    # Whether payments went for it, and none has come since: then the order cannot be submitted.
    sa.Column("payments_deleted", sa.Boolean, nullable=False, server_default=sa.false()),
    # When it became known that the order is gone; null of all others.
    sa.Column("delete_time", UtcTime(), nullable=True, index=True),
    sa.Column("update_time", UtcTime(), nullable=False),
)
"""What payment has to remember of orders: the last change that lowered their payments, that they ended, that they were to be
deleted. Of those that are gone it is forgotten when outcomes of requests are: no call is on its way that was sent before."""
ALERTS = sa.Table(
    "payment_alerts",
    METADATA,
    sa.Column("key", sa.Uuid(), primary_key=True),
    sa.Column("id", sa.String(100), nullable=False, unique=True),
    sa.Column("order_key", sa.Uuid(), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("update_time", UtcTime(), nullable=False),
    *marks.columns(),
)
"""Payments that need attention, by their ids: what the order service has to know of them."""
TRANSACTIONS = sa.Table(
    "payment_transactions",
    METADATA,
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("payment_id", sa.String(100), nullable=False, index=True),
    sa.Column("type", sa.String(20), nullable=False),
    sa.Column("result", sa.String(20), nullable=False),
    sa.Column("amount", Micros(), nullable=False),
    sa.Column("attempt", sa.BigInteger, nullable=False),
    sa.Column("gateway_key", sa.String(300), nullable=False, index=True),
    sa.Column("authorization_key", sa.String(300), nullable=False, server_default=""),
    sa.Column("gateway_reference", sa.String(GATEWAY_WORD), nullable=False),
    sa.Column("message", sa.String(GATEWAY_WORD), nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("result_time", UtcTime(), nullable=True),
    sa.Column("cause", sa.String(20), nullable=False),
    sa.Column("ask_time", UtcTime(), nullable=True, index=True),
    sa.Column("expire_time", UtcTime(), nullable=True),
    sa.Column("units", Micros(), nullable=False, server_default="0"),
    # Of what happened outside: who has recorded it, and when that was, as the user said.
    sa.Column("recorded_by", sa.String(100), nullable=False, server_default=""),
    sa.Column("occur_time", UtcTime(), nullable=True),
    *retries.columns(),
)
ATTEMPTS = sa.Table(
    "payment_attempts",
    METADATA,
    sa.Column("order_key", sa.Uuid(), primary_key=True),
    sa.Column("attempt", sa.BigInteger, primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("expire_time", UtcTime(), nullable=False),
    sa.Column("update_time", UtcTime(), nullable=False),
    *retries.columns(),
    sa.Index("ix_payment_attempts_state_expire_time", "state", "expire_time"),
)
LOCK = 0
"""Number of no attempt: that row is locked by whoever reserves or changes an order's payments."""
REDIRECTS = sa.Table(
    "payment_redirects",
    METADATA,
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("order_key", sa.Uuid(), nullable=False, index=True),
    sa.Column("payment_id", sa.String(100), nullable=False, index=True),
    sa.Column("gateway_key", sa.String(300), nullable=False, unique=True),
    sa.Column("type", sa.String(100), nullable=False),
    sa.Column("credit_card_id", sa.String(100), nullable=False),
    sa.Column("amount", Micros(), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("return_url", sa.String(2_000), nullable=False),
    sa.Column("url", sa.String(4_000), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("attempt", sa.BigInteger, nullable=False),
    sa.Column("gateway_reference", sa.String(GATEWAY_WORD), nullable=False),
    sa.Column("message", sa.String(GATEWAY_WORD), nullable=False),
    sa.Column("expire_time", UtcTime(), nullable=False),
    sa.Column("authorization_expire_time", UtcTime(), nullable=True),
    sa.Column("ask_time", UtcTime(), nullable=True, index=True),
    *retries.columns(),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("update_time", UtcTime(), nullable=False),
    # Of what is over the oldest are forgotten.
    sa.Index(None, "state", "update_time"),
)
"""Authorizations that wait for their buyers; see `domain/redirects/redirect.py`."""
ACCOUNTS = resource_table(
    METADATA,
    "spending_accounts",
    resources.ACCOUNT,
    sa.Column("balance", Micros(), nullable=False, server_default="0"),
    sa.Column("reserved", Micros(), nullable=False, server_default="0"),
    # How often the balances have moved; `version` counts what was edited.
    sa.Column("bookings", sa.BigInteger, nullable=False, server_default="0"),
)
CHANGES = change_tables(METADATA).looking_up(Counted(ACCOUNTS.c.id, ACCOUNTS.c.id, ACCOUNTS.c.version + ACCOUNTS.c.bookings))
AUDIT = audit_table(METADATA)


ACCOUNT_ASSIGNMENTS = sa.Table(
    "spending_account_assignments",
    METADATA,
    sa.Column("spending_account_id", sa.String(100), sa.ForeignKey("spending_accounts.id"), primary_key=True),
    sa.Column("user_id", sa.String(100), primary_key=True),
    sa.Column("user_group_id", sa.String(100), primary_key=True, index=True, server_default=""),
    sa.Column("allow_exceed", sa.Boolean, nullable=False),
)
ADJUSTMENTS = sa.Table(
    "spending_account_adjustments",
    METADATA,
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("spending_account_id", sa.String(100), nullable=False),
    sa.Column("amount", Micros(), nullable=False),
    sa.Column("currency", sa.String(MAX_CODE), nullable=False),
    sa.Column("description", sa.String(200), nullable=False),
    # Empty where who asked, or in which request, was not noted.
    sa.Column("user_id", sa.String(100), nullable=False),
    sa.Column("request_id", sa.String(100), nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
)
"""Why balances change without a payment: the cause of each movement that issues money, under the movement's id."""
LEDGER = sa.Table(
    "ledger_entries",
    METADATA,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("transaction_id", sa.String(100), nullable=False, index=True),
    sa.Column("account", sa.String(200), nullable=False, index=True),
    sa.Column("amount", Micros(), nullable=False),
    sa.Column("currency", sa.String(MAX_CODE), nullable=False),
    sa.Column("order_id", sa.String(100), nullable=False, index=True),
    sa.Column("payment_id", sa.String(100), nullable=False),
    sa.Column("description", sa.String(200), nullable=False),
    sa.Column("entry_time", UtcTime(), nullable=False),
)


CARDS = resource_table(
    METADATA,
    "credit_cards",
    resources.CARD,
    # Whether the card was ever assigned: then it serves those whom it is assigned to, and nobody else.
    sa.Column("restricted", sa.Boolean, nullable=False, server_default=sa.false()),
)
CARD_ASSIGNMENTS = sa.Table(
    "credit_card_assignments",
    METADATA,
    sa.Column("credit_card_id", sa.String(100), sa.ForeignKey("credit_cards.id"), primary_key=True),
    sa.Column("user_id", sa.String(100), primary_key=True),
    sa.Column("user_group_id", sa.String(100), primary_key=True, index=True),
)
TYPES = resource_table(
    METADATA,
    "payment_types",
    resources.TYPE,
    # Whether the type was ever assigned: then it serves those whom it is assigned to, and nobody else.
    sa.Column("restricted", sa.Boolean, nullable=False, server_default=sa.false()),
)
TYPE_ASSIGNMENTS = sa.Table(
    "payment_type_assignments",
    METADATA,
    sa.Column("payment_type_id", sa.String(100), sa.ForeignKey("payment_types.id"), primary_key=True),
    sa.Column("buyer_id", sa.String(100), primary_key=True, index=True),
    sa.Column("user_id", sa.String(100), primary_key=True),
    sa.Column("user_group_id", sa.String(100), primary_key=True),
)
GATEWAY = sa.Table(
    "test_gateway_operations",
    METADATA,
    sa.Column("key", sa.String(300), primary_key=True),
    sa.Column("operation", sa.String(20), nullable=False),
    sa.Column("authorization_key", sa.String(300), nullable=False, index=True),
    sa.Column("token", sa.String(200), nullable=False),
    sa.Column("amount", Micros(), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reference", sa.String(100), nullable=False, index=True),
    sa.Column("message", sa.String(200), nullable=False),
    sa.Column("expire_time", UtcTime(), nullable=True),
    # Of an authorization that waits for its buyer: where the buyer is sent back to.
    sa.Column("return_url", sa.String(2_000), nullable=False, server_default=""),
)


_DRAWN = PAYMENTS.c.state.not_in((State.OPEN, *sorted(ENDS)))
"""Payments that hold or have moved money. One in a cart does not hinder that its means goes: it is refused at submit."""


def _assigned_to(table: sa.Table) -> sa.ColumnElement[str]:
    """Who something is assigned to, in words."""
    user, group = table.c.user_id, table.c.user_group_id
    return sa.case((user != "", user), (group != "", sa.literal("group ") + group), else_="everyone")


def assigned_to(table: sa.Table, user_id: str, groups: Collection[str]) -> sa.ColumnElement[bool]:
    """Assignments that count for a user who is in these groups."""
    a = table.c
    own = sa.and_(a.user_id.in_(["", user_id]), a.user_group_id == "")
    return sa.or_(own, a.user_group_id.in_(sorted(groups))) if groups else own


def visible_accounts(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Buyers see accounts assigned to them or to groups that they are in; the seller's administrators all; suppliers none."""
    if caller.party_kind is PartyKind.SELLER:
        return None
    if caller.party_kind is not PartyKind.BUYER or caller.is_guest:
        return sa.false()
    assigned = assigned_to(ACCOUNT_ASSIGNMENTS, caller.user_id, caller.groups or ())
    mine = sa.select(ACCOUNT_ASSIGNMENTS.c.spending_account_id).where(assigned)
    return sa.and_(ACCOUNTS.c.buyer_id == caller.party_id, ACCOUNTS.c.id.in_(mine))


def visible_types(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Buyers see active types that they may pay with, guests those for everyone; the seller's administrators all; others none."""
    if caller.party_kind is PartyKind.SELLER:
        return None
    if caller.party_kind is not PartyKind.BUYER:
        return sa.false()
    if caller.is_guest:
        return sa.and_(TYPES.c.active, ~TYPES.c.restricted)
    its = sa.and_(
        TYPE_ASSIGNMENTS.c.buyer_id == caller.party_id, assigned_to(TYPE_ASSIGNMENTS, caller.user_id, caller.groups or ())
    )
    mine = sa.select(TYPE_ASSIGNMENTS.c.payment_type_id).where(its)
    return sa.and_(TYPES.c.active, sa.or_(~TYPES.c.restricted, TYPES.c.id.in_(mine)))


_CARD_READERS = (roles.CREDIT_CARD_ADMIN, roles.CREDIT_CARD_READER)


def visible_cards(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Users see their own cards, and their company's as far as they may pay with them; card administrators of the seller all."""
    if caller.party_kind is PartyKind.BUYER:
        of_company = CARDS.c.buyer_id == caller.party_id
        if caller.is_guest:
            return sa.and_(of_company, CARDS.c.order_id == caller.order_id)
        if caller.has(*_CARD_READERS):
            return of_company
        assigned = assigned_to(CARD_ASSIGNMENTS, caller.user_id, caller.groups or ())
        mine = CARDS.c.id.in_(sa.select(CARD_ASSIGNMENTS.c.credit_card_id).where(assigned))
        shared = sa.and_(CARDS.c.user_id == "", sa.or_(~CARDS.c.restricted, mine))
        return sa.and_(of_company, CARDS.c.order_id == "", sa.or_(CARDS.c.user_id == caller.user_id, shared))
    return None if caller.is_seller and caller.has(*_CARD_READERS) else sa.false()


def writable_cards(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Card administrators change and delete what they see; other users their own cards only."""
    if caller.is_guest or caller.has(roles.CREDIT_CARD_ADMIN):
        return visible_cards(caller)
    return sa.and_(CARDS.c.order_id == "", CARDS.c.buyer_id == caller.party_id, CARDS.c.user_id == caller.user_id)


ACCOUNT = Resource(
    resources.ACCOUNT,
    ACCOUNTS,
    visible_accounts,
    uses=[
        UsedBy("ledger entry", LEDGER.c.transaction_id, lambda _, id: LEDGER.c.account == account_of(id)),
        UsedBy("payment", PAYMENTS.c.id, lambda _, id: sa.and_(PAYMENTS.c.spending_account_id == id, _DRAWN)),
        UsedBy("assignment", _assigned_to(ACCOUNT_ASSIGNMENTS), lambda _, id: ACCOUNT_ASSIGNMENTS.c.spending_account_id == id),
    ],
)
CARD = Resource(
    resources.CARD,
    CARDS,
    visible_cards,
    writable_cards,
    uses=[
        UsedBy("payment", PAYMENTS.c.id, lambda _, id: sa.and_(PAYMENTS.c.credit_card_id == id, _DRAWN)),
        UsedBy("assignment", _assigned_to(CARD_ASSIGNMENTS), lambda _, id: CARD_ASSIGNMENTS.c.credit_card_id == id),
    ],
)

TYPE = Resource(
    resources.TYPE,
    TYPES,
    visible_types,
    uses=[
        UsedBy("payment", PAYMENTS.c.id, lambda _, id: PAYMENTS.c.type == id),
        UsedBy("assignment", _assigned_to(TYPE_ASSIGNMENTS), lambda _, id: TYPE_ASSIGNMENTS.c.payment_type_id == id),
    ],
)

MADE = {
    "CreateSpendingAccount": ACCOUNTS,
    "BatchCreateSpendingAccounts": ACCOUNTS,
    "CreateCreditCard": CARDS,
    "CreatePaymentType": TYPES,
}
"""By the method that makes it: the table where the id in a recorded outcome leads, unless it was deleted."""

NAMES: Mapping[sa.Column[Any], Iterable[str]] = {
    PAYMENTS.c.state: State,
    TRANSACTIONS.c.type: TransactionType,
    TRANSACTIONS.c.result: Result,
    TRANSACTIONS.c.cause: Cause,
    ATTEMPTS.c.state: ("LOCK", "RESERVED", "CONFIRMED", "RELEASED"),
    GATEWAY.c.operation: ("authorize", "capture", "refund"),
    REDIRECTS.c.state: RedirectState,
}
"""Columns of names that the software gives, and the names."""
