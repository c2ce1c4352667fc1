"""One asynchronous store code for SQLite and PostgreSQL."""

from libs.db.database import Database, Tx, is_unique_violation
from libs.db.types import Json, Micros, PublicId, UtcTime, metadata

__all__ = ["Database", "Json", "Micros", "PublicId", "Tx", "UtcTime", "is_unique_violation", "metadata"]
