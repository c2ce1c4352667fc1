"""Starts and ends the composed system: `python containers/stack.py up`, `... down [--volumes]`. Needs nothing but Python.

Works with the plugin (`docker compose`) and with `docker-compose` 1.29. The secrets come from the environment; those that are
not there are made once and kept in `.env`, which only its owner can read.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".env"
SECRETS = ("WAYBILL_SERVICE_SECRET", "WAYBILL_POSTGRES_PASSWORD", "WAYBILL_SEALING_KEY")
SEALING_KEY = "WAYBILL_SEALING_KEY"
"""Is 32 bytes in base64; the others may be any text."""
BUILD_ARGUMENTS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST")
CONTEXTS = ("directory", "catalog", "pricing", "shipping", "payment", "fulfillment", "order")
PATIENCE = 400.0
"""Seconds until everything must be healthy."""


def compose() -> list[str]:
    """The command that is there. Ends the program when none is, or when no engine answers."""
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        sys.exit("no container engine answers: install Docker and start it")
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    sys.exit("neither `docker compose` nor `docker-compose` is there: apt-get install docker-compose")


class Stack:
    """One composed system, by its project name."""

    def __init__(self, project: str) -> None:
        self.project = project
        self._command = [*compose(), "-p", project, "-f", str(ROOT / "docker-compose.yml")]

    def run(self, *arguments: str) -> str:
        """What the compose command wrote; ends the program with its complaints when it fails."""
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode:
            self._fail(f"{' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _fail(self, why: str) -> None:
        for container in self.containers():
            health = container["State"].get("Health", {}).get("Status", container["State"]["Status"])
            say(f"{container['Name'].lstrip('/')}: {health}")
        logs = subprocess.run([*self._command, "logs", "--tail=15"], capture_output=True, text=True, check=False, cwd=ROOT)
        sys.exit(f"{logs.stdout}\n{why}")

    def containers(self) -> list[dict[str, Any]]:
        """All of its containers, as the engine describes them."""
        label = f"label=com.docker.compose.project={self.project}"
        listed = subprocess.run(["docker", "ps", "-aq", "--filter", label], capture_output=True, text=True, check=True)
        ids = listed.stdout.split()
        if not ids:
            return []
        listing = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=False).stdout
        found: list[dict[str, Any]] = json.loads(listing or "[]")
        return found

    def wait(self) -> None:
        """Until every container is healthy and every one-time job has succeeded."""
        until = time.monotonic() + PATIENCE
        while True:
            waiting = []
            for container in self.containers():
                name, state = container["Name"].lstrip("/"), container["State"]
                once = container["HostConfig"]["RestartPolicy"]["Name"] in ("", "no")
                if once and state["Status"] == "exited":
                    if state["ExitCode"]:
                        self._fail(f"{name} ended with {state['ExitCode']}")
                elif state.get("Health", {}).get("Status") != "healthy":
                    waiting.append(name)
            if not waiting:
                return
            if time.monotonic() > until:
                self._fail(f"not healthy after {PATIENCE:.0f} s: {', '.join(waiting)}")
            time.sleep(1.0)

    def addresses(self) -> dict[str, list[str]]:
        """Where each service is published, one address per replica."""
        found: dict[str, list[str]] = {context: [] for context in CONTEXTS}
        for container in self.containers():
            service = container["Config"]["Labels"].get("com.docker.compose.service", "")
            for binding in (container["NetworkSettings"]["Ports"] or {}).get("8420/tcp") or []:
                if service in found:
                    found[service].append(f"{binding['HostIp']}:{binding['HostPort']}")
        return {context: sorted(set(addresses)) for context, addresses in found.items()}

    def owner(self) -> dict[str, str]:
        """The owner's client id and secret, if this start of the directory made the marketplace."""
        logs = self.run("logs", "--no-color", "directory")
        found = {key: re.search(rf"client {key}\s+(\S+)", logs) for key in ("id", "secret")}
        return {f"client_{key}": match.group(1) for key, match in found.items() if match}


def say(text: str) -> None:
    """Progress, for people."""
    sys.stderr.write(text + "\n")


def know_secrets(make: bool) -> None:
    """Puts the secrets into the environment that compose reads; makes the missing ones."""
    kept = dict(line.split("=", 1) for line in KEPT.read_text().splitlines() if "=" in line) if KEPT.exists() else {}
    missing = [name for name in SECRETS if not os.environ.get(name) and not kept.get(name)]
    if missing and make:
        say(f"making {', '.join(missing)}, kept in .env")
        with os.fdopen(os.open(KEPT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            file.writelines(f"{name}={_made(name)}\n" for name in missing)
    for name in missing if not make else ():
        os.environ[name] = "unused"


def _made(name: str) -> str:
    return base64.b64encode(os.urandom(32)).decode() if name == SEALING_KEY else secrets.token_urlsafe(36)


def image() -> str:
    """The image's name."""
    return os.environ.get("WAYBILL_IMAGE") or "waybill"


def build() -> None:
    """Builds the image; pip looks where the environment says."""
    given = [f"--build-arg={name}={os.environ[name]}" for name in BUILD_ARGUMENTS if os.environ.get(name)]
    if os.environ.get("WAYBILL_PYTHON_IMAGE"):
        given.append(f"--build-arg=PYTHON_IMAGE={os.environ['WAYBILL_PYTHON_IMAGE']}")
    begun = time.monotonic()
    say(f"building {image()} ...")
    done = subprocess.run(
        ["docker", "build", "-f", "containers/Dockerfile", "-t", image(), "--force-rm", *given, "."],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        sys.exit(f"{done.stdout[-6_000:]}\nthe image could not be built")
    say(f"built in {time.monotonic() - begun:.0f} s")


def up(stack: Stack, as_json: bool, scale: list[str]) -> None:
    """Builds, starts, waits, and prints where it is."""
    know_secrets(make=True)
    build()
    begun = time.monotonic()
    say("starting ...")
    stack.run("up", "-d", *(f"--scale={s}" for s in scale))
    stack.wait()
    say(f"healthy after {time.monotonic() - begun:.0f} s")
    found_at = {"addresses": stack.addresses(), **stack.owner()}
    if as_json:
        sys.stdout.write(json.dumps(found_at) + "\n")
        return
    for context, addresses in stack.addresses().items():
        sys.stdout.write(f"  {context:12} {'  '.join(addresses)}\n")
    if "client_secret" in found_at:
        sys.stdout.write(f"  client id    {found_at['client_id']}\n  client secret {found_at['client_secret']}\n")
    else:
        sys.stdout.write("  the owner's secret was shown when this marketplace was first started\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["build", "up", "down"])
    parser.add_argument("--project", default=os.environ.get("COMPOSE_PROJECT_NAME") or "waybill")
    parser.add_argument("--volumes", action="store_true", help="with down: the database goes too")
    parser.add_argument("--scale", action="append", default=[], help="with up: service=number, can be repeated")
    parser.add_argument("--json", action="store_true", help="with up: addresses and the owner's secret for machines")
    given = parser.parse_args()
    # Version 1.29 gives up on a busy engine after a minute.
    os.environ.setdefault("COMPOSE_HTTP_TIMEOUT", f"{PATIENCE:.0f}")
    stack = Stack(given.project)
    if given.action == "build":
        build()
    elif given.action == "up":
        up(stack, given.json, given.scale)
    else:
        know_secrets(make=False)
        stack.run("down", "--remove-orphans", *(["--volumes"] if given.volumes else []))


if __name__ == "__main__":
    main()
