"""A command imports just what it needs, in an order of its own: what each begins with can be imported first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from services.host.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
BY_ITSELF = """
import importlib, os, sys
import alembic, asyncpg, google.protobuf, grpc, grpc_status, jwt, sqlalchemy, structlog, typer
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except Exception as error:
            print(f"{name}: {error}", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""
"""What all of them need of others is imported once, and each module then in a process that has no other module of ours."""


def test_what_a_command_begins_with_can_be_imported_first() -> None:
    commands = {place.split(":")[0] for place in COMMANDS.values()}
    names = sorted({*commands, "libs.audit.trail", "libs.relay.marks"})
    done = subprocess.run([sys.executable, "-c", BY_ITSELF, *names], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == ""
