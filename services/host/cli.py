"""The command line. A command's module is imported when the command is used, so that each starts as fast as it can."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer._click.exceptions import NoArgsIsHelpError
from typer._click.shell_completion import CompletionItem
from typer.core import TyperGroup

from services.host import failure

PROGRAM = "waybill"
COMMANDS: Mapping[str, str] = {
    "serve": "services.host.process.serve:serve",
    "demo": "services.host.demo.command:demo",
    "check": "services.host.check.command:check",
    "import": "services.host.northwind.command:imports",
    "migrate": "services.host.process.migrate:migrate",
    "backup": "services.host.backup.command:backup",
    "restore": "services.host.backup.command:restore",
    "owner": "services.host.process.owner:owner",
    "service-keys": "services.host.process.keys.service_keys_command:service_keys",
    "sealing-key": "services.host.process.keys.sealing_keys_command:sealing_key",
    "config": "services.host.process.config:config",
    "protos": "services.host.protos:protos",
    "health": "services.host.process.health:health",
    "order": "services.host.operate.orders:orders",
    "submissions": "services.host.operate.submissions:submissions",
    "commands": "services.host.operate.commands:commands",
    "outbox": "services.host.operate.outbox:outbox",
    "audit": "services.host.operate.audit:audit",
    "changes": "services.host.operate.changes:changes",
    "payments": "services.host.operate.payments:payments",
    "holds": "services.host.operate.holds:holds",
    "keys": "services.host.operate.keys:keys",
}
"""Where each command is: a function, or a Typer with commands of its own."""


class _Imported(TyperGroup):
    """A group whose commands are imported one by one, and which says in one line why a command could not do its work."""

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

    def shell_complete(self, ctx: Any, incomplete: str) -> list[CompletionItem]:
        """What a shell offers. Names of commands come without their help, for which all of them would be imported."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [CompletionItem(name) for name in COMMANDS if name.startswith(incomplete)]

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs a command and ends the process with its exit code."""
        words = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(words, prog_name or PROGRAM, complete_var, False, windows_expand_args, **extra)
        except NoArgsIsHelpError as help:
            help.show()
            code = help.exit_code
        except Exception as error:
            said = failure.explained(error)
            if said is None:
                raise
            failure.show(said, "--json" in words)
            code = said.exit_code
        sys.exit(code if isinstance(code, int) else 0)


# A traceback is for defects, and then it is the plain one: the decorated one is 150 lines long.
app = typer.Typer(cls=_Imported, no_args_is_help=True, pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"waybill {version('waybill')}")
        raise typer.Exit


@app.callback()
def waybill(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Waybill: an order and fulfillment engine."""


def main() -> None:
    """Entry point."""
    # gRPC reports failures to its callers, who say them in their own words; its own log would stand between the lines.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    app()


if __name__ == "__main__":
    main()
