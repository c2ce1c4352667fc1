"""Rules of stock: counters are sums of the ledger, nothing is promised twice, no attempt that ended holds a unit."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.db.audit import SqlRule, told
from services.fulfillment.adapters.db.tables import allocations, inventory_records, reservations, stock_movements

_R, _M, _A, _V = inventory_records.c, stock_movements.c, allocations.c, reservations.c
_SIGNS = {
    "RECEIVE": (1, 0, 0), "RESERVE": (0, 1, 0), "RELEASE": (0, -1, 0), "DEALLOCATE": (0, 0, -1), "SHIP": (-1, 0, -1),
    "RETURN": (1, 0, 0),
}  # fmt: skip
"""Which counters (on hand, reserved, allocated) a kind of movement moves, and in which direction."""


def stock_rules() -> list[SqlRule]:
    """All of them."""
    negative = sa.or_(_R.reserved < 0, _R.allocated < 0, sa.and_(_R.on_hand < 0, sa.not_(_R.can_exceed)))
    counted_down = sa.exists().where(_M.record_key == _R.key, _M.kind == "ADJUST", _M.on_hand < 0)
    return [
        _counters(),
        _allocated(),
        SqlRule(
            "stock_not_negative",
            sa.select(_R.id.label("subject"), told(_R.on_hand, "/", _R.reserved, "/", _R.allocated)).where(negative),
            inventory_records,
        ),
        # A count below what is promised is accepted: it opens a shortage.
        SqlRule(
            "stock_not_oversold",
            sa.select(_R.id.label("subject"), told(_R.on_hand, " on hand, ", _R.reserved + _R.allocated, " promised")).where(
                _R.on_hand < _R.reserved + _R.allocated, sa.not_(_R.can_exceed), sa.not_(counted_down)
            ),
            inventory_records,
        ),
        _movements(),
        _ended(),
    ]


def _counters() -> SqlRule:
    booked = (
        sa.select(
            _M.record_key, sa.func.sum(_M.on_hand).label("a"), sa.func.sum(_M.reserved).label("b"),
            sa.func.sum(_M.allocated).label("c"),
        )
        .group_by(_M.record_key)
        .subquery()
    )  # fmt: skip
    a, b, c = (sa.func.coalesce(booked.c[name], 0) for name in "abc")
    return SqlRule(
        "stock_counter_equals_ledger",
        sa.select(
            _R.id.label("subject"),
            told("counters ", _R.on_hand, "/", _R.reserved, "/", _R.allocated, ", ledger ", a, "/", b, "/", c),
        )
        .outerjoin_from(inventory_records, booked, booked.c.record_key == _R.key)
        .where(sa.or_(_R.on_hand != a, _R.reserved != b, _R.allocated != c)),
        inventory_records,
    )


def _allocated() -> SqlRule:
    held = (
        sa.select(_A.record_key, sa.func.sum(_A.quantity - _A.shipped).label("open"))
        .where(_A.record_key.is_not(None))
        .group_by(_A.record_key)
        .subquery()
    )
    open_units = sa.func.coalesce(held.c.open, 0)
    return SqlRule(
        "stock_allocated_equals_allocations",
        sa.select(_R.id.label("subject"), told("allocated ", _R.allocated, ", open allocations ", open_units))
        .outerjoin_from(inventory_records, held, held.c.record_key == _R.key)
        .where(_R.allocated != open_units),
        inventory_records,
    )


def _movements() -> SqlRule:
    """A movement moves the counters of its kind only, and not the wrong way. Not said of ADJUST and ALLOCATE: a count
    goes both ways, and an allocation takes from what is reserved, or not."""

    def wrong(column: Any, sign: int) -> Any:
        return column * sign < 0 if sign else column != 0

    columns = (_M.on_hand, _M.reserved, _M.allocated)
    broken = [
        sa.and_(_M.kind == kind, sa.or_(*(wrong(column, sign) for column, sign in zip(columns, signs, strict=True))))
        for kind, signs in _SIGNS.items()
    ]
    known = _M.kind.in_((*_SIGNS, "ADJUST", "ALLOCATE"))
    return SqlRule(
        "movement_is_of_its_kind",
        sa.select(
            _R.id.label("subject"), told(_M.kind, " of ", _M.on_hand, "/", _M.reserved, "/", _M.allocated)
        )
        .join_from(stock_movements, inventory_records, _R.key == _M.record_key)
        .where(sa.or_(*broken, sa.not_(known))),
        stock_movements,
    )


def _ended() -> SqlRule:
    left = (
        sa.select(_M.order_key, _M.attempt, sa.func.sum(_M.reserved).label("units"))
        .where(_M.kind.in_(("RESERVE", "RELEASE", "ALLOCATE")), _M.order_key != "")
        .group_by(_M.order_key, _M.attempt)
        .having(sa.func.sum(_M.reserved) != 0)
        .subquery()
    )
    return SqlRule(
        "ended_attempt_holds_no_stock",
        sa.select(_V.order_key.label("subject"), told(left.c.units, " units of attempt ", _V.attempt, ", ", _V.state))
        .join_from(reservations, left, sa.and_(left.c.order_key == _V.order_key, left.c.attempt == _V.attempt))
        .where(_V.state != "RESERVED"),
        reservations,
    )
