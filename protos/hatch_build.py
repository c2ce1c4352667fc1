"""Adds the two published parts to what the server's wheel requires.

A checkout is installed in place, together with the stubs that it has generated and with the client, so there they must not
be asked for at an index. A wheel of the server brings neither: it needs both as wheels of the same version.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PARTS = ("waybill-protos", "waybill-client")


class Parts(BuildHookInterface[Any]):
    """Called by hatchling for every build of the server."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is how it is built: `standard` makes a wheel, `editable` installs in place."""
        if version != "editable":
            build_data["dependencies"] += [f"{part}=={self.metadata.version}" for part in PARTS]
