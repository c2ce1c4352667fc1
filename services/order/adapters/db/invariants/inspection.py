"""The order service's inspection in one snapshot: its own rules, and its facts about every order."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Collection, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.db.invariants import count, readable
from libs.invariants import Fact, Finding, Record, RuleResult, Summary, digests
from libs.resource.database.invariants import Stored, looking
from libs.service.retries import failures_of
from services.order.adapters.db.fee_rows import fees_of
from services.order.adapters.db.invariants.rules import rules
from services.order.adapters.db.invariants.walk import recomputed
from services.order.adapters.db.resources import APPROVAL_RULE, SUB_STATUS
from services.order.adapters.db.tables import (
    CANCELLATIONS,
    CAPTURES,
    DELETED_ORDERS,
    EVENTS,
    HOLD_COMMANDS,
    LINE_ITEMS,
    ORDERS,
    SHIPMENTS,
    SUBMISSIONS,
)
from services.order.domain.fees import fee_tax
from waybill.fulfillment.v1.shipment_pb2 import Shipment
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrder

CONTEXT = "order"
_O, _L, _S, _C, _P, _D = ORDERS.c, LINE_ITEMS.c, SUBMISSIONS.c, CANCELLATIONS.c, SHIPMENTS.c, DELETED_ORDERS.c
_AMOUNTS = ("subtotal", "discount", "shipping_cost", "tax", "gratuity", "included_tax", "fee_total", "total")


class Inspection:
    """Totals are sums of parts; units add up; status follows from units; histories have no gap."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def __call__(self, order_keys: Sequence[str] = ()) -> AsyncIterator[Record]:
        """Findings, facts and the summary; with order keys only the facts about these orders."""
        results: list[RuleResult] = []
        rows = 0
        async with self._db.inspecting() as tx:
            if not order_keys:
                async for record in _judged(tx):
                    if isinstance(record, RuleResult):
                        results.append(record)
                    else:
                        yield record
                for table in (ORDERS, LINE_ITEMS, SUBMISSIONS, EVENTS):
                    rows += await count(tx, table)
            else:
                async for fact in readable(CONTEXT, "order", [uuid.UUID(key) for key in order_keys], partial(_of, tx)):
                    yield fact
        yield Summary(CONTEXT, len(results), rows, sum(r.broken for r in results), results)


async def _judged(tx: Tx) -> AsyncIterator[Finding | Fact | RuleResult]:
    """The facts come with the walk, a page of orders at a time: the other contexts' wait for them."""
    async for record in looking(CONTEXT, rules(tx.dialect), (Stored(APPROVAL_RULE), Stored(SUB_STATUS)))(tx):
        yield record
    async for found in recomputed(tx, _of):
        yield found


