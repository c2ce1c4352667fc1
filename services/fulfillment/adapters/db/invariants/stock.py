"""Rules of stock: counters are sums of the ledger, nothing is promised twice, no attempt that ended holds a unit."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.db.invariants import SqlRule, count, sentence
from libs.idempotency.invariants import listed
from libs.invariants import Finding, RuleResult
from services.fulfillment.adapters.db.invariants.thresholds import threshold_rules
from services.fulfillment.adapters.db.invariants.waiting import waiting_rules
from services.fulfillment.adapters.db.tables import (
    allocations,
    inventory_records,
    requests,
    reservations,
    stock_addresses,
    stock_movements,
)

_R, _M, _A, _V = inventory_records.c, stock_movements.c, allocations.c, reservations.c
_P, _Q = stock_addresses.c, requests.c
_UNCOUNTED = sa.and_(_R.can_exceed, _R.backorder_limit.is_(None))
"""Records that may be sold beyond their stock without a limit."""
_EXCESS = sa.case((_R.can_exceed, sa.func.coalesce(_R.backorder_limit, 0)), else_=0)
_SIGNS = {
    "RECEIVE": (1, 0, 0),
    "RESERVE": (0, 1, 0),
    "RELEASE": (0, -1, 0),
    "DEALLOCATE": (0, 0, -1),
    "SHIP": (-1, 0, -1),
    "RETURN": (1, 0, 0),
}
"""Which counters (on hand, reserved, allocated) a kind of movement moves, and in which direction."""
_BY_HAND = ("AdjustStock", "CreateInventoryRecord", "BatchCreateInventoryRecords")
"""Methods by which a person moves units."""
_SAME_TIME = timedelta(minutes=1)
"""How far the times of two movements of one record may be from the order in which they took place: each is read before its
transaction waits for the record, and by another replica's clock."""


def stock_rules(dialect: str) -> list[SqlRule]:
    """All of them."""
    negative = sa.or_(_R.reserved < 0, _R.allocated < 0, sa.and_(_R.on_hand < 0, sa.not_(_UNCOUNTED)))
    return [
        _counters(),
        _allocated(),
        SqlRule(
            "stock_not_negative",
            sa.select(_R.id.label("subject"), sentence(_R.on_hand, "/", _R.reserved, "/", _R.allocated)).where(negative),
            inventory_records,
        ),
        _movements(),
        _ended(),
        _placed(),
        _asked(dialect),
        *threshold_rules(),
        *waiting_rules(),
    ]


def _placed() -> SqlRule:
    """A record has the address that it was given last, and was given one when it was made."""
    newer = stock_addresses.alias()
    last = ~sa.exists().where(newer.c.record_key == _P.record_key, newer.c.version > _P.version)
    first = sa.exists().where(_P.record_key == _R.key, _P.version == 1)
    wrong = sa.or_(
        _R.key.is_(None),
        _P.version > _R.version,
        _P.version < 1,
        sa.and_(last, sa.func.coalesce(_text(_R.address), "") != sa.func.coalesce(_text(_P.address), "")),
    )
    return SqlRule(
        "stock_lies_where_it_was_put",
        sa.union_all(
            sa.select(
                sa.func.coalesce(_R.id, "").label("subject"), sentence("the address of version ", _P.version, " is another")
            )
            .outerjoin_from(stock_addresses, inventory_records, _R.key == _P.record_key)
            .where(wrong),
            sa.select(_R.id.label("subject"), sentence("has no address from when it was made")).where(~first),
        ),
        inventory_records,
    )


def _text(document: Any) -> Any:
    return sa.cast(document, sa.Text)


def _asked(dialect: str) -> SqlRule:
    """What a recorded request moved is by its user. A request and what it moves have one time."""
    moved = listed(dialect, requests, "ids")
    asked = sa.and_(moved.c.value == _R.id, _Q.create_time == _M.create_time)
    by_hand = sa.or_(*(_Q.method.like(f"%/{name}") for name in _BY_HAND))
    return SqlRule(
        "movement_is_by_who_asked",
        sa.select(_R.id.label("subject"), sentence(_M.kind, " by user '", _M.user_id, "', asked for by '", _Q.user_id, "'"))
        .select_from(requests.join(moved, sa.true()).join(inventory_records, moved.c.value == _R.id))
        .join(stock_movements, sa.and_(_M.record_key == _R.key, asked))
        .where(by_hand, _M.order_key == "", _M.user_id != _Q.user_id),
        requests,
    )


