"""A disk that is soon full: a tmpfs of some megabytes, which only root may mount."""

from __future__ import annotations

import errno
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PAGE = 4_096


@dataclass(frozen=True, slots=True)
class Disk:
    """Where it is mounted."""

    path: Path

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"

    def fill(self) -> None:
        """Takes all space that is left."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (256 * PAGE, PAGE):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        """Gives the space back."""
        self._ballast.unlink()


@contextmanager
def tiny_disk(megabytes: int, owner: str = "root") -> Iterator[Disk]:
    """Mounts it for the block. Fails where mounting is not allowed: the test needs root."""
    folder = Path(tempfile.mkdtemp(prefix="waybill-disk-"))
    try:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "waybill-test", str(folder)]
        done = subprocess.run(mount, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"a full disk is tested on a tmpfs, which this user may not mount: {done.stderr.strip()}")
        try:
            shutil.chown(folder, owner, owner)
            yield Disk(folder)
        finally:
            # Lazily: whoever still has a file open there keeps it until he closes it.
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()
