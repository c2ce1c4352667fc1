"""Amounts of lines and shipping, worked out again from what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

from libs.money import contained, minor_unit, round_half_up, scale, without
from services.order.adapters.db.invariants.whole import Whole
from services.order.domain.checkout.amounts import with_own_tax
from services.order.domain.checkout.worksheet import LinePart, ShippingPart, Worksheet
from services.order.domain.discounts import Override, off
from services.order.domain.model import Line
from services.order.domain.price_steps import ByHand, Exempted, FromSchedule, MarkedUp, per_line, per_unit

_OF_THE_PART = (
    *("unit_price", "line_mark_up", "price_steps", "price_schedule_id"),
    *("subtotal", "discount", "discounts", "tax", "tax_rate", "tax_included", "included_tax"),
)


def _parts(whole: Whole) -> str | None:
    """A line's amounts are those of its part in the worksheet, and what was set by hand is what they say."""
    if not whole.order.calculated or not whole.lines:
        return None
    if whole.worksheet is None:
        return "calculated, and nothing was worked out"
    parts = {part.line_item_id: part for part in whole.worksheet.lines}
    unit = minor_unit(whole.order.currency)
    wrong = [name for line in whole.lines for name in _against_part(line, parts.get(line.id), unit)]
    if list(parts) != [line.id for line in sorted(whole.lines, key=lambda line: line.position)]:
        wrong.append("lines stand in another order")
    if len({line.position for line in whole.lines}) != len(whole.lines):
        wrong.append("two lines stand in one place")
    return "; ".join(wrong)


def _against_part(line: Line, part: LinePart | None, unit: int) -> Iterator[str]:
    if part is None:
        yield f"line {line.id} has no part"
        return
    for name in _OF_THE_PART:
        mine, worked_out = getattr(line, name), getattr(part, name)
        if mine != worked_out:
            yield f"line {line.id}: {name} {mine}, worked out as {worked_out}"
    if part.price_overridden is not (line.unit_price_override is not None):
        yield f"line {line.id}: its price is {'' if part.price_overridden else 'not '}set by hand"
    if line.unit_price_override not in (None, _unexempted(part)):
        yield f"line {line.id}: unit_price {line.unit_price}, set by hand to {line.unit_price_override}"
    yield from _against_steps(part)
    if part.price_steps and not part.price_overridden:
        marked = [(s.source.spec_id, s.source.option_id) for s in part.price_steps if isinstance(s.source, MarkedUp)]
        picked = [(c.spec_id, c.option_id) for c in line.choices if c.mark_up is not None]
        # A variant that has a price of its own has in it what its options would add.
        beside = [(c.spec_id, c.option_id) for c in line.choices if c.mark_up is not None and not c.defines_variant]
        if marked not in (picked, beside):
            yield f"line {line.id}: priced with {marked}, it has chosen {picked}"
    if part.discount != off(part.discounts):
        yield f"line {line.id}: discount {part.discount} of {[d.amount for d in part.discounts]}"
    by_hand = round_half_up(line.discount_override or 0, unit)
    if by_hand != off(d for d in part.discounts if isinstance(d.source, Override)):
        yield f"line {line.id}: discount_override {line.discount_override}, taken off as {part.discounts}"


def _unexempted(part: LinePart) -> int:
    """The price of a unit before the tax came off that an exempt buyer does not pay."""
    return part.unit_price - per_unit(step for step in part.price_steps if isinstance(step.source, Exempted))


def _against_exemption(part: LinePart) -> Iterator[str]:
    """What comes off is the tax that the price included, and nothing goes on from there."""
    *before, last = part.price_steps
    if not isinstance(last.source, Exempted):
        return
    rate = Decimal(last.source.tax_rate)
    made = tuple(without(amount, rate, 1) for amount in (per_unit(before), per_line(before)))
    if not before or made != (part.unit_price, part.line_mark_up) or part.tax_rate:
        yield f"line {part.line_item_id}: {part.unit_price} and {part.line_mark_up} less a tax of {rate}, its steps make {made}"


