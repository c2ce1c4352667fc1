"""The contracts as files, and the archive that holds them."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.host.cli import app, main
from services.host.protos import write

ROOT = Path(__file__).resolve().parents[3]
OF_ERRORS = {"google/rpc/status.proto", "google/rpc/error_details.proto"}


def written(folder: Path) -> dict[str, str]:
    """Every proto below a folder, by its name in imports."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.proto")}


def imports(text: str) -> set[str]:
    """What a proto imports, save what every compiler brings along."""
    found = re.findall(r'^import (?:public |weak )?"(.+)";', text, re.MULTILINE)
    return {name for name in found if not name.startswith("google/protobuf/")}


def test_what_is_written_holds_everything_that_it_imports_and_no_more(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["protos", str(tmp_path / "new" / "folder")]).exit_code == 0
    found = written(tmp_path / "new" / "folder")
    imported = set().union(*(imports(text) for text in found.values()))
    assert imported <= set(found)
    assert {name for name in found if not name.startswith("waybill/")} == {
        name for name in imported if not name.startswith("waybill/")
    } | OF_ERRORS
    sources = ROOT / "protos"
    assert {name: text for name, text in found.items() if name.startswith("waybill/")} == written(sources)


def test_buf_builds_the_folder_without_a_network(tmp_path: Path) -> None:
    write(tmp_path)
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "BUF_CACHE_DIR": str(tmp_path / ".cache")}
    buf = Path(sys.executable).parent / "buf"
    built = subprocess.run([buf, "build"], cwd=tmp_path, env=os.environ | nowhere, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr


def test_a_newer_version_removes_contracts_that_are_gone_and_nothing_else(tmp_path: Path) -> None:
    gone, others = tmp_path / "waybill" / "order" / "v0" / "gone.proto", tmp_path / "google" / "type" / "others.proto"
    for path in (gone, others):
        path.parent.mkdir(parents=True)
        path.write_text('syntax = "proto3";')
    write(tmp_path)
    assert not gone.exists()
    assert others.exists()


def test_a_folder_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(sys, "argv", ["waybill", "protos", str(tmp_path / "file")])
    with pytest.raises(SystemExit, match="1"):
        main()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("cannot write to ")


def test_the_release_archive_has_the_same_bytes_every_time_and_the_whole_set(tmp_path: Path) -> None:
    release = runpy.run_path(str(ROOT / "protos" / "release.py"))
    made = release["archive"]()
    assert release["archive"]() == made
    with tarfile.open(fileobj=BytesIO(made)) as tar:
        tar.extractall(tmp_path / "archive", filter="data")
    (top,) = (tmp_path / "archive").iterdir()
    assert top.name == f"waybill-protos-{release['version']()}"
    write(tmp_path / "command")
    assert written(top / "protos") == written(tmp_path / "command")
    assert (top / "protos" / "buf.yaml").read_text() == (tmp_path / "command" / "buf.yaml").read_text()
