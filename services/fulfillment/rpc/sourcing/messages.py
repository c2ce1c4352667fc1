"""Outcomes of sourcing as messages."""

from __future__ import annotations

from libs.protoconv import address_out, time_out
from services.fulfillment.domain.sourcing.model import Assignment, Problem
from waybill.fulfillment.v1 import sourcing_pb2
from waybill.type.v1 import problem_pb2
from waybill.type.v1.address_pb2 import Address


def assignment_out(a: Assignment, with_origin: bool = True) -> sourcing_pb2.SourcingAssignment:
    """A quantity of a line at a location."""
    return sourcing_pb2.SourcingAssignment(
        line_item_id=a.line_item_id,
        product_id=a.product_id,
        quantity=a.quantity,
        supplier_id=a.supplier_id,
        ship_from_id=a.ship_from_id,
        inventory_record_id=a.record_id,
        variant_id=a.variant_id,
        quantity_backordered=a.backordered,
        expected_time=time_out(a.expected_time),
        ship_from=address_out(Address, a.ship_from) if with_origin else None,
    )


def problem_out(p: Problem) -> problem_pb2.Problem:
    """Why a line does not hold."""
    subject = f"line_items[{p.line_item_id}]" if p.line_item_id else "line_items"
    return problem_pb2.Problem(
        reason=p.reason, context="fulfillment", subject=subject, description=p.description, contended=p.contended
    )
