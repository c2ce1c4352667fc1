"""What a change makes of single lines, and what the prices of new and changed ones are asked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from libs.errors import Violations
from libs.protoconv import merge_xp, xp_size_ok
from services.order.application.building.build_order import resolve_address
from services.order.application.peers import CatalogProduct, OrderingContext
from services.order.domain.building.choices import NOTHING, chosen, rechosen
from services.order.domain.building.drafts import LineDraft, check_date_needed
from services.order.domain.building.products import Article
from services.order.domain.checkout.quotes import Asked, asked_for
from services.order.domain.model import Line
from waybill.order.v1 import reasons

_AS_GIVEN = (
    "pickup_location_id",
    "inventory_record_id",
    "unit_price_override",
    "discount_override",
    "date_needed",
    "cost_center",
    "shipping_account",
    "comments",
)
"""Fields that stand as a caller gives them: see `changed_line`."""
CHOICES = frozenset({"variant_id", "specs"})
"""Fields that say what is chosen of the product."""
PATHS = frozenset({"quantity", "shipping_address_id", "shipping_address", "xp", *CHOICES, *_AS_GIVEN})


def changed_line(
    found: Violations,
    i: int,
    draft: LineDraft,
    existing: dict[str, Line],
    paths: Sequence[str],
    context: OrderingContext | None,
    articles: Mapping[str, Article],
    now: datetime,
) -> Line | None:
    where = f"line_items[{i}]"
    line = existing.get(draft.id)
    if line is None:
        found.add(f"{where}.id", reasons.LINE_ITEM_NOT_FOUND, f"the order has no line {draft.id!r}")
        return None
    if "quantity" in paths:
        line = replace(line, quantity=draft.quantity)
    if context is not None:
        id, address = resolve_address(
            found, f"{where}.shipping_address", draft.shipping_address_id, draft.shipping_address, context
        )
        line = replace(line, shipping_address_id=id, shipping_address=address)
    if CHOICES & set(paths):
        line = _rechosen(found, where, draft, line, paths, articles.get(line.product_id))
    if "date_needed" in paths:
        check_date_needed(found, where, draft.date_needed, now)
    if "xp" in paths:
        line = replace(line, xp=merge_xp(line.xp, draft.xp))
        xp_size_ok(found, f"{where}.xp", line.xp)

    def given(name: str) -> LineDraft | Line:
        return draft if name in paths else line

    return replace(
        line,
        pickup_location_id=given("pickup_location_id").pickup_location_id,
        inventory_record_id=given("inventory_record_id").inventory_record_id,
        unit_price_override=given("unit_price_override").unit_price_override,
        discount_override=given("discount_override").discount_override,
        date_needed=given("date_needed").date_needed,
        cost_center=given("cost_center").cost_center,
        shipping_account=given("shipping_account").shipping_account,
        comments=given("comments").comments,
    )


def asked_of(draft: LineDraft, catalog: Mapping[str, CatalogProduct]) -> Asked:
    """What the price of a new line is asked with; what is wrong with its choices is found when the line is made."""
    product = catalog.get(draft.product_id)
    if product is None:
        return asked_for(draft, NOTHING)
    return asked_for(draft, chosen(Violations(), "", product.article.offered, draft.specs, draft.variant_id))


def rechosen_lines(
    lines: Sequence[Line], drafts: Sequence[LineDraft], paths: Sequence[str], articles: Mapping[str, Article]
) -> list[Line]:
    """The lines as their drafts would have them; what is wrong with these is found when the lines are changed."""
    by_id = {draft.id: draft for draft in drafts}
    return [
        _rechosen(Violations(), "", by_id[line.id], line, paths, articles.get(line.product_id)) if line.id in by_id else line
        for line in lines
    ]


def _rechosen(found: Violations, where: str, draft: LineDraft, line: Line, paths: Sequence[str], article: Article | None) -> Line:
    if article is None:
        found.add(f"{where}.product_id", reasons.PRODUCT_NOT_FOUND, f"there is no product {line.product_id!r} any more")
        return line
    said, variant_id = draft.specs if "specs" in paths else None, draft.variant_id if "variant_id" in paths else None
    made = rechosen(found, where, article.offered, line, said, variant_id)
    variant = made.variant
    return replace(
        line, product=article.as_chosen(variant), choices=made.choices, variant_id="" if variant is None else variant.id
    )
