"""The archive: a folder of data files, a manifest that describes them, and SHA256SUMS over all of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from libs.errors import WaybillError, precondition
from libs.private import FILE, FOLDER, close
from services.host.backup import reasons

FORMAT = 1
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class TablePart:
    """One table: its rows and, when it has a file of its own, that file and the columns in it."""

    rows: int
    file: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextPart:
    """The database of one context at the cut."""

    engine: str
    """`postgresql` or `sqlite`."""
    revision: str
    """The revision of its tables."""
    tables: Mapping[str, TablePart]
    sequences: Mapping[str, int] = field(default_factory=dict)
    """Last values of PostgreSQL's sequences."""
    file: str = ""
    """The whole database, on SQLite."""
    sealing_keys: tuple[str, ...] = ()
    """The fingerprints of the keys that seal what is secret in it. The keys themselves are in no archive."""
    lies_open: bool = False
    """Whether some of that is not sealed: no service of this build has started on the database yet."""

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables.values())


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds."""

    made: datetime
    """When the cut was made."""
    contexts: Mapping[str, ContextPart]
    files: Mapping[str, str]
    """SHA-256 of each data file, by path."""

    @property
    def sealing_keys(self) -> frozenset[str]:
        """The fingerprints of the keys without which what is secret in it cannot be used."""
        return frozenset(key for part in self.contexts.values() for key in part.sealing_keys)

    @property
    def lies_open(self) -> bool:
        """Whether something secret in it is not sealed."""
        return any(part.lies_open for part in self.contexts.values())

    @property
    def rows(self) -> int:
        """Rows of all contexts."""
        return sum(part.rows for part in self.contexts.values())


def bad(path: Path, why: str) -> WaybillError:
    """The archive cannot be trusted."""
    return precondition(reasons.ARCHIVE_INVALID, f"{path} is no whole archive: {why}", archive=str(path))


@contextmanager
def folder_for(folder: Path) -> Iterator[None]:
    """Makes the folder, and removes it when the block fails. One that holds anything is refused: `ARCHIVE_EXISTS`."""
    folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        message = f"{folder} is not empty: an archive is written into a folder of its own"
        raise precondition(reasons.ARCHIVE_EXISTS, message, archive=str(folder))
    close(folder)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner may read, durable at the end of the block."""
    path.parent.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def finish(folder: Path, made: datetime, contexts: Mapping[str, ContextPart]) -> Manifest:
    """Sums up and describes the data files. Only now is the archive whole."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    manifest = Manifest(made, contexts, {name: digest(folder / name) for name in names})
    content = {"format": FORMAT, **asdict(manifest), "made": made.isoformat()}
    with writing(folder / MANIFEST) as file:
        file.write(json.dumps(content, indent=1).encode())
    sums = {**manifest.files, MANIFEST: digest(folder / MANIFEST)}
    with writing(folder / SUMS) as file:
        file.write("".join(f"{sum}  {name}\n" for name, sum in sums.items()).encode())
    return manifest


def read(folder: Path) -> Manifest:
    """The manifest of an archive whose every file is as it was written. Raises `ARCHIVE_INVALID`."""
    try:
        lines = (folder / SUMS).read_text().splitlines()
        sums = {name: sum for sum, _, name in (line.partition("  ") for line in lines)}
        _verify(folder, MANIFEST, sums.get(MANIFEST, ""))
        manifest = _parsed(folder, json.loads((folder / MANIFEST).read_text()))
        if {**manifest.files, MANIFEST: sums.get(MANIFEST)} != sums:
            raise bad(folder, f"{SUMS} and {MANIFEST} name different files")
        for name, sum in manifest.files.items():
            _verify(folder, name, sum)
    except FileNotFoundError as missing:
        raise bad(folder, f"{Path(missing.filename).name} is missing") from None
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise bad(folder, f"it cannot be read ({type(error).__name__})") from None
    return manifest


def _verify(folder: Path, name: str, sum: str) -> None:
    if not (folder / name).resolve().is_relative_to(folder.resolve()):
        raise bad(folder, f"{name} lies outside of it")
    if digest(folder / name) != sum:
        raise bad(folder, f"{name} has changed since it was written")


def _parsed(folder: Path, content: Any) -> Manifest:
    if content["format"] != FORMAT:
        raise bad(folder, f"its format is {content['format']}, this build reads {FORMAT}")
    contexts = {}
    for name, part in content["contexts"].items():
        tables = {table: TablePart(int(t["rows"]), t["file"], tuple(t["columns"])) for table, t in part["tables"].items()}
        sealing = {"sealing_keys": tuple(part.get("sealing_keys", ())), "lies_open": part.get("lies_open", False)}
        contexts[name] = ContextPart(part["engine"], part["revision"], tables, part["sequences"], part["file"], **sealing)
    return Manifest(datetime.fromisoformat(content["made"]), contexts, content["files"])