def _against_steps(part: LinePart) -> Iterator[str]:
    """Unit price and mark-up of the line are the sums of their steps, which begin with what the price is of."""
    steps = part.price_steps
    if not steps and not part.line_mark_up:
        return
    made = per_unit(steps), per_line(steps)
    if made != (part.unit_price, part.line_mark_up):
        yield f"line {part.line_item_id}: {part.unit_price} for a unit and {part.line_mark_up} once, its steps make {made}"
        return
    first, *more = (step.source for step in steps)
    exempted = bool(more) and isinstance(more[-1], Exempted)
    if exempted:
        more.pop()
        yield from _against_exemption(part)
    schedule = first.schedule_id if isinstance(first, FromSchedule) else ""
    if isinstance(first, FromSchedule | ByHand) and first.tax_included is not (part.tax_included or exempted):
        yield f"line {part.line_item_id}: its tax is {'' if part.tax_included else 'not '}included, its price says otherwise"
    if (schedule, isinstance(first, ByHand)) != (part.price_schedule_id, part.price_overridden):
        yield f"line {part.line_item_id}: its price begins with {first}, it is of schedule {part.price_schedule_id!r}"
    if not all(isinstance(source, MarkedUp) for source in more) or (more and part.price_overridden):
        yield f"line {part.line_item_id}: its price goes on with {more}"


def _quotes(whole: Whole) -> str | None:
    """The lines of an order that is being built cost what their steps make, and the order what its lines cost.

    Lines without a price have no steps, like those that an older version has left without one.
    """
    order, unit = whole.order, minor_unit(whole.order.currency)
    mine = [line for line in whole.lines if line.price_steps]
    if order.calculated or order.is_submitted or not mine:
        return None
    wrong = [text for line in mine for text in _against_part(line, _as_part(line), unit)]
    for line in mine:
        subtotal = round_half_up(line.unit_price * line.quantity + line.line_mark_up, unit)
        if line.subtotal != subtotal or not 0 <= line.discount <= subtotal:
            wrong.append(f"line {line.id}: subtotal and discount {line.subtotal} and {line.discount}, its price makes {subtotal}")
    sums = sum(line.subtotal for line in mine), sum(line.discount for line in mine)
    if len(mine) == len(whole.lines) and (order.subtotal, order.discount) != sums:
        wrong.append(f"subtotal and discount {order.subtotal} and {order.discount}, its lines make {sums}")
    return "; ".join(wrong)


def _as_part(line: Line) -> LinePart:
    return LinePart(
        line_item_id=line.id,
        **{name: getattr(line, name) for name in _OF_THE_PART},
        price_overridden=line.unit_price_override is not None,
    )


def _amounts(whole: Whole) -> str | None:
    """Subtotal = unit price x quantity + what is asked once, tax = rate x what is left of it, in the minor unit of the currency;
    where the price includes its tax none comes on top, and what is included is what the rate makes of the rest.

    A tax that was set for the whole order is shared as these taxes are.
    """
    sheet, order = whole.worksheet, whole.order
    if sheet is None or not order.calculated or not whole.lines:
        return None
    unit = minor_unit(order.currency)
    taxed = [replace(p, tax=_tax(p.subtotal - p.discount, p, unit)) for p in sheet.lines]
    freight = [replace(s, tax=_tax(s.net, s, unit)) for s in sheet.shipments]
    charged = [replace(fee, tax=scale(fee.amount, fee.tax_rate, unit) if fee.tax_rate else 0) for fee in order.fees]
    parts, shipments, fees = with_own_tax(order, taxed, freight, charged)
    taxes = {p.line_item_id: p.tax for p in parts}
    wrong: list[str] = []
    for line in whole.lines:
        subtotal = round_half_up(line.unit_price * line.quantity + line.line_mark_up, unit)
        tax = taxes.get(line.id, line.tax)
        if (line.subtotal, line.tax) != (subtotal, tax):
            wrong.append(f"line {line.id}: subtotal and tax {line.subtotal} and {line.tax}, its price makes {subtotal} and {tax}")
    for part in sheet.lines:
        if part.included_tax != _included(part.subtotal - part.discount, part, unit):
            wrong.append(f"line {part.line_item_id}: {part.included_tax} of {part.subtotal - part.discount} is tax")
    for stored, made in zip(sheet.shipments, shipments, strict=True):
        if stored.tax != made.tax:
            wrong.append(f"shipping {stored.ship_estimate_id}: tax {stored.tax}, its cost less discounts makes {made.tax}")
        if stored.included_tax != _included(stored.net, stored, unit):
            wrong.append(f"shipping {stored.ship_estimate_id}: {stored.included_tax} of {stored.net} is tax")
        if stored.net < 0 or any(d.amount <= 0 for d in stored.discounts):
            wrong.append(f"shipping {stored.ship_estimate_id}: discounts of {stored.discount} off {stored.cost}")
    for kept, fee in zip(order.fees, fees, strict=True):
        if kept.tax != fee.tax:
            wrong.append(f"fee {kept.id}: tax {kept.tax}, its amount makes {fee.tax}")
    return "; ".join(wrong)


