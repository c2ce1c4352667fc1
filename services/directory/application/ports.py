"""What the use cases need from outside, but for what is about tokens: see `tokens/ports.py`; about people who register:
`registration_ports.py`; what is only read: `reads.py`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from libs.auth import Principal
from libs.idempotency.key import RequestKey
from libs.service.unit_of_work import UnitsOfWork
from services.directory.application.registration_ports import Messages, Registrations
from services.directory.application.tokens.ports import AuditTrail, RefreshTokenStore, Revocations, SigningKeyStore
from services.directory.domain.address_book.addresses import Assignment, Entry
from services.directory.domain.cost_centers.assignments import CostCenterAssignment
from services.directory.domain.people.memberships import Membership, ProfileAssignment
from services.directory.domain.tokens.client_secrets import ClientSecret
from services.directory.domain.tokens.grants import Account, Client, ClientAccess, Standing

Outcome = Mapping[str, Sequence[Sequence[str]]]
"""What is recorded of a request: the keys of what it made, or nothing."""


class Requests(Protocol):
    """Requests with an id of the caller's own."""

    async def claim(self, key: RequestKey | None, outcome: Outcome, now: datetime) -> Outcome | None:
        """Records the outcome; or returns that of an earlier call. A request without an id is always new."""
        ...


class Accounts(Protocol):
    """Where clients and users are."""

    async def client(self, client_id: str) -> Client | None: ...
    async def user(self, *, username: str = "", user_id: str = "") -> Account | None: ...
    async def standing(self, user_id: str) -> Standing:
        """Roles by security profiles, and groups."""
        ...


class Secrets(Protocol):
    """Makes, hashes and checks secrets."""

    def new(self) -> str:
        """One that cannot be guessed."""
        ...

    async def hash(self, secret: str, source: str | None = None) -> str:
        """The hash. With a source it waits among the checks, and raises TOO_MANY_ATTEMPTS as they do."""
        ...

    async def verify(self, hashed: str | None, secret: str, source: str = "") -> bool:
        """Whether the secret is the one that was hashed, or none was. Raises TOO_MANY_ATTEMPTS when too many checks wait, all
        together or those of one source."""
        ...


