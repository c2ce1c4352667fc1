"""Statements written with SQLAlchemy, compiled and cached by it, and sent by the driver itself.

SQLAlchemy's own way from a compiled statement to the driver (an execution context, a cursor, a greenlet for each) costs
more than all else in a short statement. What stores send needs none of it: a SELECT of which all rows are read, or an INSERT,
UPDATE or DELETE whose rows are counted. The pool, transactions and the form of errors stay SQLAlchemy's. This is the
one module that looks into SQLAlchemy's compiled statements and adapted connections; its version is pinned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util import LRUCache, greenlet_spawn

from libs.db.sqlite import InlineConnection

Row = Mapping[str, Any]
SENDABLE = (sa.Select, sa.CompoundSelect, sa.Insert, sa.Update, sa.Delete, sa.TextClause)
CACHED = 2_000
"""Compiled statements of one engine; a service has a few hundred."""
_COUNTED = re.compile(r"(?:SELECT|UPDATE|DELETE|INSERT \d+) (\d+)")
_NO_COLUMNS = SimpleResultMetaData([])


class Rows(IteratorResult[Any]):
    """All that a statement answered. `rowcount` is how many rows it changed or selected, -1 if the driver does not say."""

    def __init__(self, metadata: SimpleResultMetaData, rows: Sequence[Sequence[Any]], rowcount: int) -> None:
        super().__init__(metadata, iter(rows))
        self.rowcount = rowcount


def nothing() -> Rows:
    """The answer to a statement that was not sent."""
    return Rows(_NO_COLUMNS, (), 0)


class Plan:
    """A compiled statement, with what its parameters and its rows go through."""

    __slots__ = ("_binds", "_compiled", "_expands", "_metadata", "_names", "text")

    def __init__(self, compiled: Any) -> None:
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError("a column with a default that Python makes is not sent directly: use server_default")
        self._compiled = compiled
        self._binds = dict(compiled._bind_processors)
        self._names: Sequence[str] = compiled.positiontup
        self._expands = bool(compiled.literal_execute_params or compiled.post_compile_params)
        self._metadata: SimpleResultMetaData | None = None
        self.text: str = compiled.string

    def bind(self, parameters: Row | None, own: Any, group: int | None = None) -> tuple[str, list[Any]]:
        """(text, values in the order of its placeholders). A list in an IN makes a text of its own.

        `own` are the values that stand in the statement itself; `group` counts rows that are sent together.
        """
        compiled, (extracted, collected) = self._compiled, own
        values = compiled.construct_params(
            parameters, extracted_parameters=extracted, escape_names=False, _group_number=group, _collected_params=collected
        )
        text, names, binds = self.text, self._names, self._binds
        if self._expands:
            state = compiled._process_parameters_for_postcompile(values)
            text, names, binds = state.statement, state.positiontup, {**binds, **state.processors}
        return text, [binds[name](values[name]) if name in binds else values[name] for name in names]

    def answer(self, described: Sequence[tuple[str, Any]], rows: Sequence[Any], rowcount: int) -> Rows:
        """What came back; `described` are the driver's names and types of the columns, which are made out once."""
        if not described:
            return Rows(_NO_COLUMNS, (), rowcount)
        if self._metadata is None:
            columns = self._compiled._result_columns
            if not columns:
                self._metadata = SimpleResultMetaData([name for name, _ in described])
            else:
                types = [type for _, type in described]
                reads = [
                    column.type._cached_result_processor(self._compiled.dialect, type)
                    for column, type in zip(columns, types, strict=True)
                ]
                self._metadata = SimpleResultMetaData(
                    [column.keyname for column in columns],
                    [tuple(column.objects) for column in columns],
                    _processors=reads if any(reads) else None,
                )
        return Rows(self._metadata, rows, rowcount)


