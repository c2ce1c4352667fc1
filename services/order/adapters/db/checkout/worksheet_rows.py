"""The worksheet as JSON: compact lists, in the order of the fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.order.adapters.db.discount_rows import discounts_json, discounts_of
from services.order.adapters.db.price_step_rows import price_steps_json, price_steps_of
from services.order.domain.checkout.worksheet import Assignment, Estimate, LineCost, LinePart, Method, ShippingPart, Worksheet


def worksheet_json(sheet: Worksheet) -> dict[str, Any]:
    """What is stored."""
    return {
        "plan": [
            [
                *(a.line_item_id, a.product_id, a.quantity, a.supplier_id, a.ship_from_id, a.inventory_record_id, a.ship_from),
                *((a.backordered, a.expected_time.isoformat() if a.expected_time else None) if a.backordered else ()),
            ]
            for a in sheet.plan
        ],
        "estimates": [
            [
                e.id,
                e.supplier_id,
                e.ship_from_id,
                e.items,
                [
                    [
                        *(m.id, m.name, m.carrier_id, m.cost, m.min_lead_seconds, m.max_lead_seconds, m.pickup, dict(m.xp)),
                        m.tax_included,
                    ]
                    for m in e.methods
                ],
                e.grouping,
                str(e.weight_kg),
                e.selected_method_id,
            ]
            for e in sheet.estimates
        ],
        "estimate_time": sheet.estimate_time.isoformat() if sheet.estimate_time else None,
        "lines": [
            [
                p.line_item_id,
                p.unit_price,
                p.subtotal,
                discounts_json(p.discounts),
                p.discount,
                p.tax,
                str(p.tax_rate),
                p.price_schedule_id,
                p.price_overridden,
                p.on_sale,
                p.line_mark_up,
                price_steps_json(p.price_steps),
                p.tax_included,
                p.included_tax,
            ]
            for p in sheet.lines
        ],
        "shipments": [
            [
                *(s.ship_estimate_id, s.cost, s.tax, str(s.tax_rate), discounts_json(s.discounts)),
                *(s.tax_included, s.included_tax, s.exempted_tax),
            ]
            for s in sheet.shipments
        ],
        "price_time": sheet.price_time.isoformat() if sheet.price_time else None,
        **({"costs": [[c.line_item_id, c.supplier_id, c.unit_cost] for c in sheet.costs]} if sheet.costs else {}),
    }


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def worksheet_of(stored: Mapping[str, Any]) -> Worksheet:
    """What was stored."""
    return Worksheet(
        plan=tuple(_assignment(item) for item in stored["plan"]),
        estimates=tuple(_estimate(item) for item in stored["estimates"]),
        estimate_time=_time(stored["estimate_time"]),
        lines=tuple(_line_part(item) for item in stored["lines"]),
        shipments=tuple(_shipping_part(*item) for item in stored["shipments"]),
        price_time=_time(stored["price_time"]),
        costs=tuple(LineCost(*item) for item in stored.get("costs", ())),
    )


def _assignment(item: list[Any]) -> Assignment:
    # Units that are backordered are said where there are some.
    line, product, units, supplier, origin, record, address, *waiting = item
    backordered, expected = waiting or (0, None)
    return Assignment(line, product, units, supplier, origin, record, address, backordered, _time(expected))


def _estimate(item: list[Any]) -> Estimate:
    id, supplier_id, ship_from_id, items, methods, grouping, weight, selected = item
    return Estimate(
        id=id,
        supplier_id=supplier_id,
        ship_from_id=ship_from_id,
        items=tuple((line, quantity) for line, quantity in items),
        methods=tuple(Method(*m) for m in methods),
        grouping=grouping,
        weight_kg=Decimal(weight),
        selected_method_id=selected,
    )


def _shipping_part(estimate: str, cost: int, tax: int, rate: str, discounts: Sequence[Any] = (), *taxed: Any) -> ShippingPart:
    # Shipping had no discounts once, and no cost included its tax: what was stored then has neither.
    return ShippingPart(estimate, cost, tax, Decimal(rate), discounts_of(discounts), *taxed)


def _line_part(item: list[Any]) -> LinePart:
    line, price, subtotal, discounts, discount, tax, rate, schedule, overridden, on_sale, *later = item
    # Prices had no steps once, and none included its tax: what was stored then has neither.
    mark_up, steps, *taxed = later or (0, ())
    tax_included, included_tax = taxed or (False, 0)
    return LinePart(
        line_item_id=line,
        unit_price=price,
        subtotal=subtotal,
        discounts=discounts_of(discounts),
        discount=discount,
        tax=tax,
        tax_rate=Decimal(rate),
        price_schedule_id=schedule,
        price_overridden=overridden,
        on_sale=on_sale,
        line_mark_up=mark_up,
        price_steps=price_steps_of(steps),
        tax_included=tax_included,
        included_tax=included_tax,
    )
