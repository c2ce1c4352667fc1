"""The key that tests seal with, and a configuration folder of their own in which data folders keep theirs."""

from __future__ import annotations

import atexit
import base64
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence

from libs.sealing import SealingKeys

SEALING_KEY = base64.b64encode(hashlib.sha256(b"what tests seal by").digest()).decode()
SEALING = SealingKeys.read(SEALING_KEY)
_CONFIG = "XDG_CONFIG_HOME"
_OURS = "WAYBILL_TEST_CONFIG_HOME"


def begin() -> None:
    """From now on this process, and those that it starts, keep sealing keys in a folder that is gone at its end."""
    if os.environ.get(_OURS):
        return
    os.environ[_OURS] = os.environ[_CONFIG] = tempfile.mkdtemp(prefix="waybill-config-")
    atexit.register(shutil.rmtree, os.environ[_CONFIG], ignore_errors=True)


def sealing_variables(arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """What a process on PostgreSQL has to be given; one on SQLite keeps a key of its own."""
    postgresql = bool(environment.get("WAYBILL_DATABASE_URL")) or "--database-url" in arguments
    return {"WAYBILL_SEALING_KEY": SEALING_KEY} if postgresql else {}


def sealing_key_for(database_url: str) -> str:
    """The same, for a marketplace in this process."""
    return SEALING_KEY if database_url else ""
