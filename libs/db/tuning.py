"""How a service uses its PostgreSQL: connections, and how long anything may wait."""

from __future__ import annotations

from dataclasses import dataclass

from libs.service.settings import seconds, setting


@dataclass(frozen=True, slots=True)
class Tuning:
    """Times are in seconds; 0 switches a timeout off. On SQLite only `migrate` and what is called after it have a meaning."""

    pool_size: int = setting(10, "Connections of one process to one service's PostgreSQL.", at_least=1, at_most=1_000)
    pool_timeout: float = seconds(30.0, "How long a transaction waits for a free connection.")
    connect_timeout: float = seconds(10.0, "How long opening a connection may take; 0 for any time.")
    statement_timeout: float = seconds(30.0, "How long one statement may run, its waits for locks included; 0 for any time.")
    lock_timeout: float = seconds(10.0, "How long a statement waits for one lock; 0 for any time.")
    idle_timeout: float = seconds(
        60.0, "How long a transaction may be silent before the server ends its connection; 0 for any time."
    )
    reply_timeout: float = seconds(
        5.0,
        "How long after statement_timeout a server may take to say so, before it is taken for silent.",
        at_least=0.1,
        at_most=600.0,
    )
    sqlite_readers: int = setting(4, "Connections of one process that read one SQLite file.", at_least=1, at_most=64)
    sqlite_wait: float = seconds(
        30.0, "How long a writer waits for another process that writes to the same SQLite file.", at_most=3_600.0
    )
    migrate: bool = setting(
        True, "Whether a start brings the database to this build's revision; without it an older one is refused."
    )


DEFAULT = Tuning()
