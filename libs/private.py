"""Files and folders that only their owner may look into, whatever the umask of the process that makes them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

FILE = 0o600
FOLDER = 0o700


def private_folder(folder: Path) -> None:
    """Makes the folder, or takes from everyone else the access to one that is there."""
    folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    close(folder)


def private_file(path: Path) -> None:
    """Makes an empty file, or takes from everyone else the access to one that is there. Raises OSError.

    One that is there is not opened: a process that closes a file lets go of all its locks on it, those of a database that it has
    open too, and another process that uses the database would take itself for the only one.
    """
    path.parent.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE))
    close(path)


def close(path: Path) -> None:
    """Leaves access to the owner alone. What is not ours, not there, or shared on purpose like /tmp stays as it is."""
    with suppress(FileNotFoundError):
        found = path.stat()
        if found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX:
            return
        if found.st_mode & 0o077:
            path.chmod(stat.S_IMODE(found.st_mode) & FOLDER)
