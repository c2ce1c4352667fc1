"""Rules of references in fulfillment: what a row names is there, and is what the row says of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.db.invariants import SqlRule, finer_than_minor_unit, sentence
from services.fulfillment.adapters.db.tables import (
    allocations,
    inventory_records,
    reservations,
    shipment_items,
    shipments,
    stock_movements,
    supplier_order_lines,
    supplier_orders,
)

_R, _M, _V, _A = inventory_records.c, stock_movements.c, reservations.c, allocations.c
_O, _L, _S, _I = supplier_orders.c, supplier_order_lines.c, shipments.c, shipment_items.c
_RECORD: Any = sa.cast(_M.record_key, sa.String).label("subject")
_ORDER: Any = sa.func.coalesce(_O.id, "").label("subject")
_BY_PEOPLE = ("RECEIVE", "ADJUST", "RETURN")
_LIVE = ("OPEN", "ACCEPTED", "FROZEN")


def cause_rules() -> list[SqlRule]:
    """All of them."""
    return [*_stock_rules(), *_attempt_rules(), *_order_rules(), *_shipment_rules()]


def _stock_rules() -> list[SqlRule]:
    of_nothing = sa.and_(_M.order_key == "", _M.attempt == 0, _M.line_item_id == "", _M.shipment_id == "")
    of_an_order = sa.and_(_M.order_key != "", _M.line_item_id != "", _M.user_id == "")
    a_person = _M.kind.in_(_BY_PEOPLE)
    wrong = sa.or_(
        sa.and_(a_person, ~sa.and_(of_nothing, _M.user_id != "")),
        sa.and_(~a_person, ~of_an_order),
        sa.and_(_M.kind != "SHIP", _M.shipment_id != ""),
        sa.and_(_M.kind.in_(("RESERVE", "RELEASE")), _M.attempt == 0),
    )
    return [
        SqlRule(
            "movement_has_its_record",
            sa.select(_RECORD, sentence(_M.kind, " of no record")).where(~sa.exists().where(_R.key == _M.record_key)),
            stock_movements,
        ),
        SqlRule(
            "movement_has_its_cause",
            sa.select(
                _R.id.label("subject"),
                sentence(_M.kind, " by user '", _M.user_id, "', order '", _M.order_key, "', shipment '", _M.shipment_id, "'"),
            )
            .join_from(stock_movements, inventory_records, _R.key == _M.record_key)
            .where(wrong),
            stock_movements,
        ),
        _allocated_of(),
    ]


def _allocated_of() -> SqlRule:
    """An allocation is of a record of its product, of its variant where stock is counted so, and of its supplier order's
    supplier once the order is forwarded."""
    line = sa.and_(_L.supplier_order_key == _A.supplier_order_key, _L.line_item_id == _A.line_item_id)
    of_record = sa.or_(
        _R.key.is_(None),
        _R.id != _A.record_id,
        _R.supplier_id != _A.supplier_id,
        _R.location_id != _A.ship_from_id,
        _R.product_id != _L.product_id,
        _R.variant_id.not_in(("", _L.variant_id)),
    )
    wrong = sa.or_(
        _L.line_item_id.is_(None),
        sa.and_(_A.record_key.is_not(None), of_record),
        sa.and_(_A.record_key.is_(None), _A.record_id != ""),
        sa.and_(~_O.implicit, _O.supplier_id != _A.supplier_id),
    )
    return SqlRule(
        "allocation_is_of_its_record",
        sa.select(
            _ORDER,
            sentence("line ", _A.line_item_id, " from record '", _A.record_id, "' of ", _A.supplier_id, "/", _A.ship_from_id),
        )
        .outerjoin_from(allocations, supplier_orders, _O.key == _A.supplier_order_key)
        .outerjoin(supplier_order_lines, line)
        .outerjoin(inventory_records, _R.key == _A.record_key)
        .where(wrong),
        allocations,
    )


def _attempt_rules() -> list[SqlRule]:
    its_orders = (_O.order_key == _V.order_key, ~_O.moved)
    is_open = sa.exists().where(_L.supplier_order_key == _O.key, _L.quantity > _L.shipped + _L.canceled)
    changing = reservations.alias()
    changed = sa.exists().where(changing.c.order_key == _V.order_key, changing.c.kind == "CHANGE", changing.c.state == "RESERVED")
    against = sa.or_(
        sa.and_(_V.hold == "CANCELED", sa.exists().where(*its_orders, is_open)),
        sa.and_(_V.hold == "FROZEN", sa.exists().where(*its_orders, _O.status.in_(("OPEN", "ACCEPTED")))),
        sa.and_(_V.hold == "", sa.exists().where(*its_orders, _O.status == "FROZEN"), ~changed),
    )
    confirmed = sa.and_(_V.state == "CONFIRMED", _V.kind == "SUBMIT")
    return [
        SqlRule(
            "attempt_is_checked_until_it_ends",
            sa.select(_V.order_key.label("subject"), sentence("attempt ", _V.attempt, " is ", _V.state)).where(
                (_V.state == "RESERVED") != _V.check_time.is_not(None)
            ),
            reservations,
        ),
        SqlRule(
            "cancel_stops_what_it_decided",
            sa.select(
                _V.order_key.label("subject"), sentence("attempt ", _V.attempt, ": '", _V.hold, "', not its supplier orders")
            )
            .where(confirmed)
            .where(against),
            reservations,
        ),
        SqlRule(
            "held_as_the_order",
            sa.select(_O.id.label("subject"), sentence("held ", _O.held, ", attempt ", _V.attempt, " ", _V.held))
            .join_from(supplier_orders, reservations, _V.order_key == _O.order_key)
            .where(confirmed, _O.status.in_(_LIVE), _O.held != _V.held),
            supplier_orders,
        ),
    ]


def _order_rules() -> list[SqlRule]:
    return [
        SqlRule(
            "supplier_order_is_numbered",
            sa.union_all(
                sa.select(_O.id.label("subject"), sentence("number ", _O.number, " of order ", _O.order_id)).where(
                    _O.id != _O.order_id + "-" + sa.cast(_O.number, sa.String)
                ),
                sa.select(
                    sa.func.max(_O.order_id).label("subject"),
                    sentence(sa.func.count(), " numbers up to ", sa.func.max(_O.number)),
                )
                .group_by(_O.order_key)
                .having(sa.or_(sa.func.count(sa.distinct(_O.number)) != sa.func.max(_O.number), sa.func.min(_O.number) < 1)),
            ),
            supplier_orders,
        ),
        SqlRule("amounts_have_the_minor_unit", _fractions(), supplier_orders),
        SqlRule(
            "frozen_remembers_what_it_was",
            sa.select(
                _O.id.label("subject"), sentence(_O.status, ", before it ", sa.func.coalesce(_O.former_status, "nothing"))
            ).where((_O.status == "FROZEN") != _O.former_status.is_not(None)),
            supplier_orders,
        ),
    ]


def _fractions() -> Any:
    """What is owed for a supplier order, and what a shipment has cost, has no part of a minor unit, and is not negative."""
    header = (_O.subtotal, _O.discount, _O.shipping_cost, _O.tax, _O.total)
    line = (_L.subtotal, _L.discount, _L.tax, _L.included_tax)

    def of(subject: Any, currency: Any, amounts: Any) -> sa.Select[Any]:
        wrong = sa.or_(finer_than_minor_unit(currency, *amounts), *(amount < 0 for amount in amounts))
        return sa.select(subject.label("subject"), sentence("an amount that ", currency, " does not have")).where(wrong)

    return sa.union_all(
        of(_O.id, _O.currency, header),
        of(_O.id, _O.currency, line).join_from(supplier_order_lines, supplier_orders, _O.key == _L.supplier_order_key),
        of(_S.id, _S.currency, (_S.cost,)),
    )


def _shipment_rules() -> list[SqlRule]:
    return [
        SqlRule(
            "shipment_item_has_its_shipment",
            sa.select(_I.order_id.label("subject"), sentence("line ", _I.line_item_id, " is on no shipment")).where(
                ~sa.exists().where(_S.key == _I.shipment_key)
            ),
            shipment_items,
        ),
        SqlRule(
            "shipment_has_items",
            sa.select(_S.id.label("subject"), sentence("holds nothing, and is not deleted")).where(
                _S.delete_time.is_(None), ~sa.exists().where(_I.shipment_key == _S.key, _I.quantity > 0)
            ),
            shipments,
        ),
        SqlRule(
            "shipment_cost_has_a_currency",
            sa.select(_S.id.label("subject"), sentence("currency '", _S.currency, "'")).where(
                sa.or_(
                    _S.cost.is_(None) != (_S.currency == ""),
                    sa.exists().where(_I.shipment_key == _S.key, _O.key == _I.supplier_order_key, _O.currency != _S.currency)
                    & (_S.currency != ""),
                )
            ),
            shipments,
        ),
    ]
