"""One asynchronous store code for SQLite and PostgreSQL."""

from libs.db.database import Database, Tx, inserting
from libs.db.failures import is_unique_violation
from libs.db.statements import counting
from libs.db.tuning import Tuning
from libs.db.types import Json, Micros, PublicId, UtcTime, metadata

__all__ = [
    "Database",
    "Json",
    "Micros",
    "PublicId",
    "Tuning",
    "Tx",
    "UtcTime",
    "counting",
    "inserting",
    "is_unique_violation",
    "metadata",
]
