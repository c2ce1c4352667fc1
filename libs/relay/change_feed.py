"""Reads the changes of a service in the order of their commits, from any place that is still known."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from libs.audit.trail import Act, note
from libs.clock import Clock, SystemClock
from libs.db import Database, Tx
from libs.relay import feed
from libs.relay.change import Cause, Change, Entry, FeedState, Place, position_lost
from libs.relay.changes import CHANGES, STATE, ChangeTables
from libs.relay.feed import Position
from libs.service.loops import Loop

START = Position()
"""Before everything."""
KEPT = timedelta(days=30)
"""How long changes are kept, unless a service says otherwise."""
FORGET_PAUSE = 3_600.0
"""Seconds between two looks for changes to forget."""
FORGOTTEN_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class _State:
    enabled: bool = True
    epoch: str = ""
    before_id: int = 0
    lost: Position = START


async def _state(tx: Tx, tables: ChangeTables) -> _State:
    row = (await tx.execute(sa.select(tables.state))).mappings().first()
    if row is None:
        return _State()
    return _State(row["enabled"], row["epoch"], row["before_id"], Position(row["lost_xact"], row["lost_id"]))


async def _keep(tx: Tx, tables: ChangeTables, state: _State) -> None:
    values = {
        "enabled": state.enabled,
        "epoch": state.epoch,
        "before_id": state.before_id,
        "lost_xact": state.lost.xact,
        "lost_id": state.lost.id,
    }
    statement = tx.insert(tables.state).values(number=1, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["number"], set_=values))


async def _alone(tx: Tx, tables: ChangeTables) -> None:
    """Waits for every transaction that has asked for the switch, and lets none ask until this one ends.

    Every writer holds the lock that its insert takes, one that has inserted nothing too. SQLite has one writer anyway.
    """
    if tx.dialect == "postgresql":
        table = tables.changes
        name = f'"{table.schema}"."{table.name}"' if table.schema else f'"{table.name}"'
        await tx.execute(sa.text(f"LOCK TABLE {name} IN EXCLUSIVE MODE"))


class SqlChangeFeed:
    """The feed in a service's own tables."""

    def __init__(self, database: Database, tables: ChangeTables) -> None:
        self._db = database
        self._tables = tables

    async def oldest(self) -> Place:
        """See the protocol."""
        async with self._db.reading() as tx:
            state = await _state(tx, self._tables)
        return Place(state.lost, state.epoch)

    async def latest(self) -> Place:
        """See the protocol."""
        async with self._db.reading(snapshot=True) as tx:
            state = await _state(tx, self._tables)
            return Place(max(state.lost, await feed.latest(tx, self._tables.changes)), state.epoch)

    async def read(self, place: Place, resources: Sequence[str], limit: int) -> tuple[list[Entry], Place]:
        """See the protocol. State and rows come from one snapshot: nothing is forgotten between them."""
        c = self._tables.changes.c
        async with self._db.reading(snapshot=True) as tx:
            state = await _state(tx, self._tables)
            if place.epoch != state.epoch:
                raise position_lost("the feed was off or restored from a backup since")
            if place.position < state.lost:
                raise position_lost("changes that followed have been forgotten")
            wanted = sa.select(self._tables.changes).where(c.id > state.before_id)
            if resources:
                wanted = wanted.where(c.resource.in_(list(resources)))
            rows, onward = await feed.read(tx, self._tables.changes, wanted, place.position, limit)
        return [_entry(row, state.epoch) for row in rows], Place(onward, state.epoch)

    def ring(self, bell: Callable[[], None]) -> None:
        """See the protocol."""
        self._db.on_commit(self._tables.changes, bell)

    async def state(self) -> FeedState:
        """Counts what is known of the present epoch."""
        c = self._tables.changes.c
        counting = sa.select(sa.func.count().label("n"), sa.func.min(c.time).label("oldest"), sa.func.max(c.time).label("newest"))
        async with self._db.reading(snapshot=True) as tx:
            state = await _state(tx, self._tables)
            row = (await tx.execute(counting.where(c.id > state.before_id))).mappings().one()
        return FeedState(state.enabled, row["n"], row["oldest"], row["newest"])

    async def switch(self, enabled: bool) -> None:
        """Turns the writing on or off, for every process. What happens while it is off is a gap: turning it on begins a
        new epoch, in which positions from before are lost."""
        async with self._db.transaction() as tx:
            await _alone(tx, self._tables)
            state = await _state(tx, self._tables)
            if state.enabled == enabled:
                return
            epoch, before = state.epoch, state.before_id
            if enabled:
                epoch = uuid.uuid4().hex
                newest = (await tx.execute(sa.select(sa.func.max(self._tables.changes.c.id)))).scalar()
                before = int(newest or before)
            await _keep(tx, self._tables, _State(enabled, epoch, before, state.lost))
            act = Act("change feed", "on" if enabled else "off", SystemClock().now(), ("enabled",))
            note(tx, self._tables.changes.metadata, [act])

    async def forget(self, older_than: datetime, most: int = FORGOTTEN_AT_ONCE) -> int:
        """Forgets changes from before a time, at most so many, in the order of the feed; returns how many.

        It ends at the first one that is younger: what is known is always all that follows some position.
        """
        c = self._tables.changes.c
        place = (c.xact, c.id)
        async with self._db.transaction() as tx:
            first = (await tx.execute(sa.select(*place, c.time).order_by(*place).limit(most))).all()
            old = []
            for row in first:
                if row.time >= older_than:
                    break
                old.append(Position(row.xact, row.id))
            end = await feed.latest(tx, self._tables.changes)
            old = [position for position in old if position <= end]
            if not old:
                return 0
            state = await _state(tx, self._tables)
            await tx.execute(sa.delete(self._tables.changes).where(c.id.in_([position.id for position in old])))
            lost = max(state.lost, old[-1])
            await _keep(tx, self._tables, _State(state.enabled, state.epoch, state.before_id, lost))
            return len(old)

    def forgetting(self, clock: Clock, kept: timedelta = KEPT, pause: float = FORGET_PAUSE) -> Loop:
        """A background loop that forgets what is older than `kept`."""

        async def forget() -> None:
            while await self.forget(clock.now() - kept) >= FORGOTTEN_AT_ONCE:
                pass

        return Loop("forget_changes", forget, pause, min(pause, 60.0))


def _entry(row: sa.RowMapping, epoch: str) -> Entry:
    return Entry(
        Place(Position(row["xact"], row["id"]), epoch),
        Change(row["resource"], row["resource_id"], row["version"], row["time"], row["body"]),
        Cause(row["method"], row["client_id"], row["actor"], row["impersonator"], row["request_id"]),
    )


def restored(prefix: str = "") -> list[str]:
    """Statements, for both databases, that make restored changes readable and every position from before void."""
    made = uuid.uuid4().hex
    changes, state = prefix + CHANGES, prefix + STATE
    return [
        f"UPDATE {changes} SET xact = 0 WHERE xact <> 0",
        f"INSERT INTO {state} (number, enabled, epoch, before_id, lost_xact, lost_id) VALUES (1, true, '', 0, 0, 0) "
        "ON CONFLICT (number) DO NOTHING",
        f"UPDATE {state} SET epoch = '{made}', lost_xact = 0, lost_id = 0",
    ]
