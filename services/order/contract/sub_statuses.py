"""Sub-statuses between messages and the values that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.errors import Violations
from libs.resource.contract import Attribute, Shape, Storage, enum, flag, refs, text, xp
from services.order.domain.sub_statuses import MAX_ID, MAX_SUB_STATUSES
from services.roles import ALL_ROLES
from waybill.order.v1.order_pb2 import OrderStatus
from waybill.order.v1.order_sub_status_service_pb2 import OrderSubStatus
from waybill.type.v1 import reasons
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, PARTY_KIND_SELLER, PartyKind

MAX_ROLES = 20
"""Most roles of which one sets a sub-status."""


def _roles() -> Attribute:
    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> list[str]:
        values = list(message.roles)
        found.require(f"{where}.roles", len(values) <= MAX_ROLES, reasons.TOO_MANY_ITEMS, f"at most {MAX_ROLES}")
        for i, value in enumerate(values[:MAX_ROLES]):
            found.require(f"{where}.roles[{i}]", value in ALL_ROLES, reasons.FIELD_INVALID, "is no role")
            found.require(f"{where}.roles[{i}]", value not in values[:i], reasons.DUPLICATE_ITEM, "stands twice")
        return values

    return Attribute("roles", Storage.DOCUMENT, read, lambda row: row["roles"], nullable=False)


def _parties() -> Attribute:
    """Kinds of companies, stored by their names."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> list[str]:
        values = list(message.parties)
        found.require(f"{where}.parties", len(values) <= 2, reasons.TOO_MANY_ITEMS, "at most 2")
        names: list[str] = []
        for i, value in enumerate(values[:2]):
            may = value in (PARTY_KIND_SELLER, PARTY_KIND_BUYER)
            found.require(f"{where}.parties[{i}]", may, reasons.FIELD_INVALID, "must be the seller or the buyer")
            found.require(f"{where}.parties[{i}]", value not in values[:i], reasons.DUPLICATE_ITEM, "stands twice")
            if may:
                names.append(PartyKind.Name(value).removeprefix("PARTY_KIND_"))
        return names

    def write(row: dict[str, Any]) -> Any:
        return [PartyKind.Value(f"PARTY_KIND_{name}") for name in row["parties"]]

    return Attribute("parties", Storage.DOCUMENT, read, write, nullable=False)


def _status() -> Attribute:
    its = enum("status", OrderStatus, "ORDER_STATUS_")
    return Attribute(its.name, its.storage, its.read, its.write, its.kind, immutable=True, nullable=False, length=20)


def _check(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    open = not (row["initial"] and row["closed"])
    found.require(f"{where}.closed", open, reasons.FIELD_INVALID, "an initial sub-status cannot be closed")


def check_id(found: Violations, where: str, id: str) -> None:
    """Notes an id that orders could not keep."""
    found.require(f"{where}.id", len(id) <= MAX_ID, reasons.FIELD_INVALID, f"at most {MAX_ID} characters")


SUB_STATUS = Shape(
    "order sub-status",
    OrderSubStatus,
    (
        _status(),
        text("name", 100, required=True),
        text("description", 2_000),
        refs("follows", MAX_SUB_STATUSES),
        flag("follows_none"),
        _roles(),
        _parties(),
        flag("initial"),
        flag("terminal"),
        flag("closed"),
        xp(),
    ),
    prefix="oss",
    check=_check,
)
