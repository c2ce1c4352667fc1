"""What promotions are, between their messages and the values that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from libs.errors import Violations
from libs.resource.contract import Attribute, Shape, Storage, enum, flag, ref, refs, text, time, xp
from services.pricing.contract.promotion_expressions import MAX_EXPRESSION, TARGET_PREFIX, check_expressions
from services.pricing.domain.promotions import terms
from waybill.pricing.v1 import promotion_pb2 as pb
from waybill.pricing.v1 import reasons

MAX_PRIORITY = 1_000_000
MAX_LIMIT = 1_000_000_000


def _code() -> Attribute:
    typed = text("code", terms.CODE_LENGTH)

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> str:
        # Kept as it is compared, so that a look-up can name it.
        code = terms.code_key(message.code)
        at, rule = f"{where}.code", f"a code is 1 to {terms.CODE_LENGTH} characters of A-Z a-z 0-9 _ -"
        found.require(at, not code or terms.valid_code(code), reasons.FIELD_INVALID, rule)
        return code

    return replace(typed, read=read)


def _whole(name: str, low: int, high: int) -> Attribute:
    """A whole number between two bounds, or none."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> int | None:
        if not message.HasField(name):
            return None
        value = int(getattr(message, name))
        found.require(f"{where}.{name}", low <= value <= high, reasons.VALUE_OUT_OF_RANGE, f"must be {low} to {high:,}")
        return value

    return Attribute(name, Storage.WHOLE, read, lambda row: row[name], "int")


def _check(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    terms.check(found, where, terms.Terms(**{field.name: row[field.name] for field in fields(terms.Terms)}))
    check_expressions(found, where, row)


PROMOTION = Shape(
    "promotion",
    pb.Promotion,
    (
        ref("supplier_id", immutable=True),
        _code(),
        text("name", 100),
        text("description", 2_000),
        text("fine_print", 2_000),
        flag("active"),
        time("start_time"),
        time("end_time"),
        enum("target", pb.PromotionTarget, TARGET_PREFIX),
        text("eligible_expression", MAX_EXPRESSION),
        text("value_expression", MAX_EXPRESSION, required=True),
        flag("can_combine"),
        flag("auto_apply"),
        _whole("priority", 0, MAX_PRIORITY),
        _whole("redemption_limit", 1, MAX_LIMIT),
        _whole("redemption_limit_per_user", 1, MAX_LIMIT),
        _whole("quantity_limit_per_order", 1, MAX_LIMIT),
        _whole("item_limit_per_order", 1, MAX_LIMIT),
        text("item_order", 40),
        flag("all_buyers"),
        refs("api_client_ids"),
        xp(),
    ),
    prefix="prm",
    check=_check,
)
