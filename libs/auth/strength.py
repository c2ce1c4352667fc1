"""Whether a secret that people chose can be guessed."""

from __future__ import annotations

LENGTH = 32
DISTINCT = 8
"""A secret of 32 random hexadecimal digits has about fourteen different ones, and fewer than eight once in many millions."""


def weakness(secret: str) -> str:
    """Why the secret is none, in words that do not quote it; empty for one that will do."""
    if len(secret) < LENGTH:
        return f"it has fewer than {LENGTH} characters"
    if len(set(secret)) < DISTINCT:
        return f"it has fewer than {DISTINCT} different characters"
    if any(secret[period:] == secret[:-period] for period in range(1, len(secret) // 2 + 1)):
        return "it repeats itself"
    return ""
