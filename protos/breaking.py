"""Compares the contracts with those of the last release: `protos/released.binpb`, absent until there is one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASED = ROOT / "protos" / "released.binpb"


def main() -> int:
    """0 when nothing breaks a client of the last release."""
    if not RELEASED.exists():
        sys.stdout.write("nothing is released yet: no contract can break\n")
        return 0
    buf = Path(sys.executable).parent / "buf"
    return subprocess.run([str(buf), "breaking", "--against", str(RELEASED)], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
