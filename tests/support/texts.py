"""Texts of the contracts: how long each may be, and who reads it; what the contracts say of it stands in their sources."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.message_factory import GetMessageClass

from libs import postal, protoconv
from libs.errors import FieldViolation, Violations, WaybillError
from libs.resource.database import Resource
from services.catalog.contract.assignments import rejections_in
from services.catalog.domain.suppliers.supply import check_comments
from services.directory.contract.registrations import applicant_in
from services.directory.rpc.channels.api_client_servicer import secret_in
from services.fulfillment.rpc.shipments.requests import shipment_in
from services.fulfillment.rpc.stock.requests import adjustments_in
from services.fulfillment.rpc.supplier_orders import supplier_order_servicer
from services.order.rpc.checkout.convert_payment import payments_in
from services.order.rpc.convert_in import lines_in, order_in
from services.order.rpc.order_servicer import check_comment
from services.payment.rpc import convert as payment
from services.payment.rpc.means.spending_account_servicer import adjustment_in
from services.pricing.rpc import convert as pricing
from services.pricing.rpc.convert_fees import fees_in, quoted_fees_in
from services.shipping.contract.attributes import check_places
from tests.support.contracts import requested, services
from waybill.catalog.v1 import product_proposal_pb2
from waybill.directory.v1 import api_client_service_pb2 as client_pb
from waybill.directory.v1 import registration_service_pb2
from waybill.fulfillment.v1 import inventory_service_pb2, shipment_pb2, supplier_order_service_pb2
from waybill.order.v1 import fee_pb2, line_item_pb2, order_pb2
from waybill.payment.v1 import payment_pb2, spending_account_service_pb2
from waybill.pricing.v1 import order_pricing_service_pb2 as order_pb
from waybill.pricing.v1 import pricing_pb2
from waybill.pricing.v1 import redemption_service_pb2 as redemption_pb
from waybill.shipping.v1 import zone_service_pb2
from waybill.type.v1 import address_pb2

CONTEXTS = ("directory", "catalog", "pricing", "shipping", "payment", "fulfillment", "order")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROTOS = Path(__file__).parents[2] / "protos" / "waybill"
Reader = Callable[[Violations, Any], object]


@dataclass(frozen=True, slots=True)
class Text:
    """The longest that a field may be, and what notes it when it is longer."""

    limit: int
    read: Reader


def resources() -> Iterator[tuple[str, Resource]]:
    """Every resource with the context that it belongs to."""
    for context in CONTEXTS:
        database = f"services.{context}.adapters.db"
        # They stand beside the tables, or in a module of their own.
        name = "resources" if importlib.util.find_spec(f"{database}.resources") else "tables"
        module = importlib.import_module(f"{database}.{name}")
        yield from ((context, value) for value in vars(module).values() if isinstance(value, Resource))


def of_attribute(resource: Resource, name: str) -> Reader:
    """What reads a text of a resource."""
    made = GetMessageClass(descriptor_of(resource))
    attribute = resource.shape.attributes[name]
    return lambda found, text: attribute.read(found, "it", made(**{name: text}), {})


def descriptor_of(resource: Resource) -> Any:
    """The descriptor of a resource's message."""
    return resource.shape.message.DESCRIPTOR  # type: ignore[attr-defined]


def _of_message(made: Any, name: str, read: Reader) -> Reader:
    return lambda found, text: read(found, made(**{name: text}))


def _payments(found: Violations, message: Any) -> None:
    """Both who takes payments: the order service in PlaceOrder, the payment service in every other call."""
    payments_in(found, [message])
    payment.drafts_in(found, [message], "USD")


def _line(found: Violations, message: Any) -> None:
    pricing.lines_in(found, order_pb.CalculateOrderRequest(currency="USD", lines=[message]))


def _place(found: Violations, message: Any) -> None:
    message.country = "US"
    check_places(found, "destinations", [message])


def _rejected(found: Violations, message: Any) -> None:
    check_comments(found, rejections_in([message]))


