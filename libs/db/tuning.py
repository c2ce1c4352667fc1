"""How a service uses its PostgreSQL: connections, and how long anything may wait."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """Times are in seconds; 0 switches a timeout off. On SQLite only `migrate` has a meaning."""

    pool_size: int = 10
    """Connections of one process to one service's database."""
    pool_timeout: float = 30.0
    """How long a transaction waits for a free connection."""
    connect_timeout: float = 10.0
    """How long opening a connection may take."""
    statement_timeout: float = 30.0
    """How long one statement may run, its waits for locks included."""
    lock_timeout: float = 10.0
    """How long a statement waits for one lock."""
    idle_timeout: float = 60.0
    """How long a transaction may stay open without sending anything, before the server ends its connection."""
    migrate: bool = True
    """Whether opening the database brings it to the newest revision; without it an older one is refused."""


DEFAULT = Tuning()
