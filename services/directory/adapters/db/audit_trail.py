"""Administrative acts of the directory that change no resource of its feed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.audit import trail
from libs.db import Tx
from services.directory.adapters.db.tables import METADATA


class SqlAuditTrail:
    """Fulfils `AuditTrail`."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def note(self, resource: str, id: str, now: datetime, *, action: str = "", fields: Sequence[str] = ()) -> None:
        """One more; see the protocol."""
        trail.note(self._tx, METADATA, [trail.Act(resource, id, now, tuple(fields), action)])
