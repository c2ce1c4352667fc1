"""The command line. A command's module is imported when the command is used, so that each starts as fast as it can."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from libs.service.startup import StartupError

COMMANDS: Mapping[str, str] = {
    "serve": "services.host.process.serve:serve",
    "demo": "services.host.demo.command:demo",
    "check": "services.host.check.command:check",
    "import": "services.host.northwind.command:imports",
    "migrate": "services.host.process.migrate:migrate",
    "backup": "services.host.backup.command:backup",
    "restore": "services.host.backup.command:restore",
    "owner": "services.host.process.owner:owner",
    "config": "services.host.process.config:config",
    "protos": "services.host.protos:protos",
    "health": "services.host.process.health:health",
    "submissions": "services.host.operate.submissions:submissions",
    "commands": "services.host.operate.commands:commands",
    "outbox": "services.host.operate.outbox:outbox",
    "payments": "services.host.operate.payments:payments",
    "holds": "services.host.operate.holds:holds",
}
"""Where each command is: a function, or a Typer with commands of its own."""


class _Imported(TyperGroup):
    """A group whose commands are imported one by one."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All of them, in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, or nothing when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        found = getattr(import_module(module), name)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False)
            alone.command(cmd_name)(found)
            found = alone
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(cls=_Imported, no_args_is_help=True, add_completion=False)


@app.callback()
def waybill() -> None:
    """Waybill: an order and fulfillment engine."""


def main() -> None:
    """Entry point. A database that no command can work with is one line."""
    try:
        app()
    except StartupError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
