"""Lines of buyer orders as messages: what they cost, and how that came about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from libs.protoconv import address_out, decimal_out, money_out, time_out, xp_out
from services.order.application.reading.read_orders import Allocations
from services.order.application.records import LineSum, SupplierOrderView
from services.order.contract.mark_ups import mark_up_out
from services.order.domain.choice import Choice
from services.order.domain.discounts import Discount, Override, Promoted
from services.order.domain.model import Line, Order
from services.order.domain.price_steps import ByHand, Exempted, FromSchedule, MarkedUp, PriceStep
from services.order.domain.product_snapshot import ProductSnapshot
from services.order.domain.progress.fulfillment import open_units
from waybill.order.v1 import discount_pb2, line_item_pb2, line_item_service_pb2, price_step_pb2
from waybill.type.v1.address_pb2 import Address
from waybill.type.v1.price_mark_up_pb2 import PriceMarkUpType


def lines_out(order: Order, lines: Iterable[Line], allocations: Allocations | None = None) -> list[line_item_pb2.LineItem]:
    """Lines of a buyer order."""
    known = allocations or {}
    return [line_out(line, order.currency, order.is_submitted, known.get(line.id, ())) for line in lines]


def discount_out(discount: Discount, currency: str) -> discount_pb2.Discount:
    """A discount with what gave it."""
    made = discount_pb2.Discount(amount=money_out(discount.amount, currency))
    match discount.source:
        case Override():
            made.override.SetInParent()
        case Promoted(promotion_id, code):
            made.promotion.promotion_id, made.promotion.code = promotion_id, code
        case _ as unreachable:
            assert_never(unreachable)
    return made


def price_step_out(step: PriceStep, currency: str) -> price_step_pb2.PriceStep:
    """A step of a price with what it is."""
    made = price_step_pb2.PriceStep(unit_amount=money_out(step.unit, currency))
    if step.line:
        made.line_amount.CopyFrom(money_out(step.line, currency))
    match step.source:
        case FromSchedule() as taken:
            made.schedule.price_schedule_id = taken.schedule_id
            made.schedule.break_quantity = taken.break_quantity
            made.schedule.counted_quantity = taken.counted_quantity
            made.schedule.on_sale = taken.on_sale
            made.schedule.tax_included = taken.tax_included
        case MarkedUp() as option:
            made.mark_up.spec_id, made.mark_up.option_id = option.spec_id, option.option_id
            made.mark_up.type = PriceMarkUpType.Value(f"PRICE_MARK_UP_TYPE_{option.type}")
            if option.percentage:
                made.mark_up.percentage.value = option.percentage
        case ByHand() as by_hand:
            made.override.SetInParent()
            made.override.tax_included = by_hand.tax_included
        case Exempted() as exempted:
            made.exemption.certificate_id = exempted.certificate_id
            made.exemption.tax_rate.value = exempted.tax_rate
        case _ as unreachable:
            assert_never(unreachable)
    return made


def line_out(
    line: Line, cur: str, submitted: bool, allocations: Sequence[tuple[SupplierOrderView, int, int, int]] = ()
) -> line_item_pb2.LineItem:
    """A line of a buyer order in this currency."""
    made = line_item_pb2.LineItem(
        id=line.id,
        product_id=line.product_id,
        quantity=line.quantity,
        product=_product_out(line.product),
        unit_price=money_out(line.unit_price, cur),
        line_mark_up=money_out(line.line_mark_up, cur),
        price_steps=[price_step_out(step, cur) for step in line.price_steps],
        subtotal=money_out(line.subtotal, cur),
        discount=money_out(line.discount, cur),
        discounts=[discount_out(d, cur) for d in line.discounts],
        tax=money_out(line.tax, cur),
        total=money_out(line.total, cur),
        tax_rate=decimal_out(line.tax_rate),
        price_schedule_id=line.price_schedule_id,
        shipping_address_id=line.shipping_address_id,
        shipping_address=address_out(Address, line.shipping_address),
        pickup_location_id=line.pickup_location_id,
        inventory_record_id=line.inventory_record_id,
        quantity_shipped=line.quantity_shipped,
        quantity_canceled=line.quantity_canceled,
        quantity_open=open_units(line) if submitted else 0,
        allocations=[
            line_item_pb2.LineItemAllocation(
                supplier_order_id=view.id,
                supplier_id=view.supplier_id,
                quantity=quantity,
                quantity_shipped=shipped,
                quantity_canceled=canceled,
            )
            for view, quantity, shipped, canceled in allocations
        ],
        date_needed=time_out(line.date_needed),
        cost_center=line.cost_center,
        shipping_account=line.shipping_account,
        comments=line.comments,
        variant_id=line.variant_id,
        specs=[_choice_out(choice) for choice in line.choices],
        xp=xp_out(line.xp),
        create_time=time_out(line.create_time),
        tax_included=line.tax_included,
        included_tax=money_out(line.included_tax, cur),
        quantity_backordered=line.quantity_backordered,
        expected_time=time_out(line.expected_time),
    )
    if line.unit_price_override is not None:
        made.unit_price_override.CopyFrom(money_out(line.unit_price_override, cur))
    if line.discount_override is not None:
        made.discount_override.CopyFrom(money_out(line.discount_override, cur))
    return made


def sum_out(found: LineSum) -> line_item_service_pb2.LineItemSum:
    """What lines of one cost center and one currency come to."""
    return line_item_service_pb2.LineItemSum(
        cost_center=found.cost_center,
        currency=found.currency,
        line_item_count=found.lines,
        quantity=found.quantity,
        subtotal=money_out(found.subtotal, found.currency),
        discount=money_out(found.discount, found.currency),
        tax=money_out(found.tax, found.currency),
        total=money_out(found.subtotal - found.discount + found.tax, found.currency),
    )


def _choice_out(choice: Choice) -> line_item_pb2.LineItemSpec:
    return line_item_pb2.LineItemSpec(
        spec_id=choice.spec_id,
        option_id=choice.option_id,
        value=choice.value,
        name=choice.name,
        option_name=choice.option_name,
        mark_up=None if choice.mark_up is None else mark_up_out(choice.mark_up),
    )


def _product_out(product: ProductSnapshot) -> line_item_pb2.LineItemProduct:
    return line_item_pb2.LineItemProduct(
        name=product.name,
        default_supplier_id=product.default_supplier_id,
        supplier_ids=product.supplier_ids,
        ship_from_address_id=product.ship_from_address_id,
        shippable=product.shippable,
        track_inventory=product.track_inventory,
        tax_class=product.tax_class,
        weight_kg=decimal_out(product.weight_kg),
        quantity_multiplier=product.quantity_multiplier,
        etag=product.etag,
        returnable=product.returnable,
        variant_stock=product.variant_stock,
        variant_name=product.variant_name,
        auto_forward=product.auto_forward,
    )
