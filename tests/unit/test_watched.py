"""Every stored column is watched by a rule of `waybill check`, or named as free with a reason."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from libs.db.types import Micros
from libs.db.watched import Free, Register
from services.catalog.adapters.db import tables as catalog_tables
from services.catalog.adapters.db.invariants.watched import WATCHED as CATALOG
from services.directory.adapters.db import tables as directory_tables
from services.directory.adapters.db.invariants.watched import WATCHED as DIRECTORY
from services.fulfillment.adapters.db import tables as fulfillment_tables
from services.fulfillment.adapters.db.invariants.watched import WATCHED as FULFILLMENT
from services.order.adapters.db import tables as order_tables
from services.order.adapters.db.invariants.watched import WATCHED as ORDER
from services.payment.adapters.db import tables as payment_tables
from services.payment.adapters.db.invariants.watched import WATCHED as PAYMENT
from services.pricing.adapters.db import tables as pricing_tables
from services.pricing.adapters.db.invariants.watched import WATCHED as PRICING
from services.shipping.adapters.db import tables as shipping_tables
from services.shipping.adapters.db.invariants.watched import WATCHED as SHIPPING

SERVICES: dict[str, tuple[sa.MetaData, Register]] = {
    "catalog": (catalog_tables.METADATA, CATALOG),
    "directory": (directory_tables.METADATA, DIRECTORY),
    "pricing": (pricing_tables.METADATA, PRICING),
    "shipping": (shipping_tables.METADATA, SHIPPING),
    "order": (order_tables.METADATA, ORDER),
    "payment": (payment_tables.METADATA, PAYMENT),
    "fulfillment": (fulfillment_tables.METADATA, FULFILLMENT),
}
MATTERS = re.compile(
    r"(^|_)(amount|subtotal|discount|tax|total|cost|price|balance|reserved|allocated|on_hand|captured|refunded|quantity|packed|"
    r"shipped|canceled|status|state|address|id|key)$"
)
"""Amounts, quantities, statuses, addresses and references, by their names."""
UNSTATED = {
    *("requests.user_id", "requests.request_id"),
    *("order_events.client_id", "order_events.request_id", "order_events.impersonator_id"),
}
"""Who asked, and by which call: stated once, where it is recorded."""
SURROGATES = {"order_events.id", "payment_alerts.key", "stock_movements.key", "stock_alerts.id"}
"""Numbers of rows that nothing refers to."""
APART = {
    "approval_rules",
    "audit_entries",
    "changes",
    "change_feed",
    "deleted_ids",
    "hold_commands",
    "credit_cards",
    "credit_card_assignments",
    "payment_types",
    "payment_type_assignments",
    "spending_account_assignments",
    "spending_accounts",
}
"""Tables whose rows are gone once their work is done, or that are no orders, payments, stock or shipments."""


@pytest.mark.parametrize("service", SERVICES)
def test_every_column_is_watched_or_free_for_a_reason(service: str) -> None:
    metadata, register = SERVICES[service]
    assert {table.name for table in register} == set(metadata.tables)
    for table, watch in register.items():
        assert set(watch.columns) == {column.name for column in table.columns}, table.name
        said = [*watch.columns.values(), watch.deleted]
        assert all(one.reason if isinstance(one, Free) else one.rules for one in said), table.name


@pytest.mark.parametrize("service", [name for name in ("order", "payment", "fulfillment") if name in SERVICES])
def test_no_amount_quantity_status_address_or_reference_is_free(service: str) -> None:
    free = {
        f"{table.name}.{name}"
        for table, watch in SERVICES[service][1].items()
        for name, watched in watch.columns.items()
        if isinstance(watched, Free)
        if isinstance(table.c[name].type, Micros) or (MATTERS.search(name) and table.name not in APART)
    }
    assert sorted(free - SURROGATES - UNSTATED) == []
