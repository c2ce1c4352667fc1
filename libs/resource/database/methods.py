"""The standard methods over one table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from functools import cache
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict
from sqlalchemy.exc import IntegrityError

from libs.audit.trail import Act, note
from libs.clock import Clock
from libs.db import Database, Tx, is_unique_violation
from libs.errors import Violations, exists, in_use, missing, stale, was_deleted
from libs.idempotency import outcomes, tombstones
from libs.idempotency.key import key_of
from libs.ids import IdSource, valid_id
from libs.protoconv import mask_paths
from libs.query.request import Page, page_request
from libs.relay import changes
from libs.relay.change import Change
from libs.resource.contract import Guard, Then
from libs.resource.database.resource import Clause, Resource, Rule
from libs.resource.database.uses import uses_of
from libs.rpc.call import current
from waybill.type.v1 import reasons

T = TypeVar("T")
Work = TypeVar("Work")
BATCH = 1_000


def _edition(row: Mapping[Any, Any]) -> int:
    """The version of a row in the feed: what was edited and, where a row has balances, what was booked."""
    return int(row["version"]) + int(row.get("bookings", 0))


@cache
def _of_ids(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table).where(table.c.id.in_(sa.bindparam("ids", expanding=True)))


class StandardMethods(Generic[Work]):
    """Fulfils `libs.resource.contract.Methods` in one database; `bind` makes the stores that guards are given."""

    def __init__(
        self, database: Database, requests: sa.Table, resource: Resource, clock: Clock, ids: IdSource, bind: Callable[[Tx], Work]
    ) -> None:
        self._db = database
        self._requests = requests
        self._resource = resource
        self._visible: Rule = resource.visible
        self._bind = bind
        self._clock = clock
        self._ids = ids
        self._deleted = tombstones.of(requests.metadata)
        self._changes = changes.tables_of(requests.metadata) if changes.keeps_changes(requests.metadata) else None

    def showing(self, visible: Clause) -> StandardMethods[Work]:
        """The same methods for a caller who sees these rows, whatever the resource says: for what depends on other tables."""
        made = copy(self)
        made._visible = lambda _: visible
        return made

    async def create(
        self,
        request: Any,
        messages: Sequence[Any],
        where: str,
        *,
        guard: Guard[Work] | None = None,
        before: Violations | None = None,
        then: Then[Work] | None = None,
    ) -> list[Any]:
        """Creates all or none. `where` is the request's field; a list field gets indices. `before` is what is wrong
        so far; `then` runs in the same transaction."""
        shape, table = self._resource.shape, self._resource.table
        found = Violations()
        found.also(before or Violations())
        batch = request.DESCRIPTOR.fields_by_name[where].is_repeated
        found.require(where, 0 < len(messages) <= BATCH, reasons.TOO_MANY_ITEMS, f"1 to {BATCH:,} at a time")
        items: list[tuple[str, dict[str, Any]]] = []
        now = self._clock.now()
        seen: set[str] = set()
        for i, message in enumerate(messages[:BATCH]):
            path = f"{where}[{i}]" if batch else where
            values = shape.read(found, path, message)
            id = message.id or self._ids.public(shape.prefix)
            found.require(f"{path}.id", id not in seen, reasons.DUPLICATE_ITEM, f"id {id!r} stands twice")
            seen.add(id)
            items.append((path, {"id": id, **values, "version": 1, "create_time": now, "update_time": now}))
        key = key_of(current().principal, current().method, request)
        ids = [values["id"] for _, values in items]

        # The database is not asked about ids that cannot be in it.
        valid = [id for id in ids if valid_id(id)]

        async def work(tx: Tx) -> list[Any]:
            recorded = await outcomes.claim(tx, self._requests, key, {"ids": valid}, now)
            if recorded is not None:
                return await self._by_ids(tx, recorded["ids"])
            taken, gone = await self._taken(tx, valid)
            wrong = Violations()
            wrong.also(found)
            if guard is not None:
                await guard(self._bind(tx), wrong, items)
            if taken and not wrong:
                raise exists(shape.name, next(id for id in ids if id in taken))
            if gone and not wrong:
                raise was_deleted(shape.name, next(id for id in ids if id in gone))
            for path, values in items:
                wrong.require(f"{path}.id", values["id"] not in taken, reasons.RESOURCE_EXISTS, "the id is taken")
                wrong.require(f"{path}.id", values["id"] not in gone, reasons.ID_OF_DELETED, "the id is of what was deleted")
            wrong.raise_if_any()
            rows = [values for _, values in items]
            await tx.execute(tx.insert(table), rows)
            await self._add_to_feed(tx, [Change(shape.name, row["id"], 1, now) for row in rows])
            if then is not None:
                await then(self._bind(tx), rows)
            return [shape.write(row) for row in rows]

        if found and guard is None:
            found.raise_if_any()
        return await self._racing(work)

    async def _taken(self, tx: Tx, ids: Sequence[str]) -> tuple[set[str], set[str]]:
        """Of these ids those that exist, and those of what was deleted, as one moment has both."""
        table, deleted = self._resource.table, self._deleted
        here = sa.select(table.c.id, sa.literal(False).label("gone")).where(table.c.id.in_(ids))
        if deleted is None:
            return set((await tx.execute(here)).scalars()), set()
        gone = tombstones.gone(deleted, table.name, ids).add_columns(sa.literal(True).label("gone"))
        rows = (await tx.execute(sa.union_all(here, gone))).all()
        return {row.id for row in rows if not row.gone}, {row.id for row in rows if row.gone}

    async def _add_to_feed(self, tx: Tx, made: Sequence[Change]) -> None:
        """Writes what has changed into the service's feed, if it keeps one, and into the log of acts in any case."""
        if self._changes is not None:
            await changes.append(tx, self._changes, made)
        else:
            note(tx, self._requests.metadata, [Act(one.resource, one.resource_id, one.time, one.fields) for one in made])

    async def _racing(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Runs `work`, and once more when another transaction was faster with something that is unique: its look-ups
        find that now, and name it."""
        try:
            return await self._db.retrying(work)
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
        return await self._db.retrying(work)

    def _seen(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """Of these rows those that the caller sees."""
        visible = self._visible(current().principal)
        return statement if visible is None else statement.where(visible)

    def _written(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """Of these rows those that the caller may change and delete."""
        writable = self._resource.writable(current().principal)
        return statement if writable is None else statement.where(writable)

    async def _by_ids(self, tx: Tx, ids: Sequence[str]) -> list[Any]:
        table = self._resource.table
        rows = (await tx.execute(_of_ids(table), {"ids": list(ids)})).mappings().all()
        by_id = {row["id"]: self._resource.shape.write(row) for row in rows}
        for id in ids:
            if id not in by_id:
                # A repeat of the request that made it, after it was deleted.
                raise missing(self._resource.shape.name, id)
        return [by_id[id] for id in ids]

    async def get(self, id: str) -> Any:
        """Reads one; NOT_FOUND also for what is not visible."""
        table = self._resource.table
        if not valid_id(id):
            raise missing(self._resource.shape.name, id)
        statement = self._seen(sa.select(table).where(table.c.id == id))
        async with self._db.reading() as tx:
            row = (await tx.execute(statement)).mappings().first()
        if row is None:
            raise missing(self._resource.shape.name, id)
        return self._resource.shape.write(row)

    async def batch_get(self, ids: Sequence[str]) -> tuple[list[Any], list[str]]:
        """Reads many in one statement; ids that are not found come second."""
        table = self._resource.table
        wanted = list(dict.fromkeys(ids))
        statement = self._seen(_of_ids(table))
        async with self._db.reading() as tx:
            rows = (await tx.execute(statement, {"ids": [id for id in wanted if valid_id(id)]})).mappings().all()
        got = {row["id"] for row in rows}
        return [self._resource.shape.write(row) for row in rows], [id for id in wanted if id not in got]

    async def list(self, request: Any) -> Page[Any]:
        """A page."""
        table = self._resource.table
        caller = current().principal
        bound = {"party": caller.party_id, "user": caller.identity}
        plan = self._resource.listing.plan(self._db.dialect, page_request(request), bound)
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, self._seen(sa.select(table)))
        return page.map(lambda row: self._resource.shape.write(row._mapping))

    async def update(
        self,
        request: Any,
        message: Any,
        where: str,
        *,
        guard: Guard[Work] | None = None,
        before: Violations | None = None,
        then: Then[Work] | None = None,
    ) -> Any:
        """Changes the fields of the mask; xp is merged; a stale etag is ABORTED. `before` is what is wrong so far."""
        shape, table = self._resource.shape, self._resource.table
        found = Violations()
        paths = mask_paths(found, request.update_mask, message, shape.attributes)
        found.check_id(f"{where}.id", message.id)
        if found:
            found.also(before or Violations())
            found.raise_if_any()
        key = key_of(current().principal, current().method, request)
        now = self._clock.now()
        statement = self._written(sa.select(table).where(table.c.id == message.id).with_for_update())

        async def work(tx: Tx) -> Any:
            recorded = await outcomes.claim(tx, self._requests, key, {"id": message.id}, now)
            row = (await tx.execute(statement)).mappings().first()
            if row is None:
                raise missing(shape.name, message.id)
            if recorded is not None:
                return shape.write(row)
            if message.etag and message.etag != str(row["version"]):
                raise stale(shape.name, message.id, str(row["version"]))
            wrong = Violations()
            wrong.also(before or Violations())
            changed = shape.read_some(wrong, where, message, row, paths)
            if guard is not None:
                await guard(self._bind(tx), wrong, [(where, {**row, **changed})])
            wrong.raise_if_any()
            changed |= {"version": row["version"] + 1, "update_time": now}
            await tx.execute(sa.update(table).where(table.c.id == message.id).values(**changed))
            await self._add_to_feed(tx, [Change(shape.name, message.id, _edition({**row, **changed}), now, fields=tuple(paths))])
            stored = {**row, **changed}
            if then is not None:
                await then(self._bind(tx), [stored])
            return shape.write(stored)

        return await self._racing(work)

    async def delete(self, request: Any, id: str, *, guard: Guard[Work] | None = None) -> None:
        """Deletes one; a repeat of the same request is no error. A stale etag is ABORTED, what is used RESOURCE_IN_USE.
        The id stays taken."""
        table, shape = self._resource.table, self._resource.shape
        if not valid_id(id):
            raise missing(shape.name, id)
        key = key_of(current().principal, current().method, request)
        now = self._clock.now()
        # Locked: who refers to it from now on waits, and finds it gone; who has referred to it already is seen.
        statement = sa.select(table).where(table.c.id == id).with_for_update()
        statement = self._written(statement)

        async def work(tx: Tx) -> None:
            if await outcomes.claim(tx, self._requests, key, {"id": id}, now) is not None:
                return
            row = (await tx.execute(statement)).mappings().first()
            if row is None:
                raise missing(shape.name, id)
            if request.etag and request.etag != str(row["version"]):
                raise stale(shape.name, id, str(row["version"]))
            if guard is not None:
                wrong = Violations()
                await guard(self._bind(tx), wrong, [("", dict(row))])
                wrong.raise_if_any()
            if used := await uses_of(tx, self._resource, id):
                raise in_use(shape.name, id, used)
            await tx.execute(sa.delete(table).where(table.c.id == id))
            if self._deleted is not None:
                await tombstones.bury(tx, self._deleted, table.name, [id], now)
            body = MessageToDict(shape.write(row), preserving_proto_field_name=True)
            await self._add_to_feed(tx, [Change(shape.name, id, _edition(row), now, body)])

        await self._db.retrying(work)
