"""How often Python looks for cycles in a process that serves."""

from __future__ import annotations

import gc

YOUNG = 50_000
"""New objects that may pile up before a look. Python's own 700 means several looks in every call."""
OLDER = 20
"""Looks at the young before one at the older, and of those before one at everything."""


def settle() -> None:
    """Called once all is built: what exists by then stays, so no look goes over it again, and looks become rare.

    Reference counts still free nearly everything at once; only cycles wait. A look at a built service goes over
    hundreds of thousands of classes, functions and statements that never become garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDER)