def _counters() -> SqlRule:
    booked = (
        sa.select(
            _M.record_key,
            sa.func.sum(_M.on_hand).label("a"),
            sa.func.sum(_M.reserved).label("b"),
            sa.func.sum(_M.allocated).label("c"),
        )
        .group_by(_M.record_key)
        .subquery()
    )
    a, b, c = (sa.func.coalesce(booked.c[name], 0) for name in "abc")
    return SqlRule(
        "stock_counter_equals_ledger",
        sa.select(
            _R.id.label("subject"),
            sentence("counters ", _R.on_hand, "/", _R.reserved, "/", _R.allocated, ", ledger ", a, "/", b, "/", c),
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
        sa.select(_R.id.label("subject"), sentence("allocated ", _R.allocated, ", open allocations ", open_units))
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
        sa.select(_R.id.label("subject"), sentence(_M.kind, " of ", _M.on_hand, "/", _M.reserved, "/", _M.allocated))
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
        sa.select(_V.order_key.label("subject"), sentence(left.c.units, " units of attempt ", _V.attempt, ", ", _V.state))
        .join_from(reservations, left, sa.and_(left.c.order_key == _V.order_key, left.c.attempt == _V.attempt))
        .where(_V.state != "RESERVED"),
        reservations,
    )


async def oversold(tx: Tx, context: str) -> AsyncIterator[Finding | RuleResult]:
    """Nothing is promised that is not there, except for what counts have taken away since units were last promised.

    A promise is only made of what is available: when it is made, no shortage is left. So what is short now was counted away
    later; a count of long ago excuses nothing. Few records are short at any time.
    """
    rule, broken = "stock_not_oversold", 0
    short = (await tx.execute(_SHORT)).all()
    counted = await _counted_away(tx) if short else {}
    for row in short:
        units = sum(taken for time, taken in counted.get(row.key, ()) if row.last is None or time >= row.last - _SAME_TIME)
        missing = row.promised - row.on_hand - row.excess
        if missing > units:
            broken += 1
            detail = f"{row.on_hand} on hand, {row.promised} promised; of the {missing} missing, counts took {units}"
            yield Finding(context, rule, row.id, detail)
    yield RuleResult(rule, await count(tx, inventory_records), broken)


_PROMISED = (_R.reserved + _R.allocated).label("promised")
_LAST = (
    sa.select(sa.func.max(_M.create_time))
    .where(
        _M.record_key == _R.key,
        # What was reserved before is promised already.
        sa.or_(_M.kind == "RESERVE", sa.and_(_M.kind == "ALLOCATE", _M.reserved == 0)),
    )
    .scalar_subquery()
    .label("last")
)
_IS_SHORT = sa.and_(_R.on_hand + _EXCESS < _R.reserved + _R.allocated, sa.not_(_UNCOUNTED))
_SHORT = sa.select(_R.key, _R.id, _R.on_hand, _PROMISED, _EXCESS.label("excess"), _LAST).where(_IS_SHORT).order_by(_R.key)
_COUNTED = (
    sa.select(_M.record_key, _M.create_time, _M.on_hand)
    .join_from(stock_movements, inventory_records, _R.key == _M.record_key)
    .where(_IS_SHORT, _M.kind == "ADJUST", _M.on_hand < 0)
)


async def _counted_away(tx: Tx) -> dict[uuid.UUID, list[tuple[datetime, int]]]:
    """When counts took how many units away, by record."""
    found: dict[uuid.UUID, list[tuple[datetime, int]]] = {}
    for row in await tx.execute(_COUNTED):
        found.setdefault(row.record_key, []).append((row.create_time, -row.on_hand))
    return found
