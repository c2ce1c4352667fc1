"""Reservations: one row an attempt. The confirmed one is also the lock of its order's supplier orders."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from libs.db import Json, Tx
from libs.json_value import JsonObject
from services.fulfillment.adapters.db.documents import assignments_in, assignments_out, lines_in, lines_out
from services.fulfillment.adapters.db.tables import reservations
from services.fulfillment.domain.sourcing.model import Costs, Strategy
from services.fulfillment.domain.sourcing.reservation import Freeze, Kind, Reservation, ReservationState

_T = reservations

_GET = sa.select(_T).where(_T.c.order_key == sa.bindparam("o"), _T.c.attempt == sa.bindparam("n"))
_LOCK = _GET.with_for_update()
_END = (
    sa.update(_T)
    .where(_T.c.order_key == sa.bindparam("o"), _T.c.attempt == sa.bindparam("n"))
    .values(
        state=sa.bindparam("to"),
        check_time=sa.null(),
        update_time=sa.bindparam("now"),
        order_xp=sa.bindparam("xp", type_=Json()),
        accept_within=sa.bindparam("within", type_=sa.Integer),
        costs=sa.bindparam("costs", type_=Json()),
    )
)


class SqlReservationStore:
    """Reads and writes reservations."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def claim(self, r: Reservation, now: datetime) -> bool:
        """Adds the reservation; False when the attempt has one already, be it a tombstone."""
        result = await self._tx.execute(
            self._tx.insert(_T).on_conflict_do_nothing(),
            {
                "order_key": r.order_key,
                "attempt": r.attempt,
                "kind": r.kind.value,
                "state": r.state.value,
                "hold": r.freeze.value,
                "strategy": (r.ranking if isinstance(r.ranking, Strategy) else Strategy.DEFAULT_SUPPLIER).value,
                "stages": None if isinstance(r.ranking, Strategy) else list(r.ranking),
                "lines": lines_out(r.lines),
                "assignments": assignments_out(r.assignments),
                "check_time": r.check_time,
                "create_time": now,
                "update_time": now,
            },
        )
        return bool(result.rowcount == 1)

    async def get(self, order_key: str, attempt: int, lock: bool = False) -> Reservation | None:
        """The reservation of an attempt."""
        row = (await self._tx.execute(_LOCK if lock else _GET, {"o": order_key, "n": attempt})).first()
        return None if row is None else _reservation(row)

    async def confirmed(self, order_key: str) -> Reservation | None:
        """The order's confirmed reservation, locked: whoever changes the set of supplier orders comes here
        first. Of several confirmed attempts it is the lowest, the one that the supplier orders were made by.
        """
        select = (
            sa.select(_T)
            .where(_T.c.order_key == order_key, _T.c.state == ReservationState.CONFIRMED.value)
            .order_by(_T.c.attempt)
            .limit(1)
        )
        row = (await self._tx.execute(select.with_for_update())).first()
        return None if row is None else _reservation(row)

    async def changing(self, order_key: str) -> bool:
        """Whether a change of the order is tried and neither applied nor released."""
        select = sa.select(sa.literal(1)).where(
            _T.c.order_key == order_key, _T.c.kind == Kind.CHANGE.value, _T.c.state == ReservationState.RESERVED.value
        )
        return (await self._tx.execute(select.limit(1))).first() is not None

    async def end(
        self,
        r: Reservation,
        state: ReservationState,
        now: datetime,
        order_xp: JsonObject | None = None,
        accept_within: timedelta | None = None,
        costs: Costs | None = None,
    ) -> None:
        """Moves a locked reservation to its final state; a confirmed one keeps the buyer order's xp, how long suppliers have to
        answer, and what they are paid.
        """
        kept = {
            "xp": None if order_xp is None else dict(order_xp),
            "within": None if accept_within is None else int(accept_within.total_seconds()),
            "costs": {line: dict(by_supplier) for line, by_supplier in costs.items()} if costs else None,
        }
        await self._tx.execute(_END, {"o": r.order_key, "n": r.attempt, "to": state.value, "now": now, **kept})

    async def set_freeze(self, order_key: str, freeze: Freeze, now: datetime) -> None:
        """Notes a cancel's decision on every attempt of the order; CANCELED is never taken back.

        The update also locks the rows, so that a confirm comes either before or after it as a whole.
        """
        await self._tx.execute(
            sa.update(_T)
            .where(_T.c.order_key == order_key, _T.c.hold != Freeze.CANCELED.value)
            .values(hold=freeze.value, update_time=now)
        )

    async def set_held(self, order_key: str, held: bool, version: int, now: datetime) -> bool:
        """Notes a hold, or its end, on every attempt to submit the order; False when a newer decision is known.

        The update also locks the rows, as above. A change makes nothing that could begin held.
        """
        changed = await self._tx.execute(
            sa.update(_T)
            .where(_T.c.order_key == order_key, _T.c.kind == Kind.SUBMIT.value, _T.c.held_version <= version)
            .values(held=held, held_version=version, update_time=now)
        )
        return bool(changed.rowcount)

    async def due(self, now: datetime, next_check: datetime, limit: int) -> list[tuple[str, int, Kind]]:
        """Attempts whose end is overdue; taken for this replica until `next_check`."""
        select = (
            sa.select(_T.c.order_key, _T.c.attempt, _T.c.kind)
            .where(_T.c.check_time <= now)
            .order_by(_T.c.check_time)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        found = [(row.order_key, row.attempt, Kind(row.kind)) for row in await self._tx.execute(select)]
        if found:
            await self._tx.execute(
                sa.update(_T)
                .where(_T.c.order_key == sa.bindparam("o"), _T.c.attempt == sa.bindparam("n"))
                .values(check_time=sa.bindparam("next")),
                [{"o": o, "n": n, "next": next_check} for o, n, _ in found],
            )
        return found


def _reservation(row: Any) -> Reservation:
    return Reservation(
        order_key=row.order_key,
        attempt=row.attempt,
        state=ReservationState(row.state),
        freeze=Freeze(row.hold),
        ranking=tuple(row.stages) if row.stages else Strategy(row.strategy),
        lines=lines_in(row.lines),
        assignments=assignments_in(row.assignments),
        check_time=row.check_time,
        held=row.held,
        order_xp=row.order_xp or {},
        kind=Kind(row.kind),
        accept_within=None if row.accept_within is None else timedelta(seconds=row.accept_within),
        costs=row.costs or {},
    )
