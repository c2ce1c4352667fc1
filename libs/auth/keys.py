"""Keys of users' tokens: RSA, of which the public half is a JSON Web Key (RFC 7517)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from libs.errors import WaybillError

ALGORITHM = "RS256"
BITS = 2_048
_EXPONENT = 65_537
Jwk = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeySet:
    """What tokens are verified with."""

    keys: Sequence[Jwk]
    audience: str = ""
    """Whom the tokens are for when they are not for the services alone; empty for no one else."""
    revision: str = ""
    """Differs when anything else does."""


class KeyChanges:
    """Lets those in the same process who keep a key set know that it has changed; the others ask for it."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[], Awaitable[None]]] = []
        self.revoked: list[Callable[[], None]] = []
        """Are called when something was taken away from users, clients or companies."""

    def announce_revocation(self) -> None:
        """Lets all know that there is a revocation to be read."""
        for listener in self.revoked:
            listener()

    async def announce(self) -> None:
        """Waits until all have heard it. Who cannot take the new key set now does so when it asks next."""
        for listener in self.listeners:
            with suppress(WaybillError):
                await listener()


def new_private_key() -> str:
    """A new key as PEM. It takes about a tenth of a second."""
    key = rsa.generate_private_key(_EXPONENT, BITS)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def private_key(pem: str) -> rsa.RSAPrivateKey:
    """Reads a private key that `new_private_key` has made; that its numbers are right, which takes longer than to make a
    signature, is not checked again. Raises ValueError for one of another kind, and for a short one."""
    loaded = serialization.load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(loaded, rsa.RSAPrivateKey) or loaded.key_size < BITS:
        raise ValueError(f"the signing key must be RSA of at least {BITS} bits")
    return loaded


def public_jwk(key: rsa.RSAPublicKey, kid: str) -> dict[str, str]:
    """A public key as it is shown: `kid`, `kty`, `n`, `e`, `alg`, `use`."""
    shown = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)
    return jwk_of(kid, str(shown["n"]))


def jwk_of(kid: str, modulus: str) -> dict[str, str]:
    """The same of the modulus, base64url; all keys that are made here have one exponent."""
    return {"kid": kid, "kty": "RSA", "n": modulus, "e": "AQAB", "alg": ALGORITHM, "use": "sig"}


def public_key(jwk: Jwk) -> rsa.RSAPublicKey:
    """Reads a public key. Raises ValueError for one of another kind, and for a short one."""
    loaded = jwt.PyJWK(dict(jwk), algorithm=ALGORITHM).key
    if not isinstance(loaded, rsa.RSAPublicKey) or loaded.key_size < BITS:
        raise ValueError(f"the key set holds a key that is not RSA of at least {BITS} bits")
    return loaded