class Sender:
    """Sends over the connections of one engine."""

    def __init__(self, dialect: Any) -> None:
        self._dialect = dialect
        self._compiled: LRUCache[Any, Any] = LRUCache(CACHED)
        self._plans: LRUCache[Any, Plan] = LRUCache(CACHED)

    async def send(
        self, connection: AsyncConnection, statement: Any, parameters: Row | Sequence[Row] | None, alone: bool
    ) -> Rows:
        """One statement, for one row of parameters or for many; `alone`: outside of a transaction.

        Raises what SQLAlchemy would: `DBAPIError`, and OSError when the connection is silent.
        """
        one, many = _shape(parameters)
        plan, own = self._plan(statement, many[0] if many else one, bool(many))
        sync: Connection = connection.sync_connection  # type: ignore[assignment]
        driver: Any = sync.connection.dbapi_connection
        try:
            if many:
                bound = [plan.bind(row, own, i)[1] for i, row in enumerate(many)]
                return await self._send_many(driver, plan, bound, alone)
            return await self._send_one(driver, plan, *plan.bind(one, own), alone)
        except OSError:
            raise
        except Exception as error:
            await greenlet_spawn(self._raise, sync, driver, error)
            raise
        except BaseException as error:
            # Canceled, so nobody knows what this connection is at: it may not have heard that its transaction began. Closed
            # as SQLAlchemy does it, which asks the server to cancel first: a statement that waits for a lock would go on to wait.
            await greenlet_spawn(sync.invalidate, error)
            raise

    def _plan(self, statement: Any, row: Row | None, many: bool) -> tuple[Plan, Any]:
        compiled, *own, _ = statement._compile_w_cache(
            self._dialect, compiled_cache=self._compiled, column_keys=sorted(row or ()), for_executemany=many
        )
        plan = self._plans.get(compiled)
        if plan is None:
            plan = self._plans[compiled] = Plan(compiled)
        return plan, own

    async def _send_one(self, driver: Any, plan: Plan, text: str, values: list[Any], alone: bool) -> Rows:
        inner = driver.driver_connection
        if isinstance(inner, InlineConnection):
            cursor = inner.execute(text, values)
            return plan.answer([column[:2] for column in cursor.description or ()], cursor.fetchall(), cursor.rowcount)
        if not alone and driver._transaction is None:
            await driver._start_transaction()
        prepared, attributes = await driver._prepare(text, self._dialect._invalidate_schema_cache_asof)
        rows = await prepared.fetch(*values)
        counted = _COUNTED.match(prepared.get_statusmsg() or "")
        return plan.answer([(a.name, a.type.oid) for a in attributes or ()], rows, int(counted[1]) if counted else -1)

    async def _send_many(self, driver: Any, plan: Plan, rows: list[list[Any]], alone: bool) -> Rows:
        inner = driver.driver_connection
        if isinstance(inner, InlineConnection):
            return Rows(_NO_COLUMNS, (), inner.executemany(plan.text, rows).rowcount)
        if not alone and driver._transaction is None:
            await driver._start_transaction()
        await driver._check_type_cache_invalidation(self._dialect._invalidate_schema_cache_asof)
        await inner.executemany(plan.text, rows)
        return Rows(_NO_COLUMNS, (), -1)

    def _raise(self, sync: Connection, driver: Any, error: Exception) -> NoReturn:
        """The driver's error as SQLAlchemy raises it; a connection that was lost by it leaves the pool."""
        try:
            driver._handle_exception(error)
        except Exception as translated:
            dbapi = self._dialect.loaded_dbapi
            stale = getattr(dbapi, "InvalidCachedStatementError", ()), getattr(dbapi, "InternalServerError", ())
            if isinstance(translated, stale):
                self._dialect._invalidate_schema_cache()
            sync._handle_dbapi_exception(translated, None, None, None, None)
        raise error


def _shape(parameters: Row | Sequence[Row] | None) -> tuple[Row | None, Sequence[Row]]:
    """(parameters of one, of many); a list of one is one."""
    if parameters is None or isinstance(parameters, Mapping):
        return parameters, ()
    return (parameters[0], ()) if len(parameters) == 1 else (None, parameters)