class Parties(Protocol):
    """Which companies and users there are. A company is one text, `BUYER:acme`."""

    async def existing(self, parties: Collection[str]) -> set[str]:
        """Those that exist, locked against removal."""
        ...

    async def active(self, party: str) -> bool:
        """Whether a company takes part."""
        ...

    async def members(self, users: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (company, user id) that exist, locked against removal."""
        ...


@dataclass(frozen=True, slots=True)
class KnownUser:
    """A user as it stands before a change."""

    id: str
    username: str
    active: bool
    roles: Sequence[str]
    """Its own list."""
    held: frozenset[str]
    """All that it holds, by security profiles too."""
    party: str
    """Its company."""


class Users(Protocol):
    """Names and secrets of users."""

    async def names(self, keys: Collection[str]) -> dict[str, str]:
        """User id by folded name."""
        ...

    async def known(self, ids: Collection[str]) -> dict[str, KnownUser]:
        """Users by id, locked against removal."""
        ...

    async def keep(self, secrets: Sequence[tuple[str, str, str | None]]) -> None:
        """Stores (id, folded name, password hash); without a hash the password stays. Raises USERNAME_TAKEN."""
        ...

    async def managed(self, caller: Principal, id: str) -> KnownUser | None:
        """A user that the caller may change, locked."""
        ...

    async def set_password(self, id: str, hashed: str, now: datetime) -> None:
        """Stores the hash, as a new version of the user."""
        ...

    async def change_password(self, id: str, former: str, hashed: str, now: datetime) -> bool:
        """The same, unless another hash than the former one is stored by now: then False."""
        ...


class ClientSecrets(Protocol):
    """Secrets of API clients."""

    async def limits(self, id: str) -> tuple[str, Sequence[str]] | None:
        """Default user and role limit of a client, locked; none if there is no such client."""
        ...

    async def access(self, id: str) -> ClientAccess | None:
        """Whom a client admits, and with what."""
        ...

    async def every(self, id: str) -> Sequence[ClientSecret]:
        """Those of a client, oldest first."""
        ...

    async def add(self, id: str, secret: ClientSecret, now: datetime) -> None:
        """Stores one more, as a new version of the client, and forgets those that have ended."""
        ...

    async def end(self, id: str, secret_ids: Collection[str], end_time: datetime) -> None:
        """Lets secrets end at that time; those that end before keep their own."""
        ...

    async def note_change(self, id: str, now: datetime) -> None:
        """A new version of the client, whose secrets are others."""
        ...


class AddressBooks(Protocol):
    """Address books and assignments."""

    async def kept_by_others(self, keys: Collection[tuple[str, str]], user_id: str) -> set[tuple[str, str]]:
        """Those (company, address id) that a user other than this one keeps for itself."""
        ...

    async def restricted(self, caller: Principal) -> bool:
        """Whether the caller's buyer restricts addresses."""
        ...

    async def taken(self, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (company, address id) that exist, locked against removal."""
        ...

    async def gone(self, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (company, address id) that were deleted, so that nothing else may be called so yet."""
        ...

    async def read(self, keys: Sequence[tuple[str, str]]) -> list[Entry]:
        """Entries by (company, address id), in that order. Raises NOT_FOUND for one that is gone."""
        ...

    async def get(self, party: str, id: str) -> Entry | None:
        """One entry, locked."""
        ...

    async def add(self, entries: Sequence[Entry]) -> None:
        """Adds entries. Raises RESOURCE_EXISTS."""
        ...

    async def replace(self, entry: Entry) -> None:
        """Writes an entry anew."""
        ...

    async def remove(self, party: str, id: str, now: datetime) -> None:
        """Removes an entry and its assignments; its id stays taken."""
        ...

    async def assign(self, party_and_assignment: Sequence[tuple[str, Assignment]], now: datetime) -> None:
        """Adds or replaces assignments."""
        ...

    async def unassign(self, party_and_assignment: Sequence[tuple[str, Assignment]], now: datetime) -> None:
        """Removes assignments."""
        ...


class UserGroups(Protocol):
    """Who is in which group."""

    async def known(self, ids: Collection[str]) -> dict[str, str]:
        """Company by group id, of those that exist, locked against removal."""
        ...

    async def standing(self, members: Collection[Membership]) -> list[Membership]:
        """Those of these memberships that stand."""
        ...

    async def counts(self, user_ids: Collection[str]) -> dict[str, int]:
        """By user, in how many groups it is; who is in none is left out."""
        ...

    async def add(self, members: Collection[Membership], now: datetime) -> None:
        """Makes members of those who are none yet."""
        ...

    async def remove(self, members: Collection[Membership], now: datetime) -> None:
        """Ends memberships that stand."""
        ...

    async def leave_all(self, user_id: str, now: datetime) -> None:
        """Ends every membership of a user."""
        ...


class SecurityProfiles(Protocol):
    """Who has which security profile."""

    async def known(self, ids: Collection[str]) -> dict[str, Sequence[str]]:
        """Roles by profile id, of those that exist, locked against removal."""
        ...

    async def of_groups(self, ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Roles that profiles give to groups, by group id."""
        ...

    async def of_companies(self, parties: Collection[str]) -> dict[str, frozenset[str]]:
        """Roles that profiles give to whole companies, by company."""
        ...

    async def assign(self, items: Collection[ProfileAssignment], now: datetime) -> None:
        """Adds those that do not stand yet."""
        ...

    async def unassign(self, items: Collection[ProfileAssignment], now: datetime) -> None:
        """Ends those that stand."""
        ...

    async def withdraw_all(self, user_id: str, now: datetime) -> None:
        """Ends every assignment to a user itself."""
        ...

    async def holders(self, id: str) -> Sequence[ProfileAssignment]:
        """All assignments of a profile."""
        ...


class CostCenters(Protocol):
    """Who may use which cost center."""

    async def known(self, ids: Collection[str]) -> dict[str, str]:
        """Buyer by cost center, of those that exist, locked against removal."""
        ...

    async def assign(self, items: Collection[CostCenterAssignment], now: datetime) -> None:
        """Adds those that do not stand yet."""
        ...

    async def unassign(self, items: Collection[CostCenterAssignment], now: datetime) -> None:
        """Ends those that stand."""
        ...


class DirectoryWork(Protocol):
    """The directory's stores in one transaction."""

    @property
    def requests(self) -> Requests: ...
    @property
    def parties(self) -> Parties: ...
    @property
    def users(self) -> Users: ...
    @property
    def client_secrets(self) -> ClientSecrets: ...
    @property
    def signing_keys(self) -> SigningKeyStore: ...
    @property
    def revocations(self) -> Revocations: ...
    @property
    def refresh_tokens(self) -> RefreshTokenStore: ...
    @property
    def registrations(self) -> Registrations: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def books(self) -> AddressBooks: ...
    @property
    def groups(self) -> UserGroups: ...
    @property
    def profiles(self) -> SecurityProfiles: ...
    @property
    def cost_centers(self) -> CostCenters: ...
    @property
    def trail(self) -> AuditTrail: ...


Units = UnitsOfWork[DirectoryWork]


@dataclass(frozen=True, slots=True)
class Census:
    """What an inspection looks at: what is wrong, by rule, and how much there is."""

    sellers: int
    keys: int
    rows: Mapping[str, int]
    """By table."""
    orphans: Sequence[tuple[str, str, str]]
    """(rule, subject, what it refers to)."""


class CensusStore(Protocol):
    """Takes the census in one snapshot."""

    async def take(self) -> Census: ...
