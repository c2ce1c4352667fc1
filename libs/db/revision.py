"""Writes the next migration of a service: `python -m libs.db.revision <context> "<message>"`."""

from __future__ import annotations

import asyncio
import importlib
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy.engine import Connection

from libs.db.database import Database
from libs.db.migrate import config

SERVICES = Path(__file__).resolve().parents[2] / "services"


def refuse_nothing(_: Any, __: Any, directives: list[Any]) -> None:
    """Ends the command rather than write a migration that does nothing."""
    if directives[0].upgrade_ops.is_empty():
        raise SystemExit("the tables are as the migrations make them: nothing to write")


def render(kind: str, item: Any, _: Any) -> str | bool:
    """Renders our own types by name, so that a migration serves both databases."""
    if kind == "type" and type(item).__module__ == "libs.db.types":
        return f"libs.db.types.{type(item).__name__}()"
    return False


async def write(context: str, message: str) -> None:
    """Compares the migrated tables with the service's METADATA and writes the difference."""
    tables = importlib.import_module(f"services.{context}.adapters.db.tables")
    versions = SERVICES / context / "migrations" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name[:4]) for path in versions.glob("[0-9]*.py")), default=0) + 1
    settings = config(versions)
    settings.attributes["metadata"] = tables.METADATA
    settings.attributes["render_item"] = render
    settings.set_main_option("file_template", "%%(rev)s_%%(slug)s")

    def run(connection: Connection) -> None:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
        command.revision(
            settings,
            message=re.sub(r"\W+", " ", message),
            autogenerate=True,
            rev_id=f"{number:04d}",
            version_path=str(versions),
            process_revision_directives=refuse_nothing,
        )

    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(f"sqlite:///{folder}/scratch.db")
        async with database.altering() as tx:
            await tx.run_sync(run)
        await database.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit('usage: python -m libs.db.revision <context> "<message>"')
    asyncio.run(write(sys.argv[1], sys.argv[2]))
