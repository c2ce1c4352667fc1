"""What is sealed in the databases, as a backup finds it and a restore needs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from libs.errors import precondition
from libs.sealing import sealed_by
from services.host.backup import reasons
from services.host.backup.archive import Manifest
from services.host.process.keys.sealing_keys import found_of
from services.host.process.settings import HostSettings

_SEALED = {"directory": ("signing_keys", "private_pem")}
"""By context: the table and the column of what is sealed; empty where nothing is secret any more."""


@dataclass(frozen=True, slots=True)
class Seals:
    """By which keys it is sealed."""

    sealing_keys: tuple[str, ...] = ()
    lies_open: bool = False


def statement(context: str, tables: Iterable[str], prefix: str = "") -> str:
    """Selects all that is sealed; empty for a context without."""
    table, column = _SEALED.get(context, ("", ""))
    return f"SELECT {column} FROM {prefix}{table} WHERE {column} <> ''" if table in set(tables) else ""


def seals(texts: Iterable[str]) -> Seals:
    """Of all that is sealed."""
    found = {sealed_by(text) for text in texts}
    return Seals(tuple(sorted(found - {""})), "" in found)


def drop_statements(context: str, prefix: str = "") -> list[str]:
    """What drops all that is sealed; a start makes new keys in its place."""
    return [f"DELETE FROM {prefix}{_SEALED[context][0]}"] if context in _SEALED else []


def require_keys(settings: HostSettings, manifest: Manifest) -> None:
    """Raises `SEALING_KEY_MISMATCH` when nothing here opens what is sealed in the archive."""
    found = found_of(settings, manifest.sealing_keys)
    if not (missing := manifest.sealing_keys - found):
        return
    wanted, given = ", ".join(sorted(missing)), ", ".join(sorted(found)) or "none"
    message = (
        f"the archive's keys of tokens are sealed by the sealing key {wanted}, and here is {given}: give the right one "
        "by WAYBILL_SEALING_KEY_FILE; if it is lost, --new-keys drops them, and everyone signs in again"
    )
    raise precondition(reasons.SEALING_KEY_MISMATCH, message, wanted=wanted, given=given)
