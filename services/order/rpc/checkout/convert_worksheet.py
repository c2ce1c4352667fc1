"""The worksheet as a message, as far as its reader may see it."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from libs.auth import Principal
from libs.protoconv import address_out, decimal_out, money_out, time_out, xp_out
from services.order.application.checkout.worksheets import Sheet
from services.order.domain.checkout.backorders import backorders
from services.order.domain.checkout.worksheet import Assignment, Estimate, LinePart, Method, ShippingPart, Worksheet
from services.order.rpc.convert_lines import discount_out, lines_out, price_step_out
from services.order.rpc.convert_out import order_out
from waybill.order.v1 import worksheet_pb2 as pb
from waybill.type.v1.address_pb2 import Address


def worksheet_out(sheet: Sheet, reader: Principal) -> pb.OrderWorksheet:
    """Order, lines, estimates and calculation. Where units come from is the seller's business alone: to others the plan is
    empty, and no estimate names its origin."""
    worksheet, cur, whole = sheet.worksheet, sheet.order.currency, reader.is_seller
    return pb.OrderWorksheet(
        order=order_out(sheet.order),
        line_items=lines_out(sheet.order, sheet.lines),
        sourcing_plan=[assignment_out(a) for a in worksheet.plan] if whole else (),
        backorders=[
            pb.LineBackorder(line_item_id=b.line_item_id, quantity_backordered=b.units, expected_time=time_out(b.expected_time))
            for b in backorders(worksheet.plan)
        ],
        ship_estimates=[_estimate(e, cur, whole) for e in worksheet.estimates],
        ship_estimates_current=sheet.order.estimated,
        estimate_time=time_out(worksheet.estimate_time),
        calculation=None if worksheet.price_time is None else _calculation(worksheet, cur, sheet.order.calculated),
    )


def assignment_out(a: Assignment, with_origin: bool = True) -> pb.SourcingAssignment:
    """Where a quantity of a line comes from, with the address of its origin or without it."""
    return pb.SourcingAssignment(
        line_item_id=a.line_item_id,
        product_id=a.product_id,
        quantity=a.quantity,
        supplier_id=a.supplier_id,
        ship_from_id=a.ship_from_id,
        inventory_record_id=a.inventory_record_id,
        ship_from=address_out(Address, a.ship_from) if with_origin else None,
        quantity_backordered=a.backordered,
        expected_time=time_out(a.expected_time),
    )


def _estimate(e: Estimate, currency: str, whole: bool) -> pb.ShipEstimate:
    return pb.ShipEstimate(
        id=e.id,
        supplier_id=e.supplier_id,
        ship_from_id=e.ship_from_id if whole else "",
        items=[pb.ShipEstimateItem(line_item_id=line, quantity=units) for line, units in e.items],
        ship_methods=[_method(m, currency) for m in e.methods],
        grouping=e.grouping,
        weight_kg=decimal_out(e.weight_kg),
        selected_ship_method_id=e.selected_method_id,
    )


def _method(m: Method, currency: str) -> pb.ShipEstimateMethod:
    return pb.ShipEstimateMethod(
        id=m.id,
        name=m.name,
        carrier_id=m.carrier_id,
        cost=money_out(m.cost, currency),
        min_lead_time=Duration(seconds=m.min_lead_seconds),
        max_lead_time=Duration(seconds=m.max_lead_seconds),
        pickup=m.pickup,
        xp=xp_out(m.xp),
        tax_included=m.tax_included,
    )


def _calculation(worksheet: Worksheet, currency: str, current: bool) -> pb.OrderCalculation:
    return pb.OrderCalculation(
        lines=[_line_part(p, currency) for p in worksheet.lines],
        shipments=[_shipping_part(s, currency) for s in worksheet.shipments],
        price_time=time_out(worksheet.price_time),
        current=current,
    )


def _line_part(p: LinePart, currency: str) -> pb.CalculatedLine:
    return pb.CalculatedLine(
        line_item_id=p.line_item_id,
        unit_price=money_out(p.unit_price, currency),
        subtotal=money_out(p.subtotal, currency),
        discounts=[discount_out(d, currency) for d in p.discounts],
        discount=money_out(p.discount, currency),
        tax=money_out(p.tax, currency),
        tax_rate=decimal_out(p.tax_rate),
        price_schedule_id=p.price_schedule_id,
        price_overridden=p.price_overridden,
        on_sale=p.on_sale,
        line_mark_up=money_out(p.line_mark_up, currency),
        price_steps=[price_step_out(step, currency) for step in p.price_steps],
        tax_included=p.tax_included,
        included_tax=money_out(p.included_tax, currency),
    )


def _shipping_part(s: ShippingPart, currency: str) -> pb.CalculatedShipment:
    return pb.CalculatedShipment(
        ship_estimate_id=s.ship_estimate_id,
        cost=money_out(s.cost, currency),
        discounts=[discount_out(d, currency) for d in s.discounts],
        discount=money_out(s.discount, currency),
        tax=money_out(s.tax, currency),
        tax_rate=decimal_out(s.tax_rate),
        tax_included=s.tax_included,
        included_tax=money_out(s.included_tax, currency),
        exempted_tax=money_out(s.exempted_tax, currency),
    )
