"""Generates the Python package `waybill` from the contracts in this folder.

Run as `python protos/generate.py`. The output goes to `gen/waybill`, is never committed and is rebuilt whenever a
contract is newer than it. The protos of `google.*` come with the googleapis-common-protos wheel; those that the contracts
import are laid out under `build/googleapis` too, so that buf can read them as a second module without a network.

Beside the messages of a context's `ErrorReason` lies `reasons.py`: its values and the common ones as constants, so that code
which names a reason that does not exist does not pass the type checker.

Beside the generated code, in `gen/waybill/proto_files`, lies the complete set of contracts for other languages: it is what
`waybill protos` writes and what a release archive holds.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = ROOT / "gen"
STAMP = OUT / ".stamp"
GOOGLEAPIS = ROOT / "build" / "googleapis"
IMPORT = re.compile(r'^import\s+(?:public\s+|weak\s+)?"([^"]+)";', re.MULTILINE)
REASON = re.compile(r"^  (?:COMMON_)?ERROR_REASON_(\w+) =", re.MULTILINE)
COMMON_REASONS = HERE / "waybill" / "type" / "v1" / "error_reason.proto"
WELL_KNOWN = "google/protobuf/"
"""Protos that every compiler brings along."""
OF_ERRORS = ("google/rpc/status.proto", "google/rpc/error_details.proto")
"""What errors carry in their trailers. No contract imports them, but a client needs them to read an error."""
BUF_YAML = """version: v2
modules:
  - path: .
"""
"""Makes a folder of protos a workspace of buf."""


def google_root() -> Path:
    """The folder that holds the google.type and google.rpc protos of the installed wheel."""
    import google.type.money_pb2 as money

    return Path(money.__file__).resolve().parents[2]


def google_protos(contracts: list[Path]) -> list[str]:
    """Names of the google protos that these contracts and their errors need, with what those import in turn."""
    texts = [path.read_text() for path in contracts]
    wanted = [*OF_ERRORS, *(name for text in texts for name in IMPORT.findall(text))]
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in found or name.startswith((WELL_KNOWN, "waybill/")):
            continue
        found.add(name)
        wanted += IMPORT.findall((google_root() / name).read_text())
    return sorted(found)


def lay_out_googleapis(names: list[str], target: Path) -> None:
    """Copies google protos below a folder."""
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(google_root() / name, target / name)


def lay_out_contracts(contracts: list[Path], google: list[str], target: Path) -> None:
    """Fills a folder with everything that a compiler of another language needs."""
    for path in contracts:
        copy = target / path.relative_to(HERE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    lay_out_googleapis(google, target)
    (target / "buf.yaml").write_text(BUF_YAML)


def reasons_in(path: Path) -> list[str]:
    """The reasons of an `error_reason.proto`, without prefix."""
    return [name for name in REASON.findall(path.read_text()) if name != "UNSPECIFIED"]


def reasons_module(path: Path) -> str:
    """Source of the constants for the code of one context: its own reasons and the common ones."""
    common = reasons_in(COMMON_REASONS)
    if path == COMMON_REASONS:
        names, head = (
            common,
            [
                '"""Reasons of failure that any service may give. Generated from CommonErrorReason."""',
                "from typing import Final, NewType",
                'ReasonName = NewType("ReasonName", str)',
            ],
        )
    else:
        names, head = (
            common + reasons_in(path),
            [
                '"""Reasons of failure that this context may give. Generated from its ErrorReason and CommonErrorReason."""',
                "from typing import Final",
                "from waybill.type.v1.reasons import ReasonName as ReasonName",
            ],
        )
    return "\n".join([*head, *(f'{name}: Final = ReasonName("{name}")' for name in names), ""])


def up_to_date(protos: list[Path]) -> bool:
    """True when nothing changed since the last generation, removed files included."""
    if not STAMP.exists():
        return False
    listing = "\n".join(str(p.relative_to(HERE)) for p in protos)
    newest = max(p.stat().st_mtime for p in [*protos, Path(__file__)])
    return STAMP.read_text() == listing and STAMP.stat().st_mtime >= newest


def main() -> int:
    protos = sorted((HERE / "waybill").rglob("*.proto"))
    google = google_protos(protos)
    lay_out_googleapis(google, GOOGLEAPIS)
    if "--force" not in sys.argv and up_to_date(protos):
        return 0
    build = ROOT / "build" / "gen"
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir(parents=True)
    # protoc looks for the mypy plugin on PATH; it sits beside this interpreter.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    code = protoc.main(
        [
            "protoc",
            f"-I{HERE}",
            f"-I{google_root()}",
            f"-I{files('grpc_tools') / '_proto'}",
            f"--python_out={build}",
            f"--mypy_out=quiet:{build}",
            f"--grpc_python_out={build}",
            f"--mypy_grpc_out=quiet:{build}",
            *[str(p) for p in protos],
        ]
    )
    if code != 0:
        return int(code)
    for folder in [d for d in (build / "waybill").rglob("*") if d.is_dir()] + [build / "waybill"]:
        (folder / "__init__.py").touch()
        (folder / "py.typed").touch()
    for path in protos:
        if path.name == "error_reason.proto":
            (build / path.relative_to(HERE).parent / "reasons.py").write_text(reasons_module(path))
    lay_out_contracts(protos, google, build / "waybill" / "proto_files")
    OUT.mkdir(exist_ok=True)
    shutil.rmtree(OUT / "waybill", ignore_errors=True)
    shutil.move(str(build / "waybill"), str(OUT / "waybill"))
    STAMP.write_text("\n".join(str(p.relative_to(HERE)) for p in protos))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
