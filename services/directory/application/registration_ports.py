"""What the use cases need for people who register, and for messages to them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from libs.auth import Principal
from libs.query.request import Page, PageRequest
from services.directory.domain.people.registrations import Message, Registration


class Registrations(Protocol):
    """Users that wait to be confirmed, by the digest of their token."""

    async def add(self, digest: str, one: Registration) -> None:
        """Stores one; of one e-mail address the oldest of too many give way."""
        ...

    async def look(self, digest: str) -> Registration | None:
        """One."""
        ...

    async def find(self, digest: str) -> Registration | None:
        """One, locked."""
        ...

    async def become(self, digest: str, one: Registration, user_id: str, now: datetime) -> None:
        """Ends the registration and makes the user. Raises USERNAME_TAKEN where another transaction was faster."""
        ...


class Messages(Protocol):
    """Messages to people."""

    async def add(self, message: Message, digest: str) -> None:
        """Stores a message about a registration; of one e-mail address the oldest of too many that are not sent give way."""
        ...

    async def spend(self, digest: str) -> None:
        """The token of these messages was used."""
        ...

    async def mark_sent(self, ids: Collection[str], now: datetime) -> tuple[set[str], set[str]]:
        """Marks those that are not sent yet and takes their tokens away; which exist, and which were marked now."""
        ...


class MessageLists(Protocol):
    """Messages as they are read."""

    async def page(self, caller: Principal, request: PageRequest) -> Page[Message]:
        """A page of all messages, each with its token as long as that can be used."""
        ...
