"""Where a run writes what it throws away: in memory, where a machine has enough of it. A commit of SQLite waits for the disk,
and a run has very many of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH = 4 * 2**30
"""Bytes that have to be free there; a run of all tests uses a tenth."""
_VARIABLE = "TMPDIR"


def begin() -> None:
    """From now on temporary files of this process, and of those that it starts, are in memory. A folder that somebody has named
    stays."""
    if os.environ.get(_VARIABLE) or not _fits():
        return
    os.environ[_VARIABLE] = str(MEMORY)
    tempfile.tempdir = None


def _fits() -> bool:
    try:
        return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH
    except OSError:
        return False
