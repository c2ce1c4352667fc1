"""A table that is made anew for longer texts keeps its rows, and never gives an id twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from libs.db.resizing import resize

METADATA = sa.MetaData()
FEED = sa.Table(
    "feed",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("text", sa.String(10), nullable=False),
    sqlite_autoincrement=True,
)


def test_ids_of_deleted_rows_do_not_come_again_and_rows_stay() -> None:
    with sa.create_engine("sqlite://").begin() as connection:
        METADATA.create_all(connection)
        connection.execute(FEED.insert(), [{"text": text} for text in ("first", "second", "third")])
        connection.execute(FEED.delete().where(FEED.c.id == 3))
        with Operations.context(MigrationContext.configure(connection)):
            resize("feed", "text", 10, 20)
        assert str(sa.inspect(connection).get_columns("feed")[1]["type"]) == "VARCHAR(20)"
        connection.execute(FEED.insert(), {"text": "fourth"})
        assert connection.execute(sa.select(FEED)).all() == [(1, "first"), (2, "second"), (4, "fourth")]


def test_a_table_that_never_had_a_row_begins_at_one() -> None:
    with sa.create_engine("sqlite://").begin() as connection:
        METADATA.create_all(connection)
        with Operations.context(MigrationContext.configure(connection)):
            resize("feed", "text", 10, 20)
        connection.execute(FEED.insert(), {"text": "first"})
        assert connection.execute(sa.select(FEED.c.id)).scalars().all() == [1]
