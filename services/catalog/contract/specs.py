"""What specs are, between their messages and the values that are kept."""

from __future__ import annotations

from collections.abc import Sequence

from libs.errors import Violations
from libs.mark_ups import check_mark_up
from libs.protoconv import text_in, xp_in
from libs.resource.contract import Shape, document, flag, integer, ref, text, xp
from services.catalog.domain.catalogs.assignment import MAX_ORDER
from services.catalog.domain.choices import specs
from waybill.catalog.v1 import reasons, spec_pb2


def _check_options(found: Violations, where: str, options: Sequence[spec_pb2.SpecOption]) -> None:
    """Each is well-formed and stands once."""
    found.require(where, len(options) <= specs.MAX_OPTIONS, reasons.TOO_MANY_ITEMS, f"at most {specs.MAX_OPTIONS}")
    seen: set[str] = set()
    for i, option in enumerate(options[: specs.MAX_OPTIONS]):
        at = f"{where}[{i}]"
        found.check_id(f"{at}.id", option.id)
        found.require(f"{at}.id", option.id not in seen, reasons.DUPLICATE_ITEM, "stands twice")
        seen.add(option.id)
        text_in(found, f"{at}.name", option.name, 100, True)
        in_range = 0 <= option.list_order <= MAX_ORDER
        found.require(f"{at}.list_order", in_range, reasons.VALUE_OUT_OF_RANGE, f"must be 0 to {MAX_ORDER}")
        if option.HasField("mark_up"):
            check_mark_up(found, f"{at}.mark_up", option.mark_up)
        xp_in(found, f"{at}.xp", option.xp)


_SPEC = (
    text("name", 100, required=True),
    flag("required"),
    flag("open_text"),
    flag("defines_variant"),
    ref("default_option_id", index=False),
    text("default_value", specs.MAX_VALUE),
    integer("list_order", 0, MAX_ORDER),
    document("options", _check_options),
    xp(),
    ref("owner_supplier_id", immutable=True),
)
SPEC = Shape("spec", spec_pb2.Spec, _SPEC, prefix="spc", check=specs.check)
