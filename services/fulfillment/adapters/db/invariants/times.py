"""Rules of times: a status has its time and no other has it, and nothing takes place before what it follows from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.db.invariants import count
from libs.invariants import Finding, RuleResult
from services.fulfillment.adapters.db.tables import shipment_items, shipments, supplier_orders
from services.fulfillment.domain.shipments.actions.ship import LEEWAY

_O, _S, _I = supplier_orders.c, shipments.c, shipment_items.c
_CLOCKS = timedelta(minutes=1)
"""How far the clocks of two replicas may be apart."""
_DECISIONS = (_O.accept_time, _O.reject_time, _O.complete_time, _O.cancel_time)
_OF_STATUS = {"COMPLETED": _O.complete_time, "CANCELED": _O.cancel_time}
"""A status that has a time of its own, which no other status has."""


async def time_rules(tx: Tx, context: str) -> AsyncIterator[Finding | RuleResult]:
    """The database names what may be wrong, which is little; how far it is wrong is judged here."""
    for name, table, select, judge in (
        ("supplier_order_is_timed", supplier_orders, _orders(), _of_order),
        ("shipment_is_timed", shipments, _shipments(), _of_shipment),
    ):
        broken = 0
        for row in await tx.execute(select):
            if wrong := "; ".join(judge(row)):
                broken += 1
                yield Finding(context, name, row.id, wrong)
        yield RuleResult(name, await count(tx, table), broken)


@cache
def _orders() -> sa.Select[Any]:
    amiss = [(_O.status == status) != time.is_not(None) for status, time in _OF_STATUS.items()]
    amiss.append(sa.and_(_O.status == "REJECTED", _O.reject_time.is_(None)))
    amiss.append(sa.or_(_O.accept_by < _O.create_time, sa.and_(_O.accept_by.is_not(None), _O.supplier_id == "")))
    for time in _DECISIONS:
        amiss += [time < _O.create_time, time > _O.update_time]
    columns = (_O.id, _O.status, _O.supplier_id, _O.create_time, _O.update_time, _O.accept_by, *_DECISIONS)
    return sa.select(*columns).where(sa.or_(*amiss))


def _of_order(row: Any) -> Iterator[str]:
    for status, time in _OF_STATUS.items():
        if (row.status == status) != (row._mapping[time] is not None):
            yield f"{row.status}, {time.name} {row._mapping[time]}"
    if row.status == "REJECTED" and row.reject_time is None:
        yield "REJECTED at no time"
    if row.accept_by is not None and (row.accept_by < row.create_time or not row.supplier_id):
        yield f"to be answered by {row.accept_by}, made at {row.create_time} for '{row.supplier_id}'"
    for time in _DECISIONS:
        yield from _within(time.name, row._mapping[time], row.create_time - _CLOCKS, row.update_time + _CLOCKS)


@cache
def _shipments() -> sa.Select[Any]:
    ordered = (
        sa.select(sa.func.max(_O.create_time))
        .join_from(shipment_items, supplier_orders, _O.key == _I.supplier_order_key)
        .where(_I.shipment_key == _S.key)
        .scalar_subquery()
    )
    amiss = sa.or_(
        _S.ship_time < ordered,
        _S.ship_time > _S.update_time,
        sa.and_(_S.ship_time.is_not(None), _S.void_time.is_not(None)),
        sa.and_(_S.ship_time.is_(None), _S.delivery_time.is_not(None)),
        _S.delivery_time < _S.ship_time,
        _S.delivery_time > _S.update_time,
        _S.create_time > _S.update_time,
    )
    times = (_S.create_time, _S.update_time, _S.ship_time, _S.delivery_time, _S.void_time)
    return sa.select(_S.id, *times, ordered.label("ordered")).where(amiss)


def _of_shipment(row: Any) -> Iterator[str]:
    """What people say of a parcel may be a day beside the clock; of a parcel itself nothing may be the wrong way round."""
    if row.ship_time is not None and row.void_time is not None:
        yield f"void since {row.void_time}, and has left at {row.ship_time}"
    if row.delivery_time is not None and (row.ship_time is None or row.delivery_time < row.ship_time):
        yield f"delivered at {row.delivery_time}, left at {row.ship_time}"
    earliest = None if row.ordered is None else row.ordered - LEEWAY - _CLOCKS
    latest = row.update_time + LEEWAY + _CLOCKS
    yield from _within("ship_time", row.ship_time, earliest, latest)
    yield from _within("delivery_time", row.delivery_time, None, latest)
    yield from _within("create_time", row.create_time, None, row.update_time + _CLOCKS)


def _within(name: str, time: datetime | None, earliest: datetime | None, latest: datetime) -> Iterator[str]:
    if time is not None and (time > latest or (earliest is not None and time < earliest)):
        yield f"{name} {time}, not between {earliest} and {latest}"
