"""The worksheet as a message."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from libs.protoconv import address_out, decimal_out, money_out, time_out, xp_out
from services.order.application.checkout.worksheets import Sheet
from services.order.domain.checkout.worksheet import Estimate, LinePart
from services.order.rpc.convert_out import lines_out, order_out
from waybill.fulfillment.v1 import sourcing_pb2
from waybill.order.v1 import worksheet_pb2
from waybill.pricing.v1 import pricing_pb2 as pricing_pb
from waybill.shipping.v1 import shipping_service_pb2 as shipping_pb
from waybill.type.v1.address_pb2 import Address


def worksheet_out(sheet: Sheet) -> worksheet_pb2.OrderWorksheet:
    """Order, lines, plan, estimates and calculation."""
    worksheet, cur = sheet.worksheet, sheet.order.currency
    made = worksheet_pb2.OrderWorksheet(
        order=order_out(sheet.order),
        line_items=lines_out(sheet.order, sheet.lines),
        sourcing_plan=[
            sourcing_pb2.SourcingAssignment(
                line_item_id=a.line_item_id,
                product_id=a.product_id,
                quantity=a.quantity,
                supplier_id=a.supplier_id,
                ship_from_id=a.ship_from_id,
                inventory_record_id=a.inventory_record_id,
                ship_from=address_out(Address, a.ship_from),
            )
            for a in worksheet.plan
        ],
        ship_estimates=[_estimate(e, cur) for e in worksheet.estimates],
        ship_estimates_current=sheet.order.estimated,
        estimate_time=time_out(worksheet.estimate_time),
    )
    if worksheet.price_time is not None:
        made.calculation.CopyFrom(
            worksheet_pb2.OrderCalculation(
                lines=[_part(p, cur) for p in worksheet.lines],
                shipments=[
                    pricing_pb.PricedShipment(
                        ship_estimate_id=s.ship_estimate_id,
                        cost=money_out(s.cost, cur),
                        tax=money_out(s.tax, cur),
                        tax_rate=decimal_out(s.tax_rate),
                    )
                    for s in worksheet.shipments
                ],
                price_time=time_out(worksheet.price_time),
                current=sheet.order.calculated,
            )
        )
    return made


def _estimate(e: Estimate, currency: str) -> worksheet_pb2.WorksheetShipEstimate:
    return worksheet_pb2.WorksheetShipEstimate(
        estimate=shipping_pb.ShipEstimate(
            id=e.id,
            supplier_id=e.supplier_id,
            ship_from_id=e.ship_from_id,
            items=[shipping_pb.ShipEstimateItem(line_item_id=line, quantity=q) for line, q in e.items],
            ship_methods=[
                shipping_pb.ShipEstimateMethod(
                    id=m.id,
                    name=m.name,
                    carrier_id=m.carrier_id,
                    cost=money_out(m.cost, currency),
                    min_lead_time=Duration(seconds=m.min_lead_seconds),
                    max_lead_time=Duration(seconds=m.max_lead_seconds),
                    pickup=m.pickup,
                    xp=xp_out(m.xp),
                )
                for m in e.methods
            ],
            grouping=e.grouping,
            weight_kg=decimal_out(e.weight_kg),
        ),
        selected_ship_method_id=e.selected_method_id,
    )


def _part(p: LinePart, currency: str) -> pricing_pb.PricedLine:
    return pricing_pb.PricedLine(
        line_item_id=p.line_item_id,
        unit_price=money_out(p.unit_price, currency),
        subtotal=money_out(p.subtotal, currency),
        discounts=[pricing_pb.LineDiscount(source=s, amount=money_out(a, currency)) for s, a in p.discounts],
        discount=money_out(p.discount, currency),
        tax=money_out(p.tax, currency),
        tax_rate=decimal_out(p.tax_rate),
        price_schedule_id=p.price_schedule_id,
        price_overridden=p.price_overridden,
        on_sale=p.on_sale,
    )
