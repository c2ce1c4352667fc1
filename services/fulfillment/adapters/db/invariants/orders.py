"""Rules of supplier orders and shipments: units, amounts, and what is reported to the order service."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.db.invariants import SqlRule, sentence
from services.fulfillment.adapters.db.tables import (
    allocations,
    reservations,
    shipment_items,
    shipments,
    supplier_order_lines,
    supplier_orders,
)

_A, _V, _O, _L = allocations.c, reservations.c, supplier_orders.c, supplier_order_lines.c
_S, _I = shipments.c, shipment_items.c
_LINE = (_O.id + "/" + _L.line_item_id).label("subject")


def order_rules() -> list[SqlRule]:
    """All of them."""
    return [*_line_rules(), *_header_rules(), *_attempt_rules(), *_shipment_rules(), *_report_rules()]


def _lines(*columns: Any) -> sa.Select[Any]:
    """Lines with their supplier order."""
    return sa.select(_LINE, *columns).join_from(supplier_order_lines, supplier_orders, _O.key == _L.supplier_order_key)


def _line_rules() -> list[SqlRule]:
    of_line = (
        sa.select(
            _A.supplier_order_key,
            _A.line_item_id,
            sa.func.sum(_A.quantity).label("quantity"),
            sa.func.sum(_A.packed).label("packed"),
            sa.func.sum(_A.shipped).label("shipped"),
        )
        .group_by(_A.supplier_order_key, _A.line_item_id)
        .subquery()
    )
    allocated = sa.and_(of_line.c.supplier_order_key == _L.supplier_order_key, of_line.c.line_item_id == _L.line_item_id)
    more = sa.or_(of_line.c.quantity > _L.quantity - _L.canceled, of_line.c.shipped > _L.shipped)
    amiss = sa.or_(_L.packed < 0, _L.shipped < 0, _L.canceled < 0, _L.packed + _L.shipped + _L.canceled > _L.quantity)
    return [
        SqlRule(
            "supplier_order_line_units",
            _lines(
                sentence(_L.quantity, " units: ", _L.packed, " packed, ", _L.shipped, " shipped, ", _L.canceled, " canceled")
            ).where(amiss),
            supplier_order_lines,
        ),
        SqlRule(
            "allocation_units",
            sa.select(
                (_O.id + "/" + _A.line_item_id).label("subject"),
                sentence(_A.quantity, " units, ", _A.packed, " packed, ", _A.shipped, " shipped"),
            )
            .outerjoin_from(allocations, supplier_orders, _O.key == _A.supplier_order_key)
            .where(sa.or_(_A.packed < 0, _A.shipped < 0, _A.packed + _A.shipped > _A.quantity)),
            allocations,
        ),
        SqlRule(
            "allocations_within_line",
            _lines(sentence(of_line.c.quantity, " units allocated of ", _L.quantity - _L.canceled))
            .join(of_line, allocated)
            .where(more),
            supplier_order_lines,
        ),
    ]


def _header_rules() -> list[SqlRule]:
    sums = (
        sa.select(_L.supplier_order_key, sa.func.sum(_L.subtotal).label("subtotal"), sa.func.sum(_L.discount).label("discount"))
        .group_by(_L.supplier_order_key)
        .subquery()
    )
    wrong = sa.or_(
        _O.subtotal != sums.c.subtotal,
        _O.discount != sums.c.discount,
        _O.total != _O.subtotal - _O.discount + _O.shipping_cost + _O.tax,
    )
    return [
        SqlRule(
            "supplier_order_amounts",
            sa.select(
                _O.id.label("subject"), sentence("subtotal ", _O.subtotal, ", lines ", sums.c.subtotal, "; total ", _O.total)
            )
            .join_from(supplier_orders, sums, sums.c.supplier_order_key == _O.key)
            .where(wrong),
            supplier_orders,
        ),
        SqlRule(
            "supplier_order_has_lines",
            sa.select(_O.id.label("subject"), sentence("no line")).where(~sa.exists().where(_L.supplier_order_key == _O.key)),
            supplier_orders,
        ),
    ]


def _attempt_rules() -> list[SqlRule]:
    return [
        SqlRule(
            "one_confirmed_attempt",
            sa.select(_V.order_key.label("subject"), sentence("attempts confirmed: ", sa.func.count()))
            .where(_V.state == "CONFIRMED", _V.kind == "SUBMIT")
            .group_by(_V.order_key)
            .having(sa.func.count() > 1),
            reservations,
        ),
        SqlRule(
            "confirmed_attempt_has_supplier_orders",
            sa.select(_V.order_key.label("subject"), sentence("no supplier order")).where(
                _V.state == "CONFIRMED", ~sa.exists().where(_O.order_key == _V.order_key)
            ),
            reservations,
        ),
        SqlRule(
            "supplier_order_has_confirmed_attempt",
            sa.select(_O.id.label("subject"), sentence("no attempt of its order is confirmed")).where(
                ~sa.exists().where(_V.order_key == _O.order_key, _V.state == "CONFIRMED", _V.kind == "SUBMIT")
            ),
            supplier_orders,
        ),
        SqlRule(
            "frozen_after_shipping_is_being_changed",
            sa.select(_O.id.label("subject"), sentence("FROZEN with units shipped; no change of its order is tried")).where(
                _O.status == "FROZEN",
                sa.exists().where(_L.supplier_order_key == _O.key, _L.shippable, _L.shipped > 0),
                ~sa.exists().where(_V.order_key == _O.order_key, _V.kind == "CHANGE", _V.state == "RESERVED"),
            ),
            supplier_orders,
        ),
    ]


# Long because it is a list of rules, each to be read alone.
def _shipment_rules() -> list[SqlRule]:
    gone = sa.case((_S.ship_time.is_not(None), _I.quantity), else_=0)
    on_way = sa.case((sa.and_(_S.ship_time.is_(None), _S.void_time.is_(None)), _I.quantity), else_=0)
    sent = (
        sa.select(_I.supplier_order_key, _I.line_item_id, sa.func.sum(gone).label("shipped"), sa.func.sum(on_way).label("packed"))
        .join_from(shipment_items, shipments, _S.key == _I.shipment_key)
        .group_by(_I.supplier_order_key, _I.line_item_id)
        .subquery()
    )
    joined = sa.and_(sent.c.supplier_order_key == _L.supplier_order_key, sent.c.line_item_id == _L.line_item_id)
    shipped, packed = sa.func.coalesce(sent.c.shipped, 0), sa.func.coalesce(sent.c.packed, 0)
    # What was packed when its units were canceled stays on the shipment, which can no longer leave.
    # What needs no shipment is delivered without one, unless no stock is promised for it.
    astray = sa.case((_L.shippable, _L.shipped != shipped), else_=_L.shipped < shipped)
    wrong = sa.or_(astray, sa.and_(_O.status.not_in(("CANCELED", "COMPLETED")), _L.packed != packed))
    its_line = sa.exists().where(_L.supplier_order_key == _I.supplier_order_key, _L.line_item_id == _I.line_item_id)
    return [
        SqlRule(
            "line_units_equal_shipments",
            _lines(sentence(_L.shipped, "/", _L.packed, " on the line, ", shipped, "/", packed, " on shipments"))
            .outerjoin(sent, joined)
            .where(wrong),
            supplier_order_lines,
        ),
        SqlRule(
            "shipment_item_has_its_line",
            sa.select(_S.id.label("subject"), sentence(_I.supplier_order_id, "/", _I.line_item_id))
            .join_from(shipment_items, shipments, _S.key == _I.shipment_key)
            .where(sa.or_(~its_line, _I.quantity < 0)),
            shipment_items,
        ),
        SqlRule(
            "shipment_is_seen_as_its_orders",
            sa.select(
                _S.id.label("subject"),
                sentence(
                    "of ",
                    _S.supplier_id,
                    "/",
                    _S.buyer_id,
                    "/",
                    _I.user_id,
                    ", ",
                    _O.id,
                    " of ",
                    _O.supplier_id,
                    "/",
                    _O.buyer_id,
                    "/",
                    _O.user_id,
                ),
            )
            .join_from(shipment_items, shipments, _S.key == _I.shipment_key)
            .join(supplier_orders, _O.key == _I.supplier_order_key)
            .where(
                sa.or_(
                    _S.supplier_id != _O.supplier_id,
                    _S.buyer_id != _O.buyer_id,
                    _I.user_id != _O.user_id,
                    _I.order_id != _O.order_id,
                    _I.order_key != _O.order_key,
                )
            ),
            shipment_items,
        ),
    ]


def _report_rules() -> list[SqlRule]:
    """The outbox is the row itself: what the order service has not acknowledged has a time to be reported again."""

    def rule(name: str, table: sa.Table) -> SqlRule:
        c = table.c
        lost = sa.and_(c.report_time.is_(None), c.reported_version < c.version)
        return SqlRule(
            name,
            sa.select(c.id.label("subject"), sentence("version ", c.version, ", reported ", c.reported_version)).where(
                sa.or_(lost, c.reported_version > c.version)
            ),
            table,
        )

    return [rule("supplier_order_is_reported_or_due", supplier_orders), rule("shipment_is_reported_or_due", shipments)]
