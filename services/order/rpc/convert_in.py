"""What callers ask for, checked."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, TypeVar

from libs import protoconv
from libs.errors import Violations, invalid
from services.order.domain.building.choices import Said
from services.order.domain.building.drafts import GuestName, LineDraft, OrderDraft, check_count
from services.order.domain.fees import DEFAULT_TAX_CLASS, MAX_FEES, Fee, check_fees
from services.order.domain.model import MAX_LINES
from services.order.domain.reading.visibility import Direction
from waybill.order.v1 import fee_pb2, line_item_pb2, order_pb2, reasons

MAX_SPECS = 20
"""Specs of one product."""
M = TypeVar("M", order_pb2.Order, line_item_pb2.LineItem)
_DIRECTIONS = {
    order_pb2.DIRECTION_INCOMING: Direction.INCOMING,
    order_pb2.DIRECTION_OUTGOING: Direction.OUTGOING,
    order_pb2.DIRECTION_ALL: Direction.ALL,
}


def direction_in(value: int) -> Direction:
    """A direction; the unspecified one is refused."""
    found = _DIRECTIONS.get(value)  # type: ignore[call-overload]
    if found is None:
        raise invalid("direction", reasons.FIELD_REQUIRED, "is required: INCOMING, OUTGOING or ALL")
    return found  # type: ignore[no-any-return]


def key_in(text: str) -> uuid.UUID:
    """An internal key."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise invalid("order_key", reasons.FIELD_INVALID, "is no internal key") from None


def masked(message: M, paths: Sequence[str]) -> M:
    """The message with its id and what is to be changed: the rest may be what was read before, and is not judged."""
    made = type(message)()
    made.CopyFrom(message)
    clear: Any = made.ClearField
    for field, _ in message.ListFields():
        if field.name != "id" and field.name not in paths:
            clear(field.name)
    return made


class _Amounts:
    """Reads amounts whose currency is checked later, against the order's."""

    def __init__(self, found: Violations) -> None:
        self._found = found
        self.currencies: list[tuple[str, str]] = []

    def read(self, message: Any, where: str, name: str, finer: bool = False) -> int | None:
        if not message.HasField(name):
            return None
        money = getattr(message, name)
        self.currencies.append((f"{where}.{name}", money.currency_code))
        return protoconv.money_in(self._found, f"{where}.{name}", money, finer=finer)


def order_in(found: Violations, message: order_pb2.Order) -> OrderDraft:
    """An order as asked for."""
    amounts = _Amounts(found)
    shipping_cost = amounts.read(message, "order", "shipping_cost_override")
    tax = amounts.read(message, "order", "tax_override")
    gratuity = amounts.read(message, "order", "gratuity")
    fees = _fees(found, amounts, message.fees)
    if message.currency:
        protoconv.currency_in(found, "order.currency", message.currency)
    for name in ("shipping_address_id", "billing_address_id"):
        found.check_id(f"order.{name}", getattr(message, name), required=False)
    found.check_id("order.from_party.id", message.from_party.id, required=False)
    found.check_id("order.from_user.id", message.from_user.id, required=False)
    return OrderDraft(
        id=message.id,
        buyer_id=message.from_party.id,
        user_id=message.from_user.id,
        currency=message.currency,
        shipping_address_id=message.shipping_address_id,
        shipping_address=_address(found, "order.shipping_address", message, "shipping_address"),
        billing_address_id=message.billing_address_id,
        billing_address=_address(found, "order.billing_address", message, "billing_address"),
        comments=protoconv.text_in(found, "order.comments", message.comments, 2_000),
        guest=GuestName(
            *(
                protoconv.text_in(found, f"order.from_user.{name}", getattr(message.from_user, name), most)
                for name, most in (("first_name", 100), ("last_name", 100), ("email", 200))
            )
        ),
        xp=protoconv.xp_in(found, "order.xp", message.xp),
        shipping_cost_override=shipping_cost,
        tax_override=tax,
        gratuity=gratuity or 0,
        fees=fees,
        currencies=tuple(amounts.currencies),
    )


