"""Text columns are as wide as the longest thing that goes there: ids, copies of ids, ids that are made of ids, texts.

Every column of a text with a width is named here, or is an id by its name, or belongs to a resource: those have the width
that their attribute's limit gives them, which `test_columns_and_contracts.py` proves.
"""

from __future__ import annotations

import hashlib
import importlib
import secrets
import uuid
from collections.abc import Iterable, Iterator

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from libs.auth import PartyKind
from libs.db import UtcTime
from libs.ids import NUMBERED_ID, new_id
from libs.relay.delivery import REASON_LENGTH
from libs.service.retries import FAILURE_LENGTH
from services.catalog.domain.choices.variants import LONGEST_COMBINATION
from services.catalog.domain.products.facets import LONGEST_VALUE
from services.catalog.domain.products.words import LONGEST as LONGEST_WORD
from services.catalog.domain.suppliers.supply import STATES
from services.directory.application.tokens.refresh_tokens import digest_of
from services.directory.contract.resources import MAX_NAME_KEY
from services.directory.domain.people.registrations import CONFIRMATION, NAME_TAKEN
from services.directory.domain.tokens.client_secrets import clue_of
from services.fulfillment.domain.sourcing.model import Strategy
from services.fulfillment.domain.sourcing.reservation import Freeze, ReservationState
from services.fulfillment.domain.sourcing.reservation import Kind as ReservationKind
from services.fulfillment.domain.stock.ledger import MovementKind
from services.fulfillment.domain.stock.thresholds import AlertKind
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus
from services.order.application.submission.attempts import APPROVE, AWAITING_APPROVAL, CHANGE, SUBMIT
from services.order.contract.approval_expressions import LONGEST_ERROR
from services.order.domain.approval.rounds import ApprovalStatus
from services.order.domain.checkout.return_url import MAX_LENGTH as RETURN_URL
from services.order.domain.status import OrderStatus
from services.payment.adapters.db.payments.payment_store import kept
from services.payment.adapters.db.tables import GATEWAY_WORD
from services.payment.application.redirects.settle_redirects import MAX_URL
from services.payment.domain.money.ledger import ISSUED, POINTS, RECEIPTS, RECEIVABLE, account_of
from services.payment.domain.payments.states import State
from services.payment.domain.payments.transaction import Cause, Result, TransactionType
from services.payment.domain.payments.units import MAX_CODE
from services.payment.domain.redirects.redirect import RedirectState
from services.pricing.domain.promotions.uses import user_key
from tests.support import keys
from tests.support.contracts import services
from tests.support.texts import CONTEXTS, resources, texts
from tests.unit.payment.builders import a_payment
from waybill.order.v1 import submission_pb2
from waybill.payment.v1 import payment_reservation_service_pb2 as attempt_pb
from waybill.pricing.v1 import redemption_service_pb2 as redemption_pb

ID = 100
LONGEST_ID = "x" * ID
KEY = len(str(uuid.UUID(int=0)))
MADE_ID = len(new_id("abc"))
CURRENCY = 3
NUMBER = 2**63 - 1
"""The highest of a count."""
SUPPLIER_ORDERS = {
    ("fulfillment", "supplier_orders", "id"),
    ("fulfillment", "shipment_items", "supplier_order_id"),
    ("order", "orders", "id"),
}
"""Where the ids stand that are made of an order's."""
GATEWAY_KEY = len(a_payment(id=LONGEST_ID, attempt=NUMBER).renewal_key(NUMBER))


def longest(names: Iterable[str], prefix: str = "") -> int:
    """Characters of the longest of some names."""
    return max(len(name.removeprefix(prefix)) for name in names)


PARTY = longest(PartyKind) + len(":") + ID
ORDER_EVENTS = ("order_hold_released", "line_items_updated", "submission_begun", "supplier_orders")
"""The longest kinds of events; a new one is as short as these, or has to be named here."""

