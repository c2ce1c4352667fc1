"""Private keys that tests sign with. Each takes a tenth of a second to make, so a process makes it once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import count

from libs.auth import TokenSigner
from libs.auth.keys import new_private_key


@cache
def pem(number: int = 0) -> str:
    """One of several private keys."""
    return new_private_key()


def signer(kid: str, number: int = 0, audience: str = "") -> TokenSigner:
    """A signer under a name; of two numbers the keys differ."""
    return TokenSigner(pem(number), kid, audience)


def maker() -> Callable[[], str]:
    """Makes keys as a service does: each call has another, and every maker has the same ones."""
    numbers = count(_APART)
    return lambda: pem(next(numbers))


_APART = 1_000
"""The numbers below are those that tests ask for."""