def _fees(found: Violations, amounts: _Amounts, messages: Sequence[fee_pb2.Fee]) -> tuple[Fee, ...]:
    """Fees as they are to be set; tax, rate and source, which a read brought along, are not looked at."""
    fees: list[Fee] = []
    for i, message in enumerate(messages[:MAX_FEES]):
        where = f"order.fees[{i}]"
        found.check_id(f"{where}.id", message.id)
        found.require(f"{where}.amount", message.HasField("amount"), reasons.FIELD_REQUIRED, "is required")
        name = protoconv.text_in(found, f"{where}.name", message.name, 100, required=True)
        tax_class = protoconv.text_in(found, f"{where}.tax_class", message.tax_class, 100) or DEFAULT_TAX_CLASS
        fees.append(Fee(message.id, name, amounts.read(message, where, "amount") or 0, tax_class))
    check_fees(found, len(messages), fees)
    return tuple(fees)


def _address(found: Violations, where: str, message: Any, name: str) -> dict[str, Any] | None:
    """A one-time address; beside an id of the book it is only what was read before, and ignored."""
    if not message.HasField(name) or getattr(message, f"{name}_id"):
        return None
    address = protoconv.address_in(found, where, getattr(message, name))
    address.pop("id", None)
    return address


def lines_in(found: Violations, messages: Sequence[line_item_pb2.LineItem]) -> list[LineDraft]:
    """Lines as asked for; too many are not even looked at."""
    if len(messages) > MAX_LINES:
        check_count(found, len(messages))
        found.raise_if_any()
    return [_line(found, f"line_items[{i}]", message) for i, message in enumerate(messages)]


def _line(found: Violations, where: str, message: line_item_pb2.LineItem) -> LineDraft:
    amounts = _Amounts(found)
    unit_price = amounts.read(message, where, "unit_price_override", finer=True)
    discount = amounts.read(message, where, "discount_override")
    for name in ("variant_id", "shipping_address_id", "pickup_location_id", "inventory_record_id"):
        found.check_id(f"{where}.{name}", getattr(message, name), required=False)
    needed = None
    if message.HasField("date_needed"):
        needed = protoconv.time_in(found, f"{where}.date_needed", message.date_needed)
    return LineDraft(
        id=message.id,
        product_id=message.product_id,
        quantity=message.quantity,
        unit_price_override=unit_price,
        discount_override=discount,
        shipping_address_id=message.shipping_address_id,
        shipping_address=_address(found, f"{where}.shipping_address", message, "shipping_address"),
        pickup_location_id=message.pickup_location_id,
        inventory_record_id=message.inventory_record_id,
        date_needed=needed,
        variant_id=message.variant_id,
        specs=_specs(found, f"{where}.specs", message.specs) if message.specs else (),
        cost_center=protoconv.text_in(found, f"{where}.cost_center", message.cost_center, 100),
        shipping_account=protoconv.text_in(found, f"{where}.shipping_account", message.shipping_account, 100),
        comments=protoconv.text_in(found, f"{where}.comments", message.comments, 2_000),
        xp=protoconv.xp_in(found, f"{where}.xp", message.xp),
        currencies=tuple(amounts.currencies),
    )


def _specs(found: Violations, where: str, messages: Sequence[line_item_pb2.LineItemSpec]) -> tuple[Said, ...]:
    """What is said of each spec; what a read brought along beside it is not looked at."""
    if len(messages) > MAX_SPECS:
        found.add(where, reasons.TOO_MANY_ITEMS, f"at most {MAX_SPECS}")
        return ()
    for i, message in enumerate(messages):
        found.check_id(f"{where}[{i}].spec_id", message.spec_id)
        found.check_id(f"{where}[{i}].option_id", message.option_id, required=False)
    values = [protoconv.text_in(found, f"{where}[{i}].value", message.value, 2_000) for i, message in enumerate(messages)]
    return tuple(Said(m.spec_id, m.option_id, value) for m, value in zip(messages, values, strict=True))
