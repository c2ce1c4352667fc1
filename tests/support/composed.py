"""The composed system, built from this checkout, under a name of its own; gone with the block, whatever happens."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from libs.sealing import new_key
from services.host.contexts import CONTEXTS
from waybill_client import AsyncWaybill

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "waybill:test"


@dataclass(slots=True)
class Composed:
    """Where it is, and how the owner signs in."""

    project: str
    environment: dict[str, str]
    addresses: dict[str, list[str]] = field(default_factory=dict)
    client_secret: str = ""

    def up(self) -> dict[str, Any]:
        """Starts what does not run, waits until all is healthy; the addresses may have changed."""
        started: dict[str, Any] = json.loads(self._stack("up", "--json"))
        self.addresses = started["addresses"]
        self.client_secret = started.get("client_secret", self.client_secret)
        return started

    def down(self, volumes: bool = False) -> None:
        """Ends it."""
        self._stack("down", *(["--volumes"] if volumes else []))

    def _stack(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "containers/stack.py", *arguments, "--project", self.project],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=self.environment,
            timeout=800,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def containers(self) -> list[dict[str, Any]]:
        """What the engine knows of its containers."""
        listed = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={self.project}").split()
        found: list[dict[str, Any]] = json.loads(docker("inspect", *listed)) if listed else []
        return found

    def replicas(self, service: str) -> list[str]:
        """Container ids of a service."""
        return [c["Id"] for c in self.containers() if c["Config"]["Labels"]["com.docker.compose.service"] == service]

    def servers(self) -> list[str]:
        """As options of `waybill demo`."""
        named = [f"{context}={address}" for context in CONTEXTS for address in self.addresses[context]]
        return [argument for name in named for argument in ("--server", name)]

    def waybill(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line of this checkout, with the owner's secret."""
        return subprocess.run(
            [sys.executable, "-m", "services.host.cli", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env={**os.environ, "WAYBILL_CLIENT_SECRET": self.client_secret, "COLUMNS": "400"},
            timeout=200,
        )

    def client(self, client_id: str, client_secret: str = "", **who: Any) -> AsyncWaybill:
        """A caller who knows every replica."""
        addresses = {context: ",".join(many) for context, many in self.addresses.items()}
        return AsyncWaybill("", client_id, client_secret, addresses=addresses, **who)


def docker(*arguments: str) -> str:
    """What the engine's command said. Fails the test with its complaint."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@contextmanager
def composed() -> Iterator[Composed]:
    """Built, started, healthy; containers, networks and volumes are removed at the end."""
    environment = {
        **os.environ,
        "WAYBILL_IMAGE": os.environ.get("WAYBILL_IMAGE") or IMAGE,
        "WAYBILL_POSTGRES_IMAGE": os.environ.get("WAYBILL_TEST_POSTGRES_IMAGE") or "postgres:15",
        "WAYBILL_SERVICE_SECRET": secrets.token_urlsafe(36),
        "WAYBILL_SEALING_KEY": new_key(),
        "WAYBILL_POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "WAYBILL_HEALTH_INTERVAL": "2s",
        "WAYBILL_PUBLISH": "127.0.0.1",
        **{f"WAYBILL_{context.upper()}_PORTS": "" for context in CONTEXTS},
    }
    made = Composed(f"waybilltest{uuid.uuid4().hex[:10]}", environment)
    try:
        made.up()
        yield made
    finally:
        made.down(volumes=True)
