"""Generates the Python package `waybill` from the contracts in this folder.

Run as `python protos/generate.py`. The output goes to `gen/waybill`, is never committed and is rebuilt whenever a
contract is newer than it. The protos of `google.type` and `google.rpc` come with the googleapis-common-protos wheel;
they are laid out under `build/googleapis` too, so that buf can read them as a second module without a network.
"""

from __future__ import annotations

import os
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


def google_root() -> Path:
    """The folder that holds the google.type and google.rpc protos of the installed wheel."""
    import google.type.money_pb2 as money

    return Path(money.__file__).resolve().parents[2]


def lay_out_googleapis() -> None:
    """Copies the few google protos that the contracts import to where buf finds them."""
    for name in ("type/money", "type/decimal", "type/date"):
        target = GOOGLEAPIS / "google" / f"{name}.proto"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(google_root() / "google" / f"{name}.proto", target)


def up_to_date(protos: list[Path]) -> bool:
    """True when nothing changed since the last generation, removed files included."""
    if not STAMP.exists():
        return False
    listing = "\n".join(str(p.relative_to(HERE)) for p in protos)
    newest = max(p.stat().st_mtime for p in [*protos, Path(__file__)])
    return STAMP.read_text() == listing and STAMP.stat().st_mtime >= newest


def main() -> int:
    protos = sorted((HERE / "waybill").rglob("*.proto"))
    lay_out_googleapis()
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
            f"--mypy_out={build}",
            f"--grpc_python_out={build}",
            f"--mypy_grpc_out={build}",
            *[str(p) for p in protos],
        ]
    )
    if code != 0:
        return int(code)
    for folder in [d for d in (build / "waybill").rglob("*") if d.is_dir()] + [build / "waybill"]:
        (folder / "__init__.py").touch()
        (folder / "py.typed").touch()
    OUT.mkdir(exist_ok=True)
    shutil.rmtree(OUT / "waybill", ignore_errors=True)
    shutil.move(str(build / "waybill"), str(OUT / "waybill"))
    STAMP.write_text("\n".join(str(p.relative_to(HERE)) for p in protos))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
