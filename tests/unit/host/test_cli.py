"""The command line: every command is there, and a command brings along only what it needs."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from services.host.cli import COMMANDS, app


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_found_and_says_what_it_does(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0, shown.output
    assert re.search(rf"Usage: .*{command} ", shown.output)


def test_help_says_what_each_command_does() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    for command in COMMANDS:
        assert re.search(rf"│ {command} +[A-Z]", shown.output), command


def test_an_unknown_command_is_refused_by_name() -> None:
    refused = CliRunner().invoke(app, ["sumbit"])
    assert refused.exit_code == 2
    assert "sumbit" in refused.output


def loaded(code: str) -> set[str]:
    """Packages, and services by name, that a new process has imported after `code`."""
    printed = subprocess.run([sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"], capture_output=True, check=True)
    names = printed.stdout.decode().split()
    return {".".join(name.split(".")[:2]) if name.startswith("services.") else name.split(".")[0] for name in names}


def test_a_command_for_operators_loads_no_service_and_no_database() -> None:
    found = loaded("import services.host.cli, services.host.operate.submissions")
    assert "waybill_client" in found
    assert found.isdisjoint({"sqlalchemy", "alembic", "asyncpg", "services.order"})


def test_a_process_of_one_service_loads_no_other() -> None:
    found = loaded("from services.host.process import embedded\nembedded._part('shipping', 'main')")
    services = {name for name in found if name.startswith("services.")}
    assert services == {"services.host", "services.roles", "services.shipping"}


def test_the_version_is_that_of_the_distribution() -> None:
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.stdout) == (0, f"waybill {version('waybill')}\n")


def test_a_shell_completes_commands_and_options_of_them() -> None:
    def offered(words: str, number: int) -> set[str]:
        asked = {"_WAYBILL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(number)}
        return set(CliRunner().invoke(app, [], prog_name="waybill", env=asked).stdout.split())

    assert offered("waybill s", 1) == {"serve", "service-keys", "sealing-key", "submissions"}
    assert offered("waybill holds re", 2) == {"release"}
    assert offered("waybill changes ", 2) == {"status", "on", "off", "watch"}
    assert offered("waybill changes watch p", 3) == {"payment", "pricing"}
    assert "--to-end" in offered("waybill changes watch --", 3)
    assert "--metrics-bind" in offered("waybill serve --m", 2)
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).stdout
