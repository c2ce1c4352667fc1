"""Ids that callers look for, as far as there can be such: no others reach a database.

PostgreSQL refuses a statement with a NUL in it; what cannot be is unknown, like any other id that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable

from libs.ids import valid_id


def possible(ids: Iterable[str]) -> list[str]:
    """Each once, in their order."""
    return sorted({id for id in ids if valid_id(id)})
