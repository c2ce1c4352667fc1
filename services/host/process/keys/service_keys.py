"""What a process signs its calls to other services with, as its settings say."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from libs.auth import KeyPairs, SharedSecret
from libs.auth.service_keys import ServiceKeys, private_key, public_keys
from services.host.contexts import CONTEXTS
from services.host.process.settings import HostSettings, SecretError


def service_keys(host: HostSettings) -> ServiceKeys:
    """Its pair of keys, or the secret that it shares. Raises `SecretError`."""
    if not host.has_key_pair:
        return SharedSecret(host.secret())
    path, folder = host.key_pair
    try:
        key = private_key(_text(path))
    except ValueError as error:
        raise SecretError(f"the private key of {host.only} in {path} cannot be used: {error}") from None
    try:
        return KeyPairs(host.only, key, _public_keys(folder))
    except ValueError as error:
        raise SecretError(f"{path}: {error} in {folder}") from None


def _public_keys(folder: Path) -> dict[str, list[Ed25519PublicKey]]:
    """By service, from the file `<service>.pem` of each; a file may hold several keys, one after another."""
    found = {}
    for context in CONTEXTS:
        path = folder / f"{context}.pem"
        try:
            found[context] = public_keys(_text(path))
        except ValueError as error:
            raise SecretError(f"the public keys of {context} in {path} cannot be used: {error}") from None
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError as error:
        raise SecretError(f"{path} cannot be read: {error.strerror}") from None