async def _of(tx: Tx, keys: Sequence[uuid.UUID]) -> list[Fact]:
    orders = (await tx.execute(sa.select(ORDERS).where(_O.key.in_(keys), _O.kind == "BUYER"))).all()
    submitted = [row.key for row in orders if row.is_submitted]
    made = [_order(row) for row in orders]
    columns = (_S.order_key, _S.attempt, _S.kind, _S.outcome, _S.finished, _S.begin_time, _S.failures, _S.failure)
    attempts = sa.select(*columns, _S.state).where(_S.order_key.in_(keys))
    for row in await tx.execute(attempts):
        made.append(
            _fact(
                row.order_key,
                "attempt",
                attempt=row.attempt,
                kind=row.kind,
                # What somebody has to approve was validated only: nobody else has heard of it.
                state="VALIDATED" if row.outcome == "AWAITING_APPROVAL" else row.state,
                finished=int(row.finished),
                since=row.begin_time.isoformat(),
                **failures_of(row),
            )
        )
    for row in await tx.execute(sa.select(CANCELLATIONS).where(_C.order_key.in_(keys))):
        ended = int(row.state == "FINISHED")
        since = (row.begin_time or row.next_action_time).isoformat()
        made.append(_fact(row.order_key, "cancellation", state=row.state, finished=ended, since=since, **failures_of(row)))
    for row in await tx.execute(sa.select(HOLD_COMMANDS).where(HOLD_COMMANDS.c.order_key.in_(keys))):
        made.append(_fact(row.order_key, "hold", finished=0, since=row.begin_time.isoformat(), **failures_of(row)))
    for row in await tx.execute(sa.select(CAPTURES).where(CAPTURES.c.order_key.in_(keys))):
        ended, since = int(row.next_action_time is None), row.begin_time.isoformat()
        amounts = {"value": row.value, "most": row.most}
        made.append(_fact(row.order_key, "capture", finished=ended, since=since, **amounts, **failures_of(row)))
    made += await _deletions(tx, set(keys) - {row.key for row in orders})
    made += await _units(tx, submitted)
    for row in await tx.execute(sa.select(ORDERS).where(_O.parent_key.in_(keys), _O.kind != "BUYER")):
        made.append(
            _fact(
                row.parent_key,
                "supplier_order",
                id=row.id,
                status=row.supplier_status,
                total=row.total,
                version=row.source_version,
                listed=int(row.kind == "SUPPLIER"),
                said=digests(SupplierOrder.FromString(row.document)),
                **_parties(row),
            )
        )
    for row in await tx.execute(sa.select(SHIPMENTS).where(_P.order_key.in_(keys))):
        # One that holds nothing of the order any more is kept for its version alone.
        said = digests(Shipment.FromString(row.document))
        if said:
            made.append(_fact(row.order_key, "shipment", key=row.shipment_key, version=row.version, said=said))
    return sorted(made, key=lambda fact: fact.order_key)


async def _deletions(tx: Tx, keys: Collection[uuid.UUID]) -> list[Fact]:
    """Deletions that are not finished, of orders that are gone: payment may still have something of them."""
    if not keys:
        return []
    left = sa.select(_D.key, _D.delete_time).where(_D.key.in_(list(keys)), _D.payments_left)
    return [_fact(row.key, "deletion", finished=0, since=row.delete_time.isoformat()) for row in await tx.execute(left)]


def _order(row: Any) -> Fact:
    amounts = {name: row._mapping[name] for name in _AMOUNTS}
    return _fact(
        row.key,
        "order",
        id=row.id,
        status=row.status,
        stated_for=f"{row.id}/{row.buyer_id}/{row.user_id}",
        currency=row.currency,
        submitted=int(row.is_submitted),
        must_cover_total=int(row.policy.get("must_cover_total", True)),
        version=row.version,
        held=int(row.held),
        holding_payments=" ".join(h["payment_id"] for h in row.holds or ()),
        canceled_total=row.canceled_total,
        canceled_gratuity=row.canceled_gratuity,
        canceled_fee_total=row.canceled_fee_total,
        fee_tax=fee_tax(fees_of(row.fees)),
        **amounts,
    )


def _parties(row: Any) -> dict[str, str]:
    """Who sees it."""
    return {"supplier_id": row.supplier_id, "buyer_id": row.buyer_id, "user_id": row.user_id}


async def _units(tx: Tx, keys: Sequence[uuid.UUID]) -> list[Fact]:
    """Units of every line: ordered/shipped/canceled."""
    units: dict[uuid.UUID, dict[str, str]] = {key: {} for key in keys}
    columns = (_L.order_key, _L.id, _L.quantity, _L.quantity_shipped, _L.quantity_canceled)
    for row in await tx.execute(sa.select(*columns).where(_L.order_key.in_(keys))):
        units[row.order_key][row.id] = f"{row.quantity}/{row.quantity_shipped}/{row.quantity_canceled}"
    return [Fact(CONTEXT, "units", str(key), values) for key, values in units.items()]


def _fact(key: uuid.UUID, kind: str, /, **values: Any) -> Fact:
    return Fact(CONTEXT, kind, str(key), {name: str(value) for name, value in values.items()})
