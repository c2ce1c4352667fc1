"""What pricing's resources can be, and how uses of promotions are counted, as rules of its inspection."""

from __future__ import annotations

import sqlalchemy as sa

from libs.db.invariants import Look, SqlRule, sentence, total
from libs.resource.database.invariants import Stored, looking
from services.pricing.adapters.db.tables import COST, FLOOR, PROMOTION, REDEMPTIONS, RESERVATIONS, SCHEDULE, TAX_RATE, USES

_R, _U, _X = REDEMPTIONS.c, USES.c, RESERVATIONS.c


def look() -> Look:
    """Judges every price schedule, floor, cost schedule, tax rate and promotion, and the uses of promotions."""
    stored = (Stored(SCHEDULE), Stored(FLOOR), Stored(COST), Stored(TAX_RATE), Stored(PROMOTION))
    return looking("pricing", (_of_an_attempt(), _counted()), stored)


def _of_an_attempt() -> SqlRule:
    """A use is an attempt's that holds it or has taken it."""
    standing = sa.exists().where(_X.order_key == _R.order_key, _X.attempt == _R.attempt, _X.state.in_(("RESERVED", "CONFIRMED")))
    subject = sentence("promotion ", _R.promotion_id).element.label("subject")
    detail = sentence("attempt ", _R.attempt, " of order ", _R.order_key, " uses it and holds nothing")
    return SqlRule("redemption_is_of_a_standing_attempt", sa.select(subject, detail).where(~standing), REDEMPTIONS)


def _counted() -> SqlRule:
    """What is counted of a promotion, for all and for each user, is what attempts hold and have taken."""
    held = REDEMPTIONS.join(RESERVATIONS, sa.and_(_X.order_key == _R.order_key, _X.attempt == _R.attempt))
    reserved, confirmed = (sa.case((_X.state == state, -1), else_=0) for state in ("RESERVED", "CONFIRMED"))
    everyone = sa.literal("").label("user_key")
    both = sa.union_all(
        sa.select(_U.promotion_id, _U.user_key, _U.reserved.label("reserved"), _U.confirmed.label("confirmed")),
        sa.select(_R.promotion_id, everyone, reserved, confirmed).select_from(held),
        sa.select(_R.promotion_id, _R.user_key, reserved, confirmed).select_from(held).where(_R.user_key != ""),
    ).subquery()
    b = both.c
    sums = sa.select(b.promotion_id, b.user_key, total(b.reserved).label("reserved"), total(b.confirmed).label("confirmed"))
    over = sums.group_by(b.promotion_id, b.user_key).subquery()
    o = over.c
    subject = sentence("promotion ", o.promotion_id).element.label("subject")
    detail = sentence("of '", o.user_key, "' it counts ", o.reserved, " too many as reserved, ", o.confirmed, " as confirmed")
    broken = sa.select(subject, detail).where(sa.or_(o.reserved != 0, o.confirmed != 0))
    return SqlRule("uses_are_counted", broken, USES)
