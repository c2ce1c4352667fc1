"""What of a product an order is built on: the fields and choices that decide an amount, a source or a way to ship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from libs.errors import Violations
from libs.identify import folded
from services.order.domain.building.choices import Chosen, Range, Said, Variant, chosen
from services.order.domain.model import Line
from services.order.domain.product_snapshot import ProductSnapshot
from waybill.order.v1 import reasons

STANDARD_CLASS = "standard"
NO_RANGE = Range()
"""Of a product without specs."""


@dataclass(frozen=True, slots=True)
class Article:
    """A product as the catalog has it now, and what there is to choose of it."""

    snapshot: ProductSnapshot
    offered: Range = NO_RANGE

    def as_chosen(self, variant: Variant | None) -> ProductSnapshot:
        """What a line of the variant remembers: where the variant says something of its own, that."""
        if variant is None:
            return self.snapshot
        weight = self.snapshot.weight_kg if variant.weight_kg is None else variant.weight_kg
        return replace(self.snapshot, weight_kg=weight, variant_name=variant.name)

    def judged(self, line: Line) -> Judged:
        """What the line has chosen, as it is today."""
        found = Violations()
        said = [Said(choice.spec_id, choice.option_id, choice.value) for choice in line.choices]
        now = chosen(found, "", self.offered, said, line.variant_id)
        wrong = {item.reason for item in found.items}
        return Judged(now, bool(wrong - {reasons.VARIANT_INACTIVE}), reasons.VARIANT_INACTIVE in wrong)


@dataclass(frozen=True, slots=True)
class Judged:
    """Choices of a line, today."""

    now: Chosen
    gone: bool
    """Whether something of it can be chosen no more."""
    switched_off: bool
    """Whether the variant may not be ordered any more."""


def _sources(product: ProductSnapshot) -> dict[str, object]:
    """What sourcing and shipping look at."""
    return {
        "default_supplier_id": product.default_supplier_id,
        "supplier_ids": frozenset(product.supplier_ids),
        "ship_from_address_id": product.ship_from_address_id,
        "shippable": product.shippable,
        "track_inventory": product.track_inventory,
        "variant_stock": product.variant_stock,
        "weight_kg": product.weight_kg,
    }


def _deciding(product: ProductSnapshot) -> dict[str, object]:
    """All of it; a name or a multiplier for display decides nothing."""
    return {**_sources(product), "tax_class": folded(product.tax_class) or STANDARD_CLASS}


def changes(line: Line, present: Article, judged: Judged) -> list[str]:
    """Names of what differs by now of what the line was built on; `judged` are its choices by the article."""
    if judged.gone:
        return ["specs"]
    now = judged.now
    before, after = _deciding(line.product), _deciding(present.as_chosen(now.variant))
    names = [name for name, value in before.items() if value != after[name]]
    then, today = ([(c.spec_id, c.option_id, c.value) for c in choices] for choices in (line.choices, now.choices))
    if then != today:
        names.append("specs")
    elif [choice.mark_up for choice in line.choices] != [choice.mark_up for choice in now.choices]:
        names.append("mark_ups")
    return names


def renewed(lines: Sequence[Line], present: Mapping[str, Article]) -> tuple[Line, ...]:
    """The lines with their products and choices as they are now; what is gone stays as it was remembered: a submit reports it."""
    return tuple(_renewed(line, present.get(line.product_id)) for line in lines)


def _renewed(line: Line, article: Article | None) -> Line:
    if article is None:
        return line
    judged = article.judged(line)
    if judged.gone:
        kept = replace(article.snapshot, weight_kg=line.product.weight_kg, variant_name=line.product.variant_name)
        return replace(line, product=kept)
    return replace(line, product=article.as_chosen(judged.now.variant), choices=judged.now.choices)


def sourced_otherwise(before: Sequence[Line], after: Sequence[Line]) -> bool:
    """Whether sourcing or shipping would look at something else than before. Both are the same lines in the same order."""
    return any(_sources(a.product) != _sources(b.product) for a, b in zip(before, after, strict=True))