_NAMES = {
    "catalog.v1.Catalog": {"name": 100, "description": 2_000},
    "catalog.v1.Category": {"name": 100, "description": 2_000},
    "catalog.v1.Product": {"name": 100, "description": 2_000, "tax_class": 100},
    "catalog.v1.ProductFacet": {"name": 100, "xp_path": 200},
    "catalog.v1.Spec": {"name": 100, "default_value": 2_000},
    "catalog.v1.Variant": {"name": 100, "description": 2_000},
    "directory.v1.ApiClient": {"name": 100},
    "directory.v1.Buyer": {"name": 100},
    "directory.v1.CostCenter": {"name": 100, "description": 2_000},
    "directory.v1.SecurityProfile": {"name": 100},
    "directory.v1.Seller": {"name": 100},
    "directory.v1.Supplier": {"name": 100},
    "directory.v1.User": {"username": 100, "first_name": 100, "last_name": 100, "email": 200, "phone": 100},
    "directory.v1.UserGroup": {"name": 100, "description": 2_000},
    "order.v1.ApprovalRule": {"name": 100, "description": 2_000, "expression": 400},
    "order.v1.OrderSubStatus": {"name": 100, "description": 2_000},
    "payment.v1.CreditCard": {"token": 200, "card_type": 40, "cardholder_name": 100},
    "payment.v1.PaymentType": {"name": 100, "description": 2_000},
    "payment.v1.SpendingAccount": {"name": 100},
    "pricing.v1.CostSchedule": {"name": 100},
    "pricing.v1.PriceSchedule": {"name": 100},
    "pricing.v1.Promotion": {
        "name": 100,
        "description": 2_000,
        "fine_print": 2_000,
        "eligible_expression": 400,
        "value_expression": 400,
    },
    "pricing.v1.TaxRate": {"name": 100, "region": 200, "postal_prefix": postal.MAX_PREFIX, "tax_class": 100},
    "shipping.v1.Carrier": {"name": 100},
    "shipping.v1.ShipMethod": {"name": 100},
    "shipping.v1.Zone": {"name": 100},
}
"""Texts of resources, which are read by their attributes."""


def _shipment(found: Violations, message: Any) -> None:
    shipment_in(found, "shipment", message, NOW)


def _noted(read: Callable[[], object]) -> Sequence[FieldViolation]:
    """What is noted by a reader that raises it all at once."""
    try:
        read()
    except WaybillError as error:
        return error.fields
    return ()


