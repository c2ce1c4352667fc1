"""What lines cost while an order is built: their prices and discounts, without tax. A calculation works all amounts out anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from libs.money import MICRO
from services.order.domain.building.choices import Chosen
from services.order.domain.building.drafts import LineDraft
from services.order.domain.checkout.amounts import with_part
from services.order.domain.checkout.worksheet import LinePart
from services.order.domain.choice import Choice, MarkUp
from services.order.domain.model import Line, Order, Problem
from waybill.order.v1 import reasons

LARGEST = 10**12 * MICRO
"""What the lines of an order may come to; pricing calculates no more, and sums fit 64 bits."""
DECIDING = ("quantity", "unit_price_override", "discount_override")
"""Fields of a line that decide its price and that may change."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A mark-up, and the choice that it comes from."""

    spec_id: str
    option_id: str
    mark_up: MarkUp
    defines_variant: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides the price of a line, together with the other lines of the product: these count for price breaks, too."""

    product_id: str
    quantity: int
    unit_price_override: int | None = None
    discount_override: int | None = None
    mark_ups: tuple[Marked, ...] = ()
    variant_id: str = ""


def asked(line: Line) -> Asked:
    """What the price of a line is asked with."""
    its = marked(line.choices)
    return Asked(line.product_id, line.quantity, line.unit_price_override, line.discount_override, its, line.variant_id)


def asked_for(draft: LineDraft, made: Chosen) -> Asked:
    """What the price of a line that is to be is asked with: also the variant that its choices make."""
    its, variant = marked(made.choices), "" if made.variant is None else made.variant.id
    return Asked(draft.product_id, draft.quantity, draft.unit_price_override, draft.discount_override, its, variant)


def marked(choices: Sequence[Choice]) -> tuple[Marked, ...]:
    """Those of the choices that add to the price."""
    return tuple(Marked(c.spec_id, c.option_id, c.mark_up, c.defines_variant) for c in choices if c.mark_up is not None)


def asked_anew(
    lines: Sequence[Line], drafts: Sequence[LineDraft], paths: Collection[str], chosen: Collection[str] = ()
) -> list[Asked]:
    """What prices are asked with when some of an order's lines are changed: all lines of the products whose prices the change may
    decide. Drafts of lines that are not there are passed over; `chosen` are ids of lines that have other choices already."""
    deciding = [path for path in DECIDING if path in paths]
    new = {draft.id: {path: getattr(draft, path) for path in deciding} for draft in drafts if deciding or draft.id in chosen}
    products = {line.product_id for line in lines if line.id in new}
    return [replace(asked(line), **new.get(line.id, {})) for line in lines if line.product_id in products]


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices of all lines that an order has of some products, in their order: of each line its part, or why it has none."""

    asked: tuple[Asked, ...] = ()
    answers: tuple[LinePart | Problem, ...] = ()

    def is_of(self, lines: Sequence[Line]) -> bool:
        """Whether it is what these lines of an order, all that it has, are asked with. They may have changed since."""
        products = {one.product_id for one in self.asked}
        return tuple(asked(line) for line in lines if line.product_id in products) == self.asked

    def taken(self, lines: Sequence[Line]) -> tuple[tuple[Line, ...], tuple[Problem, ...]]:
        """All lines of the order that it `is_of`, those of its products with their amounts or with none; and why with none."""
        products = {one.product_id for one in self.asked}
        room = LARGEST - sum(line.subtotal for line in lines if line.product_id not in products)
        answers = iter(self.answers)
        made: list[Line] = []
        problems: list[Problem] = []
        for line in lines:
            answer = next(answers) if line.product_id in products else None
            if isinstance(answer, LinePart) and answer.subtotal > room:
                text = "the order's lines come to more than 10^12 units of the currency with this one"
                answer = Problem(reasons.VALUE_OUT_OF_RANGE, "order", "", text)
            if isinstance(answer, LinePart):
                room -= answer.subtotal
                line = with_part(line, answer)
            elif answer is not None:
                problems.append(replace(answer, subject=f"line_items[{line.id}]"))
                line = _without_price(line)
            made.append(line)
        return tuple(made), tuple(problems)


def _without_price(line: Line) -> Line:
    return replace(
        line,
        unit_price=0,
        subtotal=0,
        discount=0,
        discounts=(),
        tax=0,
        tax_rate=Decimal(0),
        price_schedule_id="",
        line_mark_up=0,
        price_steps=(),
        tax_included=False,
        included_tax=0,
    )


def with_sums(order: Order, lines: Sequence[Line]) -> Order:
    """The order with the sums of its lines; shipping and tax are those of the last calculation, fees and a gratuity stay."""
    subtotal, discount = sum(line.subtotal for line in lines), sum(line.discount for line in lines)
    total = subtotal - discount + order.shipping_cost + order.tax + order.fee_total + order.gratuity
    return replace(order, subtotal=subtotal, discount=discount, total=total)
