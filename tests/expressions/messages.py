"""An order as an expression sees it, with everything that a field can be, and environments of it."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2, timestamp_pb2
from google.protobuf.message import Message

from libs.expr import BOOL, TEXT, Environment, Function

PACKAGE = "tests.expressions"
_FIELDS = {
    "User": {"id": "string", "email": "string", "xp": "Struct"},
    "Product": {"id": "string", "name": "string", "xp": "Struct"},
    "Item": {
        "id": "string",
        "product_id": "string",
        "supplier_id": "string",
        "cost_center": "string",
        "quantity": "int64",
        "unit_price": "int64",
        "subtotal": "int64",
        "category_ids": "string[]",
        "specs": "map",
        "product": ".Product",
        "xp": "Struct",
    },
    "Order": {
        "id": "string",
        "currency": "string",
        "buyer_id": "string",
        "client_id": "string",
        "subtotal": "int64",
        "shipping_cost": "int64",
        "guest": "bool",
        "user": ".User",
        "user_group_ids": "string[]",
        "promotion_codes": "string[]",
        "create_time": "Timestamp",
        "items": ".Item[]",
        "labels": "map",
        "xp": "Struct",
        "weight": "double",
        "any": "Value",
    },
}
_SCALARS = {"string": 9, "int64": 3, "bool": 8, "double": 1}


def _add(message: descriptor_pb2.DescriptorProto, number: int, name: str, kind: str) -> None:
    field = message.field.add(name=name, number=number, label=3 if kind.endswith("[]") or kind == "map" else 1)
    kind = kind.removesuffix("[]")
    if kind in _SCALARS:
        field.type = _SCALARS[kind]  # type: ignore[assignment]
        return
    field.type = 11  # type: ignore[assignment]
    if kind == "map":
        entry = message.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        _add(entry, 1, "key", "string")
        _add(entry, 2, "value", "string")
        field.type_name = f".{PACKAGE}.{message.name}.{entry.name}"
    else:
        field.type_name = f".{PACKAGE}{kind}" if kind.startswith(".") else f".google.protobuf.{kind}"


def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.Default()
    file = descriptor_pb2.FileDescriptorProto(name="tests/expressions/order.proto", package=PACKAGE, syntax="proto3")
    file.dependency.extend(["google/protobuf/struct.proto", "google/protobuf/timestamp.proto"])
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), 1):
            _add(message, number, field, kind)
    pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL = _pool()
Order: type[Any] = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.Order"))
Item: type[Any] = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.Item"))
Now = timestamp_pb2.Timestamp

APPROVED = Function((TEXT,), BOOL, lambda bindings, rule: rule == "budget", literal=True)
ORDERS = Environment({"order": Order, "now": Now}, {"approved": APPROVED})
LINES = Environment({"order": Order, "item": Item, "now": Now}, line_variable="item")


def xp(**values: Any) -> struct_pb2.Struct:
    """Data of a caller."""
    message = struct_pb2.Struct()
    message.update(values)
    return message


def item(number: int = 1, **fields: Any) -> Any:
    """A line, of the supplier acme, two units of 10.00."""
    given: dict[str, Any] = {
        "id": f"l{number}",
        "product_id": "anvil",
        "supplier_id": "acme",
        "quantity": 2,
        "unit_price": 10_000_000,
        "subtotal": 20_000_000,
    }
    return Item(**(given | fields))


def order(**fields: Any) -> Any:
    """An order with a subtotal of 100.00 USD and no lines."""
    given: dict[str, Any] = {
        "id": "PO1",
        "currency": "USD",
        "buyer_id": "northwind",
        "client_id": "shop",
        "subtotal": 100_000_000,
        "shipping_cost": 9_990_000,
        "user_group_ids": ["staff", "gold"],
        "create_time": Now(seconds=1_800_000_000),
    }
    return Order(**(given | fields))


def bound(order: Any, item: Any = None, now: int = 1_800_000_000) -> dict[str, Message]:
    """Bindings, on 15 January 2027 at 8:00."""
    return {"order": order, "now": Now(seconds=now)} | ({} if item is None else {"item": item})
