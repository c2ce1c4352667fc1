"""Seals texts that are stored, by keys that are not: whoever has only the database cannot read them.

AES-256-GCM, with a fresh nonce for each text; what the text is about is authenticated with it, so that a sealed text that was
moved to another place does not open there. A sealed text names its key by a fingerprint, and the format that it is in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK = "sealed1:"
"""How every sealed text begins: the format, which is followed by the fingerprint of the key."""
KEY_BYTES = 32
_NONCE_BYTES = 12
_LEAST_DIFFERENT = 8


class NotOpened(Exception):
    """A sealed text does not open: its key is another one, or it was changed."""


def new_key() -> str:
    """A new key as text: 32 random bytes in base64."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def sealed_by(text: str) -> str:
    """The fingerprint of the key that has sealed the text; empty for one that is not sealed."""
    return text.removeprefix(MARK).partition(":")[0] if text.startswith(MARK) else ""


@dataclass(frozen=True, slots=True, repr=False)
class SealingKeys:
    """The first seals; all of them open, so that one can follow another."""

    _ciphers: Mapping[str, AESGCM]
    """By fingerprint, the one that seals first."""

    @staticmethod
    def read(text: str) -> SealingKeys:
        """Keys as `new_key` makes them, one a line. Raises ValueError that says which line is none, and never what it holds."""
        found: dict[str, AESGCM] = {}
        for number, line in enumerate(text.split(), 1):
            try:
                raw = base64.b64decode(line, validate=True)
            except (binascii.Error, ValueError):
                raise ValueError(f"line {number} is not base64") from None
            if len(raw) != KEY_BYTES:
                raise ValueError(f"line {number} is {len(raw)} bytes long, a key has {KEY_BYTES}")
            if len(set(raw)) < _LEAST_DIFFERENT:
                raise ValueError(f"line {number} can be guessed")
            found.setdefault(_fingerprint(raw), AESGCM(raw))
        if not found:
            raise ValueError("there is no key in it")
        return SealingKeys(found)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Of all keys, that of the one that seals first. They are no secret."""
        return tuple(self._ciphers)

    @property
    def first(self) -> str:
        """The fingerprint of the key that seals."""
        return self.fingerprints[0]

    def seal(self, text: str, about: str) -> str:
        """The text, to be opened by who knows the key and says the same of what it is about."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.first].encrypt(nonce, text.encode(), _bound(self.first, about))
        return f"{MARK}{self.first}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, about: str) -> str:
        """What was sealed. Raises `NotOpened`."""
        fingerprint = sealed_by(sealed)
        cipher = self._ciphers.get(fingerprint)
        if cipher is None:
            raise NotOpened(f"{about} is sealed by the key {fingerprint or '(none)'}, not by {', '.join(self.fingerprints)}")
        try:
            raw = base64.b64decode(sealed.rpartition(":")[2], validate=True)
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(fingerprint, about)).decode()
        except (InvalidTag, ValueError):
            raise NotOpened(f"{about} has changed since it was sealed") from None


FindKeys = Callable[[frozenset[str]], SealingKeys]
"""Finds the sealing keys, of those with these fingerprints at least; without any, where a new one may be made."""


def _bound(fingerprint: str, about: str) -> bytes:
    return f"{MARK}{fingerprint}:{about}".encode()


def _fingerprint(raw: bytes) -> str:
    return hashlib.sha256(b"waybill sealing key\0" + raw).hexdigest()[:16]
