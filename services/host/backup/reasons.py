"""Reasons for which a backup, a restore or an archive is refused. The command line shows them; no service sends them."""

from __future__ import annotations

from typing import Final

from waybill.type.v1.reasons import ReasonName

ARCHIVE_EXISTS: Final = ReasonName("ARCHIVE_EXISTS")
ARCHIVE_INVALID: Final = ReasonName("ARCHIVE_INVALID")
ARCHIVE_NEWER: Final = ReasonName("ARCHIVE_NEWER")
BACKUP_CONTENDED: Final = ReasonName("BACKUP_CONTENDED")
DATABASE_MISSING: Final = ReasonName("DATABASE_MISSING")
DATABASE_NOT_EMPTY: Final = ReasonName("DATABASE_NOT_EMPTY")
ENGINE_MISMATCH: Final = ReasonName("ENGINE_MISMATCH")
REVISION_MISMATCH: Final = ReasonName("REVISION_MISMATCH")
SEALING_KEY_MISMATCH: Final = ReasonName("SEALING_KEY_MISMATCH")
