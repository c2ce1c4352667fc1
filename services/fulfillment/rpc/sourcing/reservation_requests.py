"""Messages of the order service as values.

They come from Waybill itself, so only what would do harm is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from libs.errors import Violations
from libs.protoconv import address_plain, instant, money_micros, struct_plain
from services.fulfillment.application.sourcing.reserve_stock import Demand
from services.fulfillment.domain.sourcing.model import (
    MAX_LINES,
    MAX_QUANTITY,
    Address,
    Assignment,
    Customer,
    Line,
    Ranking,
    Strategy,
)
from services.fulfillment.domain.sourcing.stages import LOWEST_FREIGHT, MOST_STAGES, NAMES
from services.fulfillment.domain.supplier_orders.snapshot import OrderSnapshot, SnapshotLine
from services.fulfillment.domain.supplier_orders.supplier_order import LineSpec, SelectionItem, ShipSelection
from waybill.fulfillment.v1 import reasons, sourcing_pb2
from waybill.fulfillment.v1 import reservation_service_pb2 as pb
from waybill.type.v1 import address_pb2


def ranking_in(found: Violations, strategy: str, stages: Sequence[str]) -> Ranking:
    """Stages by name, or a strategy; where nothing is said, the default one."""
    if strategy and strategy not in set(Strategy):
        found.add("strategy", reasons.FIELD_INVALID, f"must be one of {', '.join(Strategy)}")
        return Strategy.DEFAULT_SUPPLIER
    if not stages:
        return Strategy(strategy or Strategy.DEFAULT_SUPPLIER)
    if strategy:
        found.add("stages", reasons.FIELD_INVALID, "must be empty where there is a strategy")
    if LOWEST_FREIGHT in stages[:-1]:
        found.add("stages", reasons.FIELD_INVALID, f"{LOWEST_FREIGHT} must be the last")
    if len(stages) > MOST_STAGES:
        found.add("stages", reasons.TOO_MANY_ITEMS, f"at most {MOST_STAGES}")
    for i, name in enumerate(stages[:MOST_STAGES]):
        found.require(f"stages[{i}]", name in NAMES, reasons.FIELD_INVALID, f"must be one of {', '.join(NAMES)}")
        found.require(f"stages[{i}]", name not in stages[:i], reasons.DUPLICATE_ITEM, "stands twice")
    return tuple(stages)


def order_key_in(found: Violations, order_key: str, attempt: int | None = None) -> None:
    """The names of a step: an order and an attempt."""
    if not order_key or len(order_key) > 36:
        found.add("order_key", reasons.FIELD_REQUIRED, "is the order's internal key")
    if attempt is not None and attempt < 1:
        found.add("attempt", reasons.VALUE_OUT_OF_RANGE, "must be 1 or more")


def lines_in(found: Violations, messages: Iterable[sourcing_pb2.SourcingLine]) -> tuple[Line, ...]:
    """Sourcing lines."""
    lines: list[Line] = []
    seen: set[str] = set()
    for n, m in enumerate(messages):
        if n >= MAX_LINES:
            found.add("lines", reasons.TOO_MANY_ITEMS, f"at most {MAX_LINES:,} lines")
            break
        field = f"lines[{n}]"
        if not m.line_item_id:
            found.add(f"{field}.line_item_id", reasons.FIELD_REQUIRED, "is required")
        elif m.line_item_id in seen:
            found.add(f"{field}.line_item_id", reasons.DUPLICATE_ITEM, "stands twice")
        if not m.product_id:
            found.add(f"{field}.product_id", reasons.FIELD_REQUIRED, "is required")
        if not 1 <= m.quantity <= MAX_QUANTITY:
            found.add(f"{field}.quantity", reasons.VALUE_OUT_OF_RANGE, f"must be 1 to {MAX_QUANTITY:,}")
        seen.add(m.line_item_id)
        lines.append(
            Line(
                line_item_id=m.line_item_id,
                product_id=m.product_id,
                quantity=m.quantity,
                default_supplier_id=m.default_supplier_id,
                supplier_ids=tuple(m.supplier_ids),
                ship_from_id=m.ship_from_id,
                track_inventory=m.track_inventory,
                shippable=m.shippable,
                pickup_location_id=m.pickup_location_id,
                inventory_record_id=m.inventory_record_id,
                variant_id=m.variant_id,
            )
        )
    return tuple(lines)


def demand_in(found: Violations, m: pb.ReserveStockRequest, customer: Customer) -> Demand:
    """A ReserveStockRequest."""
    order_key_in(found, m.order_key, m.attempt)
    lines = lines_in(found, m.lines)
    if not lines:
        found.add("lines", reasons.FIELD_REQUIRED, "at least one line")
    return Demand(
        m.order_key,
        m.attempt,
        instant(m.deadline),
        ranking_in(found, m.strategy, m.stages),
        lines,
        tuple(
            Assignment(
                line_item_id=a.line_item_id,
                product_id=a.product_id,
                quantity=a.quantity,
                supplier_id=a.supplier_id,
                ship_from_id=a.ship_from_id,
                record_key=None,
                record_id=a.inventory_record_id,
                variant_id=a.variant_id,
            )
            for a in m.plan
        ),
        customer,
    )


def snapshot_in(m: pb.OrderSnapshot) -> OrderSnapshot:
    """An OrderSnapshot."""
    return OrderSnapshot(
        order_key=m.order_key,
        order_id=m.order_id,
        buyer_id=m.buyer_id,
        user_id=m.user_id,
        client_id=m.client_id,
        currency=m.currency,
        lines=tuple(
            SnapshotLine(
                line_item_id=line.line_item_id,
                product_id=line.product_id,
                product_name=line.product_name,
                variant_id=line.variant_id,
                cost_center=line.cost_center,
                shipping_account=line.shipping_account,
                comments=line.comments,
                date_needed=instant(line.date_needed) if line.HasField("date_needed") else None,
                specs=tuple(LineSpec(s.spec_id, s.name, s.option_id, s.option_name, s.value) for s in line.specs),
                quantity=line.quantity,
                unit_price=money_micros(line.unit_price),
                subtotal=money_micros(line.subtotal),
                discount=money_micros(line.discount),
                tax=money_micros(line.tax),
                included_tax=money_micros(line.included_tax),
                shippable=line.shippable,
                default_supplier_id=line.default_supplier_id,
                shipping_address=_address(line.HasField("shipping_address"), line.shipping_address),
                pickup_location_id=line.pickup_location_id,
                xp=struct_plain(line.xp),
            )
            for line in m.lines
        ),
        shipping=tuple(
            ShipSelection(
                ship_estimate_id=s.ship_estimate_id,
                ship_method_id=s.ship_method_id,
                ship_method_name=s.ship_method_name,
                carrier_id=s.carrier_id,
                cost=money_micros(s.cost),
                tax=money_micros(s.tax),
                included_tax=money_micros(s.included_tax),
                pickup=s.pickup,
                items=tuple(SelectionItem(i.line_item_id, i.quantity, i.supplier_id) for i in s.items),
            )
            for s in m.shipping
        ),
        shipping_cost=money_micros(m.shipping_cost),
        tax=money_micros(m.tax),
        shipping_address=_address(m.HasField("shipping_address"), m.shipping_address),
        billing_address=_address(m.HasField("billing_address"), m.billing_address),
        comments=m.comments,
        xp=struct_plain(m.xp),
        costs=_costs(m.costs),
    )


def _costs(messages: Iterable[pb.OrderSnapshotCost]) -> dict[str, dict[str, int]]:
    """Unit costs by line and supplier."""
    found: dict[str, dict[str, int]] = {}
    for m in messages:
        found.setdefault(m.line_item_id, {})[m.supplier_id] = money_micros(m.unit_cost)
    return found


def _address(given: bool, message: address_pb2.Address) -> Address | None:
    return address_plain(message) if given else None
