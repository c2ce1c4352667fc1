"""Rules of units that wait for stock: what orders show of a record adds up to what is missing of it."""

from __future__ import annotations

import sqlalchemy as sa

from libs.db.invariants import SqlRule, sentence
from services.fulfillment.adapters.db.tables import HELD, WAITING_CHANGED, allocations, inventory_records

_R, _A = inventory_records.c, allocations.c


def waiting_rules() -> list[SqlRule]:
    """All of them. A record that has moved since it was looked at is left out: what is shown of it is about to change."""
    units = _A.quantity - _A.shipped
    shown = sa.case((_A.backordered < units, _A.backordered), else_=units)
    time = sa.case((_A.backordered > 0, _R.expected_time), else_=None)
    late = _A.expected_time.is_distinct_from(time)
    sums = (
        sa.select(
            _A.record_key,
            sa.func.sum(units).label("held"),
            sa.func.sum(shown).label("shown"),
            sa.func.sum(sa.case((sa.or_(late, _A.backordered < 0), 1), else_=0)).label("wrong"),
        )
        .join_from(allocations, inventory_records, _R.key == _A.record_key)
        .where(HELD)
        .group_by(_A.record_key)
        .subquery()
    )
    held, summed, wrong = (sa.func.coalesce(sums.c[name], 0) for name in ("held", "shown", "wrong"))
    there = sa.case((_R.on_hand > 0, _R.on_hand), else_=0)
    missing = sa.case((held > there, held - there), else_=0)
    return [
        SqlRule(
            "waiting_units_are_shown",
            sa.select(
                _R.id.label("subject"),
                sentence(missing, " units wait, orders show ", summed, " and the record ", _R.waiting, ", ", wrong, " wrongly"),
            )
            .outerjoin_from(inventory_records, sums, sums.c.record_key == _R.key)
            .where(
                sa.or_(
                    sa.and_(sa.not_(WAITING_CHANGED), sa.or_(summed != missing, _R.waiting != missing, wrong > 0)),
                    # Never looked at, so nothing can be shown to wait for it.
                    sa.and_(_R.waiting_shown == 0, _R.waiting != 0),
                )
            ),
            inventory_records,
        )
    ]
