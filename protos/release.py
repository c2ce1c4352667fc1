"""Makes `build/waybill-protos-<version>.tar.gz`: the contracts and the client programs of the documentation.

Run as `python protos/release.py`. Whoever unpacks it needs neither Python nor this repository. The same sources make the
same bytes: entries are sorted, and times and owners are fixed.
"""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "gen" / "waybill" / "proto_files"
CLIENTS = ROOT / "docs" / "clients"
OF_A_BUILD = frozenset({"node_modules", "gen", "dist", "__pycache__"})
"""Folders that running a client program leaves behind."""
TIME = 946684800
"""The time of every entry: 2000-01-01T00:00:00Z."""


def version() -> str:
    """Of the project."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def entries() -> Iterator[tuple[str, Path]]:
    """Name in the archive and file of every entry."""
    for path in CONTRACTS.rglob("*"):
        yield f"protos/{path.relative_to(CONTRACTS).as_posix()}", path
    yield "docs/clients.md", ROOT / "docs" / "clients.md"
    for path in CLIENTS.rglob("*"):
        if OF_A_BUILD.isdisjoint(path.relative_to(CLIENTS).parts):
            yield f"docs/clients/{path.relative_to(CLIENTS).as_posix()}", path


def archive() -> bytes:
    """The archive."""
    top, raw = f"waybill-protos-{version()}", io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, path in sorted(entries()):
            if not path.is_file():
                continue
            content, entry = path.read_bytes(), tarfile.TarInfo(f"{top}/{name}")
            entry.size, entry.mtime, entry.mode = len(content), TIME, 0o644
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def main() -> int:
    """Makes the contracts anew if need be, then the archive, and prints where it is."""
    subprocess.run([sys.executable, str(ROOT / "protos" / "generate.py")], check=True)
    target = ROOT / "build" / f"waybill-protos-{version()}.tar.gz"
    target.write_bytes(archive())
    sys.stdout.write(f"{target.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
