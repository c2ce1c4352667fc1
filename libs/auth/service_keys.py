"""What tokens between services are signed with: one secret that all services share, or a pair of keys for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from libs.auth.strength import weakness

Claims = dict[str, Any]
_END = "-----END PUBLIC KEY-----"


class ServiceKeys(Protocol):
    """Signs the tokens of this process and opens those of others."""

    def sign(self, claims: Claims) -> str:
        """A token of the service that the claim `iss` names."""
        ...

    def opened(self, token: str, **options: Any) -> Claims:
        """The claims of a token that the service in `iss` has signed. Raises what `jwt.decode`, to which `options` go, raises."""
        ...


class SharedSecret:
    """One secret of all services: whoever has it can speak for each of them."""

    def __init__(self, secret: str) -> None:
        """Raises ValueError for a secret that can be guessed."""
        if weak := weakness(secret):
            raise ValueError(f"the service secret can be guessed: {weak}")
        self._secret = secret

    def sign(self, claims: Claims) -> str:
        """Signed HS256."""
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def opened(self, token: str, **options: Any) -> Claims:
        """Signed with the same secret."""
        return jwt.decode(token, self._secret, algorithms=["HS256"], **options)


class KeyPairs:
    """The private key of one service, and the public ones of all: each can speak for itself alone.

    The key id of a token is the name of the service that has signed it. A service may have several public keys while one takes
    the place of another.
    """

    def __init__(self, service: str, key: Ed25519PrivateKey, public: Mapping[str, Sequence[Ed25519PublicKey]]) -> None:
        """`public` has the keys by the service's name. Raises ValueError when `key` belongs to none of the service's own."""
        if key.public_key() not in public.get(service, ()):
            raise ValueError(f"the private key belongs to none of the public keys of {service}")
        self._service, self._key, self._public = service, key, public

    def sign(self, claims: Claims) -> str:
        """Signed EdDSA. Raises ValueError for a token of another service."""
        if claims["iss"] != self._service:
            raise ValueError(f"there is no private key of {claims['iss']} here")
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._service})

    def opened(self, token: str, **options: Any) -> Claims:
        """Signed with a key of the service that the token says it is of."""
        service = jwt.get_unverified_header(token).get("kid")
        keys = self._public.get(service, ()) if isinstance(service, str) else ()
        refused: jwt.PyJWTError = jwt.InvalidKeyError("no public key of such a service is known")
        for key in keys:
            try:
                return jwt.decode(token, key, algorithms=["EdDSA"], issuer=service, **options)
            except jwt.InvalidSignatureError as error:
                refused = error
        raise refused


def new_pair() -> tuple[str, str]:
    """A private key and its public key, each as PEM."""
    key = Ed25519PrivateKey.generate()
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    public = key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def private_key(pem: str) -> Ed25519PrivateKey:
    """Reads a private key. Raises ValueError for what is none, for one that is encrypted, and for one of another kind."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except (TypeError, ValueError):
        raise ValueError("it is no private key in PEM without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("it is no Ed25519 key")
    return key


def public_keys(pem: str) -> list[Ed25519PublicKey]:
    """Reads public keys, one after another. Raises ValueError for what is none, and for one of another kind."""
    found: list[Ed25519PublicKey] = []
    for block in pem.split(_END)[:-1]:
        try:
            key = serialization.load_pem_public_key((block + _END).encode())
        except ValueError:
            raise ValueError("it is no public key in PEM") from None
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("it is no Ed25519 key")
        found.append(key)
    if not found or pem.rpartition(_END)[2].strip():
        raise ValueError("it is no public key in PEM")
    return found
