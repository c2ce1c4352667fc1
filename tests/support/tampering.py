"""Changes rows behind a service's back, and puts them right again."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa

from libs.db import Database
from libs.db.database import Tx

Rows = dict[tuple[Any, ...], dict[str, Any]]


@asynccontextmanager
async def tampered(database: Database, statements: Sequence[Any]) -> AsyncIterator[None]:
    """Runs the statements without foreign keys or triggers; the block ends with every touched table as it was."""
    tables = {statement.table for statement in statements}
    before = {table: await _rows(database, table) for table in tables}
    async with _unguarded(database) as tx:
        for statement in statements:
            changed = await tx.execute(statement)
            assert changed.rowcount, f"nothing is changed by {statement}"
    try:
        yield
    finally:
        for table, kept in before.items():
            await _restore(database, table, kept)


async def _rows(database: Database, table: sa.Table) -> Rows:
    async with database.reading() as tx:
        rows = [dict(row) for row in (await tx.execute(sa.select(table))).mappings()]
    keys = [column.name for column in table.primary_key]
    return {tuple(row[name] for name in keys): row for row in rows}


async def _restore(database: Database, table: sa.Table, kept: Rows) -> None:
    now = await _rows(database, table)
    async with _unguarded(database) as tx:
        for key in now.keys() - kept.keys():
            await tx.execute(sa.delete(table).where(*_where(table, key)))
        for key, row in kept.items():
            if key not in now:
                await tx.execute(sa.insert(table), row)
            elif now[key] != row:
                await tx.execute(sa.update(table).where(*_where(table, key)).values(**row))


def _where(table: sa.Table, key: tuple[Any, ...]) -> list[Any]:
    return [column == value for column, value in zip(table.primary_key, key, strict=True)]


@asynccontextmanager
async def _unguarded(database: Database) -> AsyncIterator[Tx]:
    if database.dialect == "postgresql":
        async with database.transaction() as tx:
            await tx.execute(sa.text("SET LOCAL session_replication_role = replica"))
            yield tx
        return
    async with database._alone(), database._writer.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        driver.pragma("foreign_keys=OFF")
        driver.pragma("ignore_check_constraints=ON")
        try:
            await connection.begin()
            yield database._over(connection)
            await connection.commit()
        finally:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                await connection.rollback()
            driver.pragma("foreign_keys=ON")
            driver.pragma("ignore_check_constraints=OFF")


def like(row: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """A copy of a row with other values."""
    return {**row, **values}
