"""Database URLs."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from libs.db.startup import DatabaseUrlError

HIDDEN = "***"
"""What is shown of what may not be shown."""


def parsed_url(url: str) -> URL:
    """The parts of `sqlite:///path` or `postgresql://...`. Raises `DatabaseUrlError`, which does not quote a password."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        raise DatabaseUrlError(
            "the database URL does not parse: it is sqlite:///path or postgresql://user:password@host:port/database"
        ) from None
    if backend not in ("sqlite", "postgresql"):
        raise DatabaseUrlError(f"a database URL begins with sqlite: or postgresql:, not {backend}:")
    return parsed


def masked_url(url: str) -> str:
    """A URL without its password; what cannot be taken apart with certainty is hidden as a whole."""
    if url.count("@") > 1:
        return HIDDEN
    try:
        parsed = make_url(url)
        keys = {key: value if key in ("sslmode", "ssl") else HIDDEN for key, value in parsed.query.items()}
        return parsed.set(query=keys).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return HIDDEN