WIDTHS: dict[str, dict[str, int | str]] = {
    "catalog.product_proposals": {"state": longest(STATES), "comment": "catalog.v1.ProductRejection.comment"},
    "catalog.product_words": {"word": LONGEST_WORD},
    "catalog.product_facets": {"collected_to": ID},
    "catalog.product_facet_values": {"value": LONGEST_VALUE},
    "catalog.variants": {"combination": LONGEST_COMBINATION},
    "directory.addresses": {"party": PARTY},
    "directory.address_assignments": {"party": PARTY},
    "directory.security_profile_assignments": {"party": PARTY},
    "directory.client_secrets": {
        "name": "directory.v1.CreateSecretRequest.name",
        "secret_hash": len(PasswordHasher(1, 8, 1).hash("x" * 200)),
        "clue": len(clue_of("")),
    },
    "directory.refresh_tokens": {"token_hash": len(digest_of(""))},
    "directory.registrations": {
        "token_hash": len(digest_of("")),
        "password_hash": len(PasswordHasher(1, 8, 1).hash("x" * 200)),
        **{name: f"directory.v1.User.{name}" for name in ("username", "email", "first_name", "last_name", "phone")},
    },
    "directory.messages": {
        "kind": longest((CONFIRMATION, NAME_TAKEN)),
        **{name: f"directory.v1.User.{name}" for name in ("username", "email", "first_name")},
        "token": len(secrets.token_urlsafe(32)),
        "token_hash": len(digest_of("")),
    },
    "directory.revocations": {"kind": len("SUPPLIER")},
    "directory.sign_ins": {"key": len(hashlib.sha256().hexdigest())},
    "directory.signing_keys": {"kid": MADE_ID, "modulus": len(keys.signer("k1").jwk()["n"])},
    "directory.users": {"username_key": MAX_NAME_KEY, "password_hash": len(PasswordHasher(1, 8, 1).hash("x" * 200))},
    **{f"pricing.{table}": {"user_key": len(user_key(LONGEST_ID, LONGEST_ID))} for table in ("redemptions", "promotion_uses")},
    "pricing.redemption_reservations": {
        "state": longest(redemption_pb.RedemptionState.keys(), "REDEMPTION_STATE_"),
        "failure": FAILURE_LENGTH,
    },
    "payment.ledger_entries": {
        "account": longest((account_of(LONGEST_ID), ISSUED, POINTS, RECEIPTS, RECEIVABLE)),
        "currency": MAX_CODE,
        "description": "payment.v1.AdjustSpendingAccountRequest.description",
    },
    "payment.spending_account_adjustments": {
        "currency": MAX_CODE,
        "description": "payment.v1.AdjustSpendingAccountRequest.description",
    },
    "payment.payment_alerts": {"report_error": REASON_LENGTH},
    "payment.payment_attempts": {
        "state": longest(attempt_pb.PaymentReservationState.keys(), "PAYMENT_RESERVATION_STATE_"),
        "failure": FAILURE_LENGTH,
    },
    "payment.payment_redirects": {
        "gateway_key": KEY + len("/") + MADE_ID + len("/") + ID,
        "type": ID,
        "currency": CURRENCY,
        "return_url": RETURN_URL,
        "url": MAX_URL,
        "state": longest(RedirectState),
        "gateway_reference": GATEWAY_WORD,
        "message": GATEWAY_WORD,
        "failure": FAILURE_LENGTH,
    },
    "payment.payment_transactions": {
        "type": longest(TransactionType),
        "result": longest(Result),
        "gateway_key": GATEWAY_KEY,
        "authorization_key": GATEWAY_KEY,
        "gateway_reference": GATEWAY_WORD,
        "message": GATEWAY_WORD,
        "cause": longest(Cause),
        "recorded_by": ID,
        "failure": FAILURE_LENGTH,
    },
    "payment.payments": {
        "type": ID,
        "currency": CURRENCY,
        "purchase_order_number": "payment.v1.Payment.purchase_order_number",
        "description": "payment.v1.Payment.description",
        "state": longest(State),
        "unit": MAX_CODE,
        "failure": FAILURE_LENGTH,
    },
    "payment.test_gateway_operations": {
        "key": GATEWAY_KEY,
        "operation": longest(("authorize", "capture", "refund")),
        "authorization_key": GATEWAY_KEY,
        "token": "payment.v1.CreditCard.token",
        "currency": CURRENCY,
        "state": longest(("DONE", "DECLINED", "VOIDED", "LATE", "WAITING")),
        "reference": MADE_ID,
        "message": longest(("insufficient_funds", "authorization_lapsed", "voided in advance", "void not answered")),
        "return_url": RETURN_URL,
    },
    "fulfillment.reservations": {
        "order_key": KEY,
        "kind": longest(ReservationKind),
        "state": longest(ReservationState),
        "hold": longest(Freeze),
        "strategy": longest(Strategy),
        "failure": FAILURE_LENGTH,
    },
    "fulfillment.shipment_items": {"order_key": KEY},
    "fulfillment.shipments": {
        "carrier": "fulfillment.v1.Shipment.carrier",
        "tracking_number": "fulfillment.v1.Shipment.tracking_number",
        "supplier_number": "fulfillment.v1.Shipment.supplier_number",
        "currency": CURRENCY,
        "report_error": REASON_LENGTH,
    },
    "fulfillment.stock_alerts": {"kind": longest(AlertKind)},
    "fulfillment.stock_movements": {
        "kind": longest(MovementKind),
        "order_key": KEY,
        "note": "fulfillment.v1.StockAdjustment.note",
    },
    "fulfillment.supplier_order_lines": {
        name: f"order.v1.LineItem.{name}" for name in ("cost_center", "shipping_account", "comments")
    },
    "fulfillment.supplier_orders": {
        "order_key": KEY,
        "status": longest(SupplierOrderStatus),
        "former_status": longest(SupplierOrderStatus),
        "currency": CURRENCY,
        "report_error": REASON_LENGTH,
        "failure": FAILURE_LENGTH,
    },
    "order.cancellations": {
        "state": longest(("FREEZING", "FINISHED")),
        "comment": "order.v1.CancelOrderRequest.comment",
        "failure": FAILURE_LENGTH,
    },
    "order.hold_commands": {"failure": FAILURE_LENGTH},
    "order.shipped_captures": {"failure": FAILURE_LENGTH},
    "order.line_items": {
        "tax_rate": len(f"0.{'9' * 18}"),
        **{name: f"order.v1.LineItem.{name}" for name in ("cost_center", "shipping_account", "comments")},
    },
    "order.order_events": {"type": longest(ORDER_EVENTS)},
    "order.order_feed_epochs": {"epoch": len(uuid.UUID(int=0).hex)},
    "order.order_shipments": {"shipment_key": KEY},
    "order.deleted_orders": {"created_by": ID},
    "order.orders": {
        "kind": longest(("BUYER", "SUPPLIER", "MOVED")),
        "created_by": ID,
        "currency": CURRENCY,
        "status": longest(OrderStatus),
        "sub_status": longest(("",)),
        "supplier_status": longest(SupplierOrderStatus),
        "comments": "order.v1.Order.comments",
    },
    "order.approvals": {
        "status": longest(ApprovalStatus),
        "comment": "order.v1.ApproveOrderRequest.comment",
        "error": LONGEST_ERROR,
    },
    "order.submissions": {
        "kind": longest((SUBMIT, CHANGE, APPROVE)),
        "state": longest(submission_pb2.SubmissionState.keys(), "SUBMISSION_STATE_"),
        "outcome": longest(("OPENED", "CHANGED", AWAITING_APPROVAL)),
        "failure": FAILURE_LENGTH,
    },
}
"""By table, what each column must hold: so many characters, or a text of a contract."""
REQUESTS = {"company": ID, "method": longest(f"/{s.full_name}/{m.name}" for s in services() for m in s.methods), "digest": 64}
"""What every service keeps of requests. The company is cut to the length of an id: `test_idempotency.py`."""
CHANGING = (
    "security profile assignment",
    "inventory record",
    "stock alert",
    "supplier order",
    "shipment",
    "payment",
    "address",
    *(r.shape.name for _, r in resources()),
)
CHANGED = {
    "changes": {"resource": longest(CHANGING), "method": REQUESTS["method"], "actor": ID, "impersonator": ID},
    "change_feed": {"epoch": len(uuid.UUID(int=0).hex)},
}
"""What every service but order keeps of its changes; order's are its events."""

