"""Seeds of random tests: printed, and given back through the environment to see the same run again."""

from __future__ import annotations

import os
import random
import sys

VARIABLE = "WAYBILL_CHAOS_SEED"


def fresh_seed(what: str) -> int:
    """The seed of this run; pytest shows the line when the test fails."""
    given = os.environ.get(VARIABLE, "")
    seed = int(given) if given else random.SystemRandom().randrange(2**32)
    report(f"{what}: {VARIABLE}={seed}")
    return seed


def report(line: str) -> None:
    """Shown by pytest when the test fails, and always with `-s`."""
    sys.stdout.write(f"{line}\n")


def rounds(name: str, normal: int) -> int:
    """How often; `make chaos` asks for more through the environment."""
    return int(os.environ.get(name, normal))
