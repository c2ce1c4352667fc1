"""The container engine, where one answers."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any

IMAGE_VARIABLE = "WAYBILL_TEST_POSTGRES_IMAGE"
IMAGE = "postgres:15"
CONNECTIONS = "max_connections=300"
FAST = [
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    # Nobody copies or restores these logs.
    "wal_level=minimal",
    "max_wal_senders=0",
    "checkpoint_timeout=1h",
]
_SORTING = "--locale-provider=icu --icu-locale=en-US --locale=C.UTF-8"
"""A language's own order of texts, as most installations have it: nothing may lean on the order of bytes."""


def answers() -> bool:
    """Whether a container engine is there."""
    try:
        import docker

        client = docker.from_env(timeout=3)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except Exception:
        return False


def image() -> str:
    """The PostgreSQL image that tests start."""
    return os.environ.get(IMAGE_VARIABLE) or IMAGE


def postgres_container() -> tuple[str, str] | None:
    """URL and container id of a new server; None when its image can be neither found nor pulled.

    Raises `RuntimeError` with the container's log when it starts and does not get ready.
    """
    # The reaper would end the container with the process that started it, while others still use it.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    # The port is published on this machine's loopback and nowhere else.
    os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
    from docker.errors import APIError, ImageNotFound
    from testcontainers.community.postgres import PostgresContainer

    settings = " ".join(f"-c {setting}" for setting in [CONNECTIONS, *FAST])
    made = (
        PostgresContainer(image(), driver=None, username="waybill", password="waybill", dbname="waybill")
        .with_command(f"postgres {settings}")
        .with_env("POSTGRES_INITDB_ARGS", _SORTING)
        .with_kwargs(shm_size="256m")
        .with_tmpfs_mount("/var/lib/postgresql/data")
    )
    made.ports[5432] = ("127.0.0.1",)
    try:
        made.start()
    except (ImageNotFound, APIError) as error:
        made.stop()
        if isinstance(error, ImageNotFound) or error.is_server_error():
            return None
        raise
    except BaseException as error:
        unready = made.get_wrapped_container()
        log = unready.logs().decode() if unready is not None else ""
        made.stop()
        raise RuntimeError(f"the container of {image()} did not get ready: {log[-2_000:]}") from error
    container = made.get_wrapped_container()
    return _own_address(container) or made.get_connection_url(host="127.0.0.1"), str(container.id)


def _own_address(container: Any) -> str:
    """A URL with the container's own address where this machine reaches it; the proxy of a published port costs a fifth."""
    container.reload()
    networks = container.attrs["NetworkSettings"]["Networks"].values()
    for address in filter(None, (network["IPAddress"] for network in networks)):
        with suppress(OSError), socket.create_connection((address, 5432), timeout=1):
            return f"postgresql://waybill:waybill@{address}:5432/waybill"
    return ""


def remove(container: str) -> None:
    """Ends a container and removes its volumes."""
    import docker

    client = docker.from_env()
    try:
        client.containers.get(container).remove(force=True, v=True)
    finally:
        client.close()