AUDITED = {
    "action": longest(
        (*(m.name for s in services() for m in s.methods), "Impersonate", "ResetOwnerSecret", "RefuseRegistrations")
    ),
    "method": REQUESTS["method"],
    "resource": longest((*CHANGING, "order", "change feed", "signing key", "outbox entry of supplier_order")),
    "party": longest(PartyKind) + len(":") + ID,
}
"""What every service keeps of administrative acts."""

DELETING = ("directory", "catalog", "pricing", "shipping", "payment")
"""Services that keep the ids of what was deleted, each with the table where it stood."""


def columns() -> Iterator[tuple[tuple[str, str, str], int]]:
    """Context, table, name and width of each text column that has one; times have a fixed form."""
    for context in CONTEXTS:
        metadata: sa.MetaData = importlib.import_module(f"services.{context}.adapters.db.tables").METADATA
        for table in metadata.sorted_tables:
            for column in table.columns:
                of = column.type.impl if isinstance(column.type, sa.TypeDecorator) else column.type
                if isinstance(of, sa.String) and of.length is not None and not isinstance(column.type, UtcTime):
                    yield (context, table.name, column.name), of.length


COLUMNS = dict(columns())
NEEDED = {
    **{(*at.split("."), name): needed for at, held in WIDTHS.items() for name, needed in held.items()},
    **{(context, "audit_entries", name): needed for context in CONTEXTS for name, needed in AUDITED.items()},
    **{(context, "requests", name): needed for context in CONTEXTS for name, needed in REQUESTS.items()},
    **{
        (context, table, name): needed
        for context in CONTEXTS
        if context != "order"
        for table, held in CHANGED.items()
        for name, needed in held.items()
    },
    **{(context, "deleted_ids", "kind"): longest(r.table.name for c, r in resources() if c == context) for context in DELETING},
    ("order", "deleted_ids", "kind"): len("orders"),
    ("fulfillment", "deleted_ids", "kind"): len("inventory_records"),
}
IDS = {at for at in COLUMNS if at[2] == "id" or at[2].endswith("_id")}
OF_RESOURCES = {(context, r.table.name, name) for context, r in resources() for name in r.shape.attributes}


