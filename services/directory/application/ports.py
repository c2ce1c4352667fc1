"""What the use cases need from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from libs.auth import Principal, TokenSigner
from services.directory.domain.addresses import Assignment, Entry
from services.directory.domain.grants import Account, Client

T = TypeVar("T")
Tx = Any
"""An open transaction: opaque here, the stores know what it is."""
Request = Any
"""The key of an idempotent request; None when the caller gave no request id."""


class Transactions(Protocol):
    """Opens transactions."""

    async def retrying(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Runs the work in a writing transaction; again when the database asks for it."""
        ...


class Requests(Protocol):
    """Requests with an id of the caller's own."""

    async def claim(self, tx: Tx, key: Request, outcome: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        """Records the outcome; or returns that of an earlier call."""
        ...


class Accounts(Protocol):
    """Where clients, users and the signing keys are."""

    async def client(self, client_id: str) -> Client | None: ...
    async def user(self, *, username: str = "", user_id: str = "") -> Account | None: ...
    async def signer(self) -> TokenSigner: ...


class Secrets(Protocol):
    """Hashes and checks secrets."""

    async def hash(self, secret: str) -> str: ...
    async def verify(self, hashed: str | None, secret: str) -> bool: ...


class Parties(Protocol):
    """Which companies and users there are. A company is one text, `BUYER:acme`."""

    async def existing(self, tx: Tx, parties: Collection[str]) -> set[str]:
        """Those that exist."""
        ...

    async def members(self, tx: Tx, users: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (company, user id) that exist."""
        ...


@dataclass(frozen=True, slots=True)
class KnownUser:
    """A user as it stands before a change."""

    id: str
    username: str
    active: bool
    roles: Sequence[str]


class Users(Protocol):
    """Names and secrets of users."""

    async def names(self, tx: Tx, keys: Collection[str]) -> dict[str, str]:
        """User id by folded name."""
        ...

    async def known(self, tx: Tx, ids: Collection[str]) -> dict[str, KnownUser]:
        """Users by id."""
        ...

    async def keep(self, tx: Tx, secrets: Sequence[tuple[str, str, str | None]]) -> None:
        """Stores (id, folded name, password hash); without a hash the password stays. Raises USERNAME_TAKEN."""
        ...

    async def visible(self, tx: Tx, caller: Principal, id: str) -> KnownUser | None:
        """A user that the caller may see, locked."""
        ...

    async def set_password(self, tx: Tx, id: str, hashed: str, now: datetime) -> None:
        """Stores the hash, as a new version of the user."""
        ...


class ClientSecrets(Protocol):
    """Secrets of API clients."""

    async def limits(self, tx: Tx, id: str) -> tuple[str, Sequence[str]] | None:
        """Default user and role limit of a client, locked; none if there is no such client."""
        ...

    async def set_secret(self, tx: Tx, id: str, hashed: str, now: datetime) -> None:
        """Stores the hash, as a new version of the client."""
        ...


class AddressBooks(Protocol):
    """Address books and assignments."""

    async def restricted(self, tx: Tx, caller: Principal) -> bool:
        """Whether the caller's buyer restricts addresses."""
        ...

    async def taken(self, tx: Tx, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (company, address id) that exist, locked against removal."""
        ...

    async def read(self, tx: Tx, keys: Sequence[tuple[str, str]]) -> list[Entry]:
        """Entries by (company, address id), in that order, without those that are gone."""
        ...

    async def get(self, tx: Tx, party: str, id: str) -> Entry | None:
        """One entry, locked."""
        ...

    async def add(self, tx: Tx, entries: Sequence[Entry]) -> None:
        """Adds entries. Raises RESOURCE_EXISTS."""
        ...

    async def replace(self, tx: Tx, entry: Entry) -> None:
        """Writes an entry anew."""
        ...

    async def remove(self, tx: Tx, party: str, id: str) -> None:
        """Removes an entry and its assignments."""
        ...

    async def assign(self, tx: Tx, party_and_assignment: Sequence[tuple[str, Assignment]]) -> None:
        """Adds or replaces assignments."""
        ...

    async def unassign(self, tx: Tx, party_and_assignment: Sequence[tuple[str, Assignment]]) -> None:
        """Removes assignments."""
        ...


@dataclass(frozen=True, slots=True)
class Census:
    """What an audit looks at: what is wrong, by rule, and how much there is."""

    sellers: int
    keys: int
    rows: Mapping[str, int]
    """By table."""
    orphans: Sequence[tuple[str, str, str]]
    """(rule, subject, what it refers to)."""


class CensusStore(Protocol):
    """Takes the census in one snapshot."""

    async def take(self) -> Census: ...
