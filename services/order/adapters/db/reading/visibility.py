"""The visibility rule as a condition on the orders table."""

from __future__ import annotations

import sqlalchemy as sa

from services.order.adapters.db.tables import DELETED_ORDERS, ORDERS
from services.order.domain.reading.visibility import BuyerOrders, Scope, SupplierOrders


def condition(scope: Scope) -> sa.ColumnElement[bool]:
    """What the scope lets see; nothing for an empty one."""
    parts: list[sa.ColumnElement[bool]] = []
    if scope.buyer_orders is not None:
        parts.append(_buyer_orders(scope.buyer_orders))
    if scope.supplier_orders is not None:
        parts.append(_supplier_orders(scope.supplier_orders))
    return sa.or_(*parts) if parts else sa.false()


def condition_on_deleted(scope: Scope) -> sa.ColumnElement[bool]:
    """The same of orders that are gone, which were never submitted."""
    seen, o = scope.buyer_orders, DELETED_ORDERS.c
    if seen is None:
        return sa.false()
    parts: list[sa.ColumnElement[bool]] = [o.key.is_not(None)]
    if seen.buyer_id is not None:
        parts.append(o.buyer_id == seen.buyer_id)
    if seen.order_id is not None:
        parts.append(o.id == seen.order_id)
    if not (seen.others and seen.others_unsubmitted):
        parts.append((o.created_by if seen.by_creator else o.user_id) == seen.own_user_id)
    return sa.and_(*parts)


def _buyer_orders(seen: BuyerOrders) -> sa.ColumnElement[bool]:
    o = ORDERS.c
    of_kind = [o.kind == "BUYER"]
    if seen.buyer_id is not None:
        of_kind.append(o.buyer_id == seen.buyer_id)
    if seen.order_id is not None:
        of_kind.append(o.id == seen.order_id)
    if seen.others and seen.others_unsubmitted:
        return sa.and_(*of_kind)
    own = (o.created_by if seen.by_creator else o.user_id) == seen.own_user_id
    shown = sa.or_(own, o.is_submitted) if seen.others else own
    return sa.and_(*of_kind, shown)


def _supplier_orders(seen: SupplierOrders) -> sa.ColumnElement[bool]:
    o = ORDERS.c
    if seen.supplier_id is None:
        return o.kind == "SUPPLIER"
    return sa.and_(o.kind == "SUPPLIER", o.supplier_id == seen.supplier_id)
