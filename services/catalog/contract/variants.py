"""What variants are, between their messages and the values that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from libs.errors import Violations
from libs.protoconv import decimal_in, decimal_out, text_in
from libs.resource.contract import Attribute, Shape, Storage, flag, ref, text, xp
from services.catalog.domain.choices.variants import MAX_NAME, options_of
from services.catalog.domain.products.product import MEASURES
from waybill.catalog.v1 import variant_pb2

MOST = Decimal(1_000_000)


def _description() -> Attribute:
    """A text, or the product's."""

    def read(found: Violations, where: str, message: variant_pb2.Variant, _: dict[str, Any]) -> str | None:
        if not message.HasField("description"):
            return None
        return text_in(found, f"{where}.description", message.description, 2_000)

    return Attribute("description", Storage.TEXT, read, lambda row: row["description"], length=2_000)


def _measure(name: str) -> Attribute:
    """An exact number, or the product's."""

    def read(found: Violations, where: str, message: variant_pb2.Variant, _: dict[str, Any]) -> str | None:
        given = {field.name: value for field, value in message.ListFields()}.get(name)
        return None if given is None else f"{decimal_in(found, f'{where}.{name}', given, Decimal(0), MOST):f}"

    return Attribute(
        name, Storage.TEXT, read, lambda row: None if row[name] is None else decimal_out(Decimal(row[name])), length=40
    )


_VARIANT = (
    ref("product_id", required=True, immutable=True),
    text("name", MAX_NAME, required=True),
    flag("active"),
    _description(),
    *(_measure(name) for name in MEASURES),
    xp(),
)


def _options(row: Mapping[str, Any]) -> dict[str, Any]:
    chosen = options_of(row["combination"])
    return {"options": [variant_pb2.VariantOption(spec_id=spec, option_id=option) for spec, option in chosen.items()]}


VARIANT = Shape("variant", variant_pb2.Variant, _VARIANT, prefix="var", extra=_options)
