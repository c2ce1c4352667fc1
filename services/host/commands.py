"""Mounts the commands that live in folders of their own."""

from __future__ import annotations

import typer


def mount(imports: typer.Typer) -> None:
    """Adds `waybill import ...`."""
    from services.host.northwind.command import import_northwind

    imports.command("northwind")(import_northwind)
