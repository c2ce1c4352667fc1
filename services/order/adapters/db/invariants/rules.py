"""The order service's own invariants as SQL: every rule selects what breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.db import Micros
from libs.db.invariants import SqlRule, finer_than_minor_unit, names_are_known, sentence
from libs.idempotency import invariants
from services.order.adapters.db.resources import APPROVAL_RULE_METHODS, MADE, SUB_STATUS_METHODS
from services.order.adapters.db.tables import (
    CANCELLATIONS,
    CARTS,
    DELETED,
    DELETED_ORDERS,
    EVENTS,
    LINE_ITEMS,
    NAMES,
    ORDERS,
    REQUESTS,
    SUB_STATUSES,
    SUBMISSIONS,
)

_O, _L, _E, _S, _C, _R = ORDERS.c, LINE_ITEMS.c, EVENTS.c, SUBMISSIONS.c, CANCELLATIONS.c, REQUESTS.c
_D, _U = DELETED_ORDERS.c, SUB_STATUSES.c
_ID = _O.id.label("subject")
_BUYER = sa.select(_O.key).where(_O.kind == "BUYER")


@cache
def rules(dialect: str) -> Sequence[SqlRule]:
    """All of them."""
    parts = (_money_rules(), _unit_rules(), _history_rules(), _attempt_rules(), _effect_rules(dialect))
    return [*(rule for part in parts for rule in part), names_are_known(NAMES)]


def _money_rules() -> list[SqlRule]:
    sums = (
        sa.select(_L.order_key, sa.func.sum(_L.subtotal).label("subtotal"), sa.func.sum(_L.discount).label("discount"))
        .group_by(_L.order_key)
        .subquery()
    )
    subtotal, discount = sa.func.coalesce(sums.c.subtotal, 0), sa.func.coalesce(sums.c.discount, 0)
    return [
        SqlRule(
            "total_is_sum_of_parts",
            sa.select(
                _ID,
                sentence(
                    "total ",
                    _O.total,
                    ": subtotal ",
                    _O.subtotal,
                    ", discount ",
                    _O.discount,
                    ", shipping ",
                    _O.shipping_cost,
                    ", tax ",
                    _O.tax,
                    ", gratuity ",
                    _O.gratuity,
                    ", fees ",
                    _O.fee_total,
                ),
            ).where(_O.total != _O.subtotal - _O.discount + _O.shipping_cost + _O.tax + _O.gratuity + _O.fee_total),
            ORDERS,
        ),
        SqlRule(
            "amounts_are_sums_of_lines",
            sa.select(_ID, sentence(_O.subtotal, " and ", _O.discount, ", lines ", subtotal, " and ", discount))
            .outerjoin_from(ORDERS, sums, sums.c.order_key == _O.key)
            .where(
                _O.kind == "BUYER",
                _O.calculated_version == _O.content_version,
                sa.or_(subtotal != _O.subtotal, discount != _O.discount),
            ),
            _BUYER.where(_O.calculated_version == _O.content_version),
        ),
        SqlRule("amounts_have_the_minor_unit", _fractions(), ORDERS),
    ]


def _fractions() -> Any:
    """What is owed or set by hand for an order has no part of a minor unit; prices and rates may."""
    owed = [c for c in ORDERS.columns if isinstance(c.type, Micros)]
    detail = sentence("an amount is finer than ", _O.currency, " has")
    of_lines = sa.select(_ID, detail).join_from(LINE_ITEMS, ORDERS, _O.key == _L.order_key)
    return sa.union_all(
        sa.select(_ID, detail).where(finer_than_minor_unit(_O.currency, *owed)),
        of_lines.where(finer_than_minor_unit(_O.currency, _L.subtotal, _L.discount, _L.tax, _L.included_tax)),
    )


def _unit_rules() -> list[SqlRule]:
    lines = sa.select(_L.order_key, sa.func.count().label("lines")).group_by(_L.order_key).subquery()
    count = sa.func.coalesce(lines.c.lines, 0)
    shipped, canceled = _L.quantity_shipped, _L.quantity_canceled
    return [
        SqlRule(
            "units_add_up",
            sa.select(
                (_O.id + "/" + _L.id).label("subject"),
                sentence(_L.quantity, " ordered, ", shipped, " shipped, ", canceled, " canceled"),
            )
            .join_from(LINE_ITEMS, ORDERS, _O.key == _L.order_key)
            .where(sa.or_(_L.quantity < 1, shipped < 0, canceled < 0, shipped + canceled > _L.quantity)),
            LINE_ITEMS,
        ),
        SqlRule(
            "line_count_is_right",
            sa.select(_ID, sentence(count, " lines, not ", _O.line_item_count))
            .outerjoin_from(ORDERS, lines, lines.c.order_key == _O.key)
            .where(_O.kind == "BUYER", count != _O.line_item_count),
            _BUYER,
        ),
        SqlRule(
            "supplier_order_has_its_order",
            sa.select(_ID, sentence("of order ", _O.parent_id)).where(
                _O.kind != "BUYER", ~sa.exists().where(_PARENT.key == _O.parent_key, _PARENT.kind == "BUYER")
            ),
            _CHILDREN,
        ),
        SqlRule(
            "supplier_order_is_seen_as_its_order",
            sa.select(_ID, sentence(_seen(_O), ", its order ", _seen(_PARENT)))
            .join_from(ORDERS, _PARENTS, _PARENT.key == _O.parent_key)
            .where(_O.kind != "BUYER", sa.or_(*(_O[name] != _PARENT[name] for name in _PARTIES))),
            _CHILDREN,
        ),
        SqlRule("cart_is_an_order_of_its_user", _foreign_carts(), CARTS),
        SqlRule(
            "sub_status_is_of_the_status",
            sa.select(_ID, sentence(_O.status, ", in sub-status ", _O.sub_status)).where(
                sa.or_(
                    sa.and_(_O.sub_status != "", ~sa.exists().where(_U.id == _O.sub_status, _U.status == _O.status)),
                    (_O.sub_status == "") != _O.sub_status_time.is_(None),
                )
            ),
            ORDERS,
        ),
        SqlRule(
            "order_is_listed_for_its_user",
            sa.select(_ID, sentence("listed for ", _O.user_id, ", of ", _O.user["id"].as_string())).where(
                _O.user_id != _O.user["id"].as_string()
            ),
            ORDERS,
        ),
    ]


def _foreign_carts() -> Any:
    c = CARTS.c
    owner: Any = sentence(c.buyer_id, "/", c.user_id).label("subject")
    other = sa.or_(_O.key.is_(None), _O.kind != "BUYER", _O.guest, _O.buyer_id != c.buyer_id, _O.user_id != c.user_id)
    detail = sentence("the order ", sa.func.coalesce(_O.id, ""), " is not its own")
    return sa.select(owner, detail).outerjoin_from(CARTS, ORDERS, _O.key == c.order_key).where(other)


def _seen(columns: Any) -> Any:
    return columns.seller_id + "/" + columns.buyer_id + "/" + columns.user_id


_PARENTS = ORDERS.alias("parents")
_PARENT = _PARENTS.c
_CHILDREN = sa.select(_O.key).where(_O.kind != "BUYER")
_PARTIES = ("seller_id", "buyer_id", "user_id")
"""Whose an order is, on the buying side."""


def _history_rules() -> list[SqlRule]:
    """Every change bumps the version and leaves one event of that number."""
    events = (
        sa.select(
            _E.aggregate_key,
            sa.func.count().label("count"),
            sa.func.min(_E.sequence).label("first"),
            sa.func.max(_E.sequence).label("last"),
        )
        .group_by(_E.aggregate_key)
        .subquery()
    )
    count = sa.func.coalesce(events.c.count, 0)
    gap = sa.or_(count != _O.version, events.c.first != 1, events.c.last != _O.version)
    key: Any = sa.cast(_E.aggregate_key, sa.String).label("subject")
    stray: Any = sa.select(key, sentence("event ", _E.sequence, " ", _E.type))
    newest: Any = (
        sa.select(_E.aggregate_key, _E.data["status"].as_string().label("status"))
        .join(ORDERS, sa.and_(_O.key == _E.aggregate_key, _O.version == _E.sequence))
        .subquery()
    )
    return [
        SqlRule(
            "history_has_no_gap",
            sa.select(_ID, sentence("version ", _O.version, ", ", count, " events up to ", sa.func.coalesce(events.c.last, 0)))
            .outerjoin_from(ORDERS, events, events.c.aggregate_key == _O.key)
            .where(gap),
            ORDERS,
        ),
        SqlRule(
            "event_is_of_an_order",
            stray.where(~sa.exists().where(_O.key == _E.aggregate_key), ~sa.exists().where(_D.key == _E.aggregate_key)),
            EVENTS,
        ),
        *_deletion_rules(events),
        SqlRule(
            "newest_event_has_the_status",
            sa.select(_ID, sentence(_O.status, ", the newest event says ", newest.c.status))
            .join_from(ORDERS, newest, newest.c.aggregate_key == _O.key)
            .where(newest.c.status != _O.status),
            ORDERS,
        ),
    ]


def _deletion_rules(events: Any) -> list[SqlRule]:
    """Of an order that is gone the whole history is there; it ends with the deletion, and the last body is the order's. Bodies
    are forgotten from the oldest on: none is missing beside an older one."""
    its_deletion = sa.and_(
        _E.aggregate_key == _D.key, _E.sequence == _D.version, _E.type == "order_deleted", _E.time == _D.delete_time
    )
    count, id = sa.func.coalesce(events.c.count, 0), _D.id.label("subject")
    gap = sa.or_(count != _D.version, events.c.first != 1, events.c.last != _D.version)
    alive = sa.exists().where(_O.key == _D.key)
    maker = _E.data[("facts", "created_by")].as_string()
    made_by = sa.exists().where(_E.aggregate_key == _D.key, _E.sequence == _D.version, maker == _D.created_by)
    whose = {"id": _D.id, "etag": sa.cast(_D.version - 1, sa.String)}
    other = [_D.body[name].as_string().is_distinct_from(value) for name, value in whose.items()]
    parties = {("from_party", "id"): _D.buyer_id, ("from_user", "id"): _D.user_id}
    other += [_D.body[path].as_string().is_distinct_from(value) for path, value in parties.items()]
    older = DELETED_ORDERS.alias()
    oldest = sa.select(sa.func.min(older.c.delete_time)).where(older.c.body.is_not(None)).scalar_subquery()
    wrong = sa.and_(_D.body.is_not(None), sa.or_(*other))
    return [
        SqlRule(
            "deleted_order_has_its_history",
            sa.select(id, sentence("version ", _D.version, ", ", count, " events up to ", sa.func.coalesce(events.c.last, 0)))
            .outerjoin_from(DELETED_ORDERS, events, events.c.aggregate_key == _D.key)
            .where(sa.or_(gap, ~sa.exists().where(its_deletion), ~made_by, alive)),
            DELETED_ORDERS,
        ),
        SqlRule(
            "deleted_order_is_its_last_body",
            sa.select(id, sentence("of ", _D.buyer_id, "/", _D.user_id)).where(
                sa.or_(wrong, sa.and_(_D.body.is_(None), _D.delete_time > oldest))
            ),
            DELETED_ORDERS,
        ),
    ]


def _number_of(types: tuple[str, ...]) -> Any:
    """How many events of these types an order has."""
    return sa.select(sa.func.count()).where(_E.aggregate_key == _O.key, _E.type.in_(types)).correlate(ORDERS).scalar_subquery()


def _attempts(*where: Any) -> Any:
    return sa.select(sa.func.count()).where(_S.order_key == _O.key, *where).correlate(ORDERS).scalar_subquery()


def _attempt_rules() -> list[SqlRule]:
    opened = _attempts(_S.state == "ACCEPTED", _S.kind != "CHANGE", _S.outcome != "AWAITING_APPROVAL")
    begun, decided = _attempts(), _attempts(_S.state != "TRYING")
    submitted = sa.case((_O.is_submitted, 1), else_=0)
    begins = _number_of(("submission_begun", "change_begun", "approval_begun"))
    submits = ("order_submitted", "submission_refused", "order_awaiting_approval")
    ends = _number_of((*submits, "change_decided", "change_refused", "order_approved", "approval_refused"))
    known = _S.state.in_(("TRYING", "ACCEPTED", "REFUSED"))
    undecided = sa.and_(_S.state == "TRYING", sa.or_(_S.finished, _S.decide_time.is_not(None)))
    newest = (
        sa.select(_S.order_key, sa.func.count().label("count"), sa.func.max(_S.attempt).label("last"))
        .group_by(_S.order_key)
        .subquery()
    )
    return [
        SqlRule(
            "submitted_once",
            sa.select(_ID, sentence(opened, " attempts accepted, submitted: ", submitted)).where(
                _O.kind == "BUYER", opened != submitted
            ),
            _BUYER,
        ),
        SqlRule(
            "attempts_are_numbered",
            sa.select(_ID, sentence(newest.c.count, " attempts up to number ", newest.c.last))
            .join_from(ORDERS, newest, newest.c.order_key == _O.key)
            .where(newest.c.count != newest.c.last),
            SUBMISSIONS,
        ),
        SqlRule(
            "attempt_is_decided_before_it_ends",
            sa.select(_ID, sentence("attempt ", _S.attempt, " is ", _S.state))
            .join_from(SUBMISSIONS, ORDERS, _O.key == _S.order_key)
            .where(sa.or_(undecided, sa.not_(known), sa.and_(_S.state != "TRYING", _S.decide_time.is_(None)))),
            SUBMISSIONS,
        ),
        SqlRule(
            "every_attempt_has_its_events",
            sa.select(_ID, sentence(begins, " begun, ", ends, " decided by events; attempts: ", begun, ", ", decided)).where(
                _O.kind == "BUYER", sa.or_(begins != begun, ends != decided)
            ),
            _BUYER,
        ),
    ]


def _effect_rules(dialect: str) -> list[SqlRule]:
    by_id = [_R.outcome[name].as_string() for name in ("id", "order")]
    order_id, attempt = sa.func.coalesce(*by_id), _R.outcome["attempt"].as_integer()
    deleted = sa.exists().where(DELETED.c.kind == ORDERS.name, DELETED.c.id == order_id)
    of_others = sa.or_(*(_R.method.like(methods) for methods in (APPROVAL_RULE_METHODS, SUB_STATUS_METHODS)))
    unknown = sa.and_(~sa.exists().where(_O.id == order_id), ~deleted)
    never_begun = sa.and_(
        # An approval that is not the last begins none.
        attempt > 0,
        ~sa.exists().where(_O.id == order_id, _O.kind == "BUYER", _S.order_key == _O.key, _S.attempt == attempt),
        ~deleted,
    )
    its = sa.and_(_C.order_key == _O.key, _C.state != "FREEZING")
    return [
        SqlRule(
            "request_has_its_effect",
            sa.union_all(
                invariants.shapeless(dialect, REQUESTS),
                sa.select(_R.request_id.label("subject"), sentence(_R.method, ": there is no order ", order_id)).where(
                    order_id.is_not(None), unknown, ~of_others
                ),
                invariants.unmade(dialect, REQUESTS, MADE),
            ),
            REQUESTS,
        ),
        SqlRule(
            "submit_has_its_attempt",
            sa.select(_R.request_id.label("subject"), sentence(order_id, " has no attempt ", attempt)).where(never_begun),
            REQUESTS,
        ),
        SqlRule(
            "cancel_that_is_decided_stands",
            sa.select(_ID, sentence(_O.status, ", its cancel is ", _C.state))
            .join_from(ORDERS, CANCELLATIONS, its)
            .where(_O.status != "CANCELED"),
            CANCELLATIONS,
        ),
    ]
