"""`waybill protos DIR`: the contracts as files, for clients in other languages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from libs.service.startup import StartupError

OURS = "waybill"
"""The folder of a set that holds nothing but contracts of this project."""


def protos(folder: Annotated[Path, typer.Argument(help="Folder to write to; it is made when it is missing.")]) -> None:
    """Writes every proto that a client in another language needs, so that buf or protoc can be run on the folder."""
    try:
        count = write(folder)
    except OSError as error:
        raise StartupError(f"cannot write to {error.filename or folder}: {error.strerror}") from None
    typer.echo(f"{count} protos in {folder}")


def contract_files() -> Iterator[tuple[PurePosixPath, bytes]]:
    """Relative path and content of every file of the set, sorted: protos of this project, those of google that they
    import or that errors carry, and the buf.yaml that makes them one module."""
    yield from _walk(files("waybill") / "proto_files", PurePosixPath())


def _walk(folder: Traversable, at: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(entry, at / entry.name)
        else:
            yield at / entry.name, entry.read_bytes()


def write(folder: Path) -> int:
    """Writes the set and returns how many protos it has. Contracts that an older version has left there are removed,
    other files stay. Raises OSError."""
    written = set()
    for path, content in contract_files():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        written.add(target)
    for old in (folder / OURS).rglob("*.proto"):
        if old not in written:
            old.unlink()
    return sum(path.suffix == ".proto" for path in written)