_READ: dict[str, tuple[Any, Reader, dict[str, int]]] = {
    "directory.v1.CreateSecretRequest": (
        client_pb.CreateSecretRequest,
        lambda found, m: found.items.extend(_noted(lambda: secret_in(m, "end_time"))),
        {"name": 100},
    ),
    "directory.v1.RotateSecretRequest": (
        client_pb.RotateSecretRequest,
        lambda found, m: found.items.extend(_noted(lambda: secret_in(m, "others_end_time"))),
        {"name": 100},
    ),
    "directory.v1.RegisterRequest": (
        registration_service_pb2.RegisterRequest,
        applicant_in,
        {"username": 100, "first_name": 100, "last_name": 100, "phone": 100},
    ),
    "fulfillment.v1.Shipment": (
        shipment_pb2.Shipment,
        _shipment,
        {"carrier": 200, "tracking_number": 200, "supplier_number": 100, "ship_method_id": 100},
    ),
    "catalog.v1.ProductRejection": (product_proposal_pb2.ProductRejection, _rejected, {"comment": 2_000}),
    "fulfillment.v1.StockAdjustment": (
        inventory_service_pb2.StockAdjustment,
        lambda found, m: adjustments_in(found, [m]),
        {"note": 500},
    ),
    "fulfillment.v1.RejectSupplierOrderRequest": (
        supplier_order_service_pb2.RejectSupplierOrderRequest,
        supplier_order_servicer.check_comment,
        {"comment": 2_000},
    ),
    "order.v1.Fee": (fee_pb2.Fee, lambda found, m: order_in(found, order_pb2.Order(fees=[m])), {"name": 100, "tax_class": 100}),
    "order.v1.LineItem": (
        line_item_pb2.LineItem,
        lambda found, m: lines_in(found, [m]),
        {"cost_center": 100, "shipping_account": 100, "comments": 2_000},
    ),
    "order.v1.LineItemSpec": (
        line_item_pb2.LineItemSpec,
        lambda found, m: lines_in(found, [line_item_pb2.LineItem(specs=[m])]),
        {"value": 2_000},
    ),
    "order.v1.Order": (order_pb2.Order, order_in, {"comments": 2_000}),
    "payment.v1.AdjustSpendingAccountRequest": (
        spending_account_service_pb2.AdjustSpendingAccountRequest,
        adjustment_in,
        {"description": 200},
    ),
    "payment.v1.Payment": (payment_pb2.Payment, _payments, {"purchase_order_number": 100, "description": 2_000}),
    "pricing.v1.ExpectedFee": (redemption_pb.ExpectedFee, lambda found, m: quoted_fees_in(found, [m]), {"tax_class": 100}),
    "pricing.v1.PricingFee": (pricing_pb2.PricingFee, lambda found, m: fees_in(found, "USD", [m]), {"tax_class": 100}),
    "pricing.v1.PricingLine": (pricing_pb2.PricingLine, _line, {"tax_class": 100}),
    "shipping.v1.ZoneDestination": (
        zone_service_pb2.ZoneDestination,
        _place,
        {"region": 200, "postal_prefix": postal.MAX_PREFIX},
    ),
    "type.v1.Address": (
        address_pb2.Address,
        lambda found, m: protoconv.address_in(found, "address", m),
        dict.fromkeys(
            (*("label", "company_name", "first_name", "last_name", "recipient"), *("city", "region", "postal_code", "phone")), 200
        ),
    ),
}
"""Other texts: the message, who reads it, and how long each may be."""


@cache
def texts() -> dict[str, Text]:
    """Every text that callers write for people or for comparing, by its field's name without `waybill.` before it."""
    found: dict[str, Text] = {}
    for _, resource in resources():
        message = descriptor_of(resource).full_name.removeprefix("waybill.")
        for name, limit in _NAMES.get(message, {}).items():
            found[f"{message}.{name}"] = Text(limit, of_attribute(resource, name))
    for message, (made, read, limits) in _READ.items():
        for name, limit in limits.items():
            found[f"{message}.{name}"] = Text(limit, _of_message(made, name, read))
    deciding = ("ApproveOrderRequest", "DeclineOrderRequest", "RecallOrderRequest")
    for message in ("CancelOrderRequest", "CompleteOrderRequest", "HoldOrderRequest", "ReleaseOrderHoldRequest", *deciding):
        found[f"order.v1.{message}.comment"] = Text(2_000, check_comment)
    return found


def requested_texts() -> set[str]:
    """Every field of a text that a request can carry."""
    return {
        f"{name}.{field.name}".removeprefix("waybill.")
        for name, message in requested(services()).items()
        for field in message.fields
        if field.type == field.TYPE_STRING
    }


@cache
def comments() -> dict[str, str]:
    """What the contracts say of each field, its message's comment before its own."""
    found: dict[str, str] = {}
    for path in sorted(PROTOS.rglob("*.proto")):
        package = ".".join(path.relative_to(PROTOS).parts[:-1])
        within, said = [("", "")], ""
        for line in (line.strip() for line in path.read_text().splitlines()):
            if line.startswith("//"):
                said = f"{said} {line.removeprefix('//').strip()}"
                continue
            if opened := re.match(r"(message|enum|oneof|service|rpc) (\w+).*\{$", line):
                within.append((opened[2], said))
            elif line.endswith("{"):
                # A part of an option.
                within.append(within[-1])
            elif line in ("}", "},", "};", "}];"):
                within.pop()
            elif field := re.match(r"(?:optional |repeated )?[\w.]+ (\w+) = \d+", line):
                found[f"{package}.{within[-1][0]}.{field[1]}"] = f"{within[-1][1]} {said}"
            said = ""
    return found