def _tax(net: int, part: LinePart | ShippingPart, unit: int) -> int:
    return scale(net, part.tax_rate, unit) if part.tax_rate and not part.tax_included else 0


def _included(net: int, part: LinePart | ShippingPart, unit: int) -> int:
    return contained(net, part.tax_rate, unit) if part.tax_included else 0


def _shipping(whole: Whole) -> str | None:
    """Shipping costs what the chosen methods cost, unless a cost was set for the whole order."""
    sheet, order = whole.worksheet, whole.order
    if sheet is None or not order.calculated or not order.estimated or not sheet.estimates:
        return None
    unit = minor_unit(order.currency)
    chosen = {e.id: round_half_up(e.selected.cost, unit) for e in sheet.estimates if e.selected is not None}
    charged = {s.ship_estimate_id: s.cost + s.exempted_tax for s in sheet.shipments}
    if order.shipping_cost_override is not None or charged == chosen:
        return ""
    return f"shipping is charged as {charged}, the chosen methods cost {chosen}"


def _plan(whole: Whole) -> str | None:
    """Every unit comes from one place and travels in one estimate; a record that was asked for is the one."""
    sheet = whole.worksheet
    if sheet is None or not whole.order.estimated or not sheet.plan or not whole.lines:
        return None
    return "; ".join(text for line in whole.lines for text in _against_plan(line, sheet))


def _against_plan(line: Line, sheet: Worksheet) -> Iterator[str]:
    mine = [a for a in sheet.plan if a.line_item_id == line.id]
    planned = sum(a.quantity for a in mine)
    carried = sum(units for e in sheet.estimates for id, units in e.items if id == line.id)
    if planned != line.quantity or any(a.product_id != line.product_id for a in mine):
        yield f"line {line.id}: {line.quantity} of {line.product_id}, planned {planned} of {sorted({a.product_id for a in mine})}"
    if carried not in (0, line.quantity) or (line.product.shippable and not carried):
        yield f"line {line.id}: {line.quantity} units, {carried} in ship estimates"
    if line.inventory_record_id and any(a.inventory_record_id != line.inventory_record_id for a in mine):
        yield f"line {line.id}: asks for record {line.inventory_record_id}, planned from another"


def _versions(whole: Whole) -> str | None:
    """An order is estimated and calculated for the content that it has, or for an older one; a submitted one as it is."""
    o = whole.order
    newer = not 1 <= o.content_version <= o.version or max(o.estimated_version, o.calculated_version) > o.content_version
    stale = o.is_submitted and o.calculated_version != o.content_version
    if not newer and not stale:
        return ""
    return f"version {o.version}, content {o.content_version}, estimated {o.estimated_version}, calculated {o.calculated_version}"


RULES: dict[str, Callable[[Whole], str | None]] = {
    "line_amounts_follow_from_the_worksheet": _parts,
    "quotes_are_price_and_quantity": _quotes,
    "amounts_are_price_and_rate": _amounts,
    "shipping_costs_what_was_chosen": _shipping,
    "plan_is_of_the_lines": _plan,
    "versions_follow_each_other": _versions,
}
"""By name: None when the order is none of the rule's business, an empty text when it holds, else what is wrong."""
