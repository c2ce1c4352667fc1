"""Text columns are as wide as the longest thing that goes there: ids, copies of ids, ids that are made of ids, texts."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from libs.db import UtcTime
from libs.ids import NUMBERED_ID
from services.fulfillment.domain.supplier_orders.status import SupplierOrderStatus
from services.order.domain.status import OrderStatus
from services.payment.domain.states import State
from tests.support.contracts import services

CONTEXTS = ("directory", "catalog", "pricing", "shipping", "payment", "fulfillment", "order")
ID = 100
SUPPLIER_ORDERS = {
    ("fulfillment", "supplier_orders", "id"),
    ("fulfillment", "shipment_items", "supplier_order_id"),
    ("order", "orders", "id"),
}
"""Where the ids stand that are made of an order's."""


def columns() -> Iterator[tuple[str, str, str, int]]:
    """Context, table, name and width of each text column that has one; times have a fixed form."""
    for context in CONTEXTS:
        metadata: sa.MetaData = importlib.import_module(f"services.{context}.adapters.db.tables").METADATA
        for table in metadata.sorted_tables:
            for column in table.columns:
                of = column.type.impl if isinstance(column.type, sa.TypeDecorator) else column.type
                if isinstance(of, sa.String) and of.length is not None and not isinstance(column.type, UtcTime):
                    yield context, table.name, column.name, of.length


COLUMNS = {(context, table, name): width for context, table, name, width in columns()}


def test_ids_and_their_copies_fit() -> None:
    """Whatever is called an id holds the longest that a caller may choose."""
    ids = {at: width for at, width in COLUMNS.items() if at[2] == "id" or at[2].endswith("_id")}
    assert len(ids) > 50
    assert {at for at, width in ids.items() if width < ID} == set()


def test_ids_that_are_made_of_ids_fit() -> None:
    assert {at for at, width in COLUMNS.items() if at in SUPPLIER_ORDERS and width >= NUMBERED_ID} == SUPPLIER_ORDERS
    assert ID + len("-1000000") <= NUMBERED_ID


@pytest.mark.parametrize(
    ("at", "longest"),
    [
        (("directory", "users", "party"), len("SUPPLIER:") + ID),
        (("directory", "addresses", "party"), len("SUPPLIER:") + ID),
        (("directory", "address_assignments", "party"), len("SUPPLIER:") + ID),
        (("payment", "ledger_entries", "account"), len("spending_account:") + ID),
        (("order", "orders", "comments"), 2_000),
        (("order", "cancellations", "comment"), 2_000),
        (("payment", "payments", "description"), 2_000),
        (("payment", "credit_cards", "token"), 200),
        (("payment", "test_gateway_operations", "token"), 200),
        (("payment", "ledger_entries", "description"), 200),
        (("fulfillment", "stock_movements", "note"), 500),
        (("fulfillment", "shipments", "carrier"), 200),
        (("fulfillment", "shipments", "tracking_number"), 200),
        (("fulfillment", "supplier_orders", "status"), max(map(len, SupplierOrderStatus))),
        (("fulfillment", "supplier_orders", "former_status"), max(map(len, SupplierOrderStatus))),
        (("order", "orders", "sub_status"), max(map(len, SupplierOrderStatus))),
        (("order", "orders", "status"), max(map(len, OrderStatus))),
        (("payment", "payments", "state"), max(map(len, State))),
    ],
)
def test_what_is_no_id_fits(at: tuple[str, str, str], longest: int) -> None:
    assert COLUMNS[at] >= longest


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_names_of_methods_fit_beside_their_request_ids(context: str) -> None:
    names = [f"/{s.full_name}/{m.name}" for s in services() for m in s.methods]
    assert COLUMNS[context, "requests", "method"] >= max(map(len, names))
    assert COLUMNS[context, "requests", "request_id"] >= ID
