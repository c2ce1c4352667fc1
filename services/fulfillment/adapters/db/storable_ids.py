"""Of the ids that callers look for only those reach a database that it can hold.

PostgreSQL refuses a statement with a NUL in it; an id that cannot be stored is unknown, like any other that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable

from libs.ids import valid_id


def storable(ids: Iterable[str]) -> list[str]:
    """Those that a database can hold, each once and sorted."""
    return sorted({id for id in ids if valid_id(id)})
