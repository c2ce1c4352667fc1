"""What the use cases need for tokens: the keys that sign them, and what ends them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from libs.auth import KeySet, TokenSigner
from libs.auth.revocations import RevocationPage
from services.directory.domain.tokens.grants import RefreshGrant
from services.directory.domain.tokens.signing_keys import SigningKey


class KeyRing(Protocol):
    """The keys of tokens, as they are at a moment."""

    async def signer(self, now: datetime) -> TokenSigner:
        """Signs with the key that signs then."""
        ...

    async def key_set(self, now: datetime) -> KeySet:
        """The keys that verify then."""
        ...


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key that signs tokens."""

    kid: str
    private: str
    """The private half, sealed."""
    modulus: str
    """The public half, as a JSON Web Key says it."""


class KeyMaker(Protocol):
    """Makes keys that sign tokens."""

    async def make(self) -> MadeKey: ...


class SigningKeyStore(Protocol):
    """The keys that sign tokens."""

    async def every(self) -> Sequence[SigningKey]:
        """All keys there ever were."""
        ...

    async def locked(self) -> Sequence[SigningKey]:
        """The same, and nobody else changes them until the end of the transaction."""
        ...

    async def add(self, key: SigningKey, made: MadeKey) -> None:
        """Stores a new key, and erases what is secret of those that have ended by then."""
        ...

    async def change(self, keys: Sequence[SigningKey]) -> None:
        """Stores the times of keys, and erases what is secret of a withdrawn one."""
        ...


class Revocations(Protocol):
    """Ends tokens, in the transaction of what takes something away from their holders. However many are concerned, it takes
    the same few statements."""

    async def users(self, ids: Collection[str], now: datetime) -> None:
        """Those of these users."""
        ...

    async def members(self, group_ids: Collection[str], now: datetime) -> None:
        """Those of everyone who is in one of these groups."""
        ...

    async def client(self, id: str, now: datetime) -> None:
        """Those of everyone who came through an API client."""
        ...

    async def companies(self, parties: Collection[str], now: datetime) -> None:
        """Those of everyone in these companies."""
        ...


class RefreshTokenStore(Protocol):
    """What refresh tokens stand for, by digests of them."""

    async def add(self, digest: str, grant: RefreshGrant) -> bool:
        """Stores one, and forgets the oldest of too many; False, and nothing is stored, when its user or its client has lost
        something since it signed in."""
        ...

    async def find(self, digest: str) -> RefreshGrant | None: ...


class AuditTrail(Protocol):
    """The log of administrative acts, in the transaction that carries them out. What changes a resource is in it anyway."""

    def note(self, resource: str, id: str, now: datetime, *, action: str = "", fields: Sequence[str] = ()) -> None:
        """One more. `action` names what is not named as its rpc; `fields` are what an update sets."""
        ...


class RevocationLists(Protocol):
    """What was taken away, in its order."""

    async def after(self, position: int) -> RevocationPage:
        """The page after a position; the first one when there was no such position."""
        ...
