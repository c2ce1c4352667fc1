"""A step of migrations: room for longer texts in a table that counts its rows, such as a feed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def resize(table: str, column: str, before: int, after: int) -> None:
    """Changes the length of a text that may not be NULL, of a table whose `id` is never given twice.

    SQLite makes such a table anew, and would count from its newest row: ids of rows that were deleted would come again, and
    readers whose places lie beyond them would miss what has them. So it goes on counting from where it stood.
    """
    bind = op.get_bind()
    counted = None
    if bind.dialect.name == "sqlite":
        counted = bind.execute(sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table}).scalar()
    with op.batch_alter_table(table, schema=None, table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column(column, existing_type=sa.String(length=before), type_=sa.String(length=after), existing_nullable=False)
    if counted is not None:
        bind.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
        bind.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), {"name": table, "seq": counted})
