"""Chosen variants of requests, and what can be chosen of answers."""

from __future__ import annotations

from collections.abc import Sequence

from libs.errors import Violations
from services.catalog.contract.specs import SPEC
from services.catalog.domain.choices.specs import MAX_SPECS
from services.catalog.domain.choices.variants import Choice, Configurations
from waybill.catalog.v1 import reasons
from waybill.catalog.v1.product_specs_pb2 import ProductSpecs, VariantChoice

MAX_CHOICES = 5_000


def choices_in(found: Violations, field: str, messages: Sequence[VariantChoice]) -> list[Choice]:
    """The variants that a request names; notes what is wrong with them."""
    found.require(field, len(messages) <= MAX_CHOICES, reasons.TOO_MANY_ITEMS, f"at most {MAX_CHOICES:,}")
    made: list[Choice] = []
    for i, message in enumerate(messages[:MAX_CHOICES]):
        at, options = f"{field}[{i}]", dict[str, str]()
        found.check_id(f"{at}.product_id", message.product_id)
        found.check_id(f"{at}.variant_id", message.variant_id, required=False)
        found.require(f"{at}.options", len(message.options) <= MAX_SPECS, reasons.TOO_MANY_ITEMS, f"at most {MAX_SPECS}")
        for j, option in enumerate(message.options[:MAX_SPECS]):
            where = f"{at}.options[{j}]"
            found.check_id(f"{where}.spec_id", option.spec_id)
            found.check_id(f"{where}.option_id", option.option_id)
            found.require(f"{where}.spec_id", option.spec_id not in options, reasons.DUPLICATE_ITEM, "stands twice")
            options[option.spec_id] = option.option_id
        made.append(Choice(message.product_id, message.variant_id, options))
    return made


def specs_out(found: Configurations) -> list[ProductSpecs]:
    """What can be chosen of each product."""
    return [
        ProductSpecs(product_id=id, specs=[SPEC.write(row) for row in of.specs], variant_count=of.variant_count)
        for id, of in found.of.items()
    ]
