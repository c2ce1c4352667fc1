"""Rules of thresholds: a record knows whether its stock is low, and each crossing has left one alert."""

from __future__ import annotations

import sqlalchemy as sa

from libs.db.invariants import SqlRule, sentence
from services.fulfillment.adapters.db.tables import inventory_records, stock_alerts

_R, _A = inventory_records.c, stock_alerts.c


def threshold_rules() -> list[SqlRule]:
    """All of them."""
    available = _R.on_hand - _R.reserved - _R.allocated
    low: sa.ColumnElement[bool] = sa.func.coalesce(available < _R.notify_below, sa.false())
    known = (
        sa.select(
            _A.record_key,
            sa.func.count().label("alerts"),
            sa.func.min(_A.number).label("first"),
            sa.func.max(_A.number).label("last"),
        )
        .group_by(_A.record_key)
        .subquery()
    )
    alerts, first, last = (sa.func.coalesce(known.c[name], 0) for name in ("alerts", "first", "last"))
    counted = sa.and_(alerts == _R.crossings, last == _R.crossings, sa.or_(alerts == 0, first == 1))
    orphan = sa.select(sa.literal("").label("subject"), sentence("alert ", _A.number, " is of no record"))
    below = sa.case((_A.available < _A.notify_below, "BELOW"), else_="RECOVERED")
    return [
        SqlRule(
            "low_stock_is_below_its_threshold",
            sa.select(
                _R.id.label("subject"), sentence(available, " available, low below ", sa.func.coalesce(_R.notify_below, 0))
            ).where(low != _R.low_stock),
            inventory_records,
        ),
        SqlRule(
            "each_crossing_has_its_alert",
            sa.union_all(
                sa.select(_R.id.label("subject"), sentence(_R.crossings, " crossings, ", alerts, " alerts up to ", last))
                .outerjoin_from(inventory_records, known, known.c.record_key == _R.key)
                .where(sa.not_(counted)),
                orphan.where(~sa.exists().where(_R.key == _A.record_key)),
            ),
            inventory_records,
        ),
        SqlRule(
            "alert_says_what_was_crossed",
            sa.select(
                _R.id.label("subject"),
                sentence("alert ", _A.number, ": ", _A.kind, " at ", _A.available, " of ", _A.notify_below),
            )
            .join_from(stock_alerts, inventory_records, _R.key == _A.record_key)
            .where(_A.kind != below),
            stock_alerts,
        ),
    ]