def test_every_text_column_is_classified() -> None:
    assert set(NEEDED) == set(COLUMNS) - IDS - OF_RESOURCES


@pytest.mark.parametrize("at", sorted(NEEDED), ids=".".join)
def test_a_column_holds_the_longest_that_goes_there(at: tuple[str, str, str]) -> None:
    needed = NEEDED[at]
    assert COLUMNS[at] >= (texts()[needed].limit if isinstance(needed, str) else needed)


def test_ids_and_their_copies_fit() -> None:
    """Whatever is called an id holds the longest that a caller may choose."""
    assert len(IDS) > 50
    assert {at for at in IDS if COLUMNS[at] < ID} == set()


def test_ids_that_are_made_of_ids_fit() -> None:
    assert {at for at in SUPPLIER_ORDERS if COLUMNS[at] >= NUMBERED_ID} == SUPPLIER_ORDERS
    assert ID + len("-1000000") <= NUMBERED_ID


def test_texts_that_are_passed_on_are_no_longer_where_they_go() -> None:
    """What one contract lets in, and another takes over under a limit of its own."""
    passed = {
        "catalog.v1.Product.tax_class": "pricing.v1.PricingLine.tax_class",
        "type.v1.Address.region": "pricing.v1.TaxRate.region",
        "pricing.v1.TaxRate.region": "shipping.v1.ZoneDestination.region",
        "pricing.v1.TaxRate.postal_prefix": "shipping.v1.ZoneDestination.postal_prefix",
    }
    assert {a: b for a, b in passed.items() if texts()[a].limit > texts()[b].limit} == {}


def test_whatever_a_gateway_says_can_be_kept() -> None:
    """What it did is done, so its words may be long, or hold what no database stores."""
    assert kept("\0" + "x" * 300) == "x" * GATEWAY_WORD
