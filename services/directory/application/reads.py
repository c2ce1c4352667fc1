"""What is read without a use case of its own: lists as far as a caller may read them, and what other services
ask about parties."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from libs.auth import Principal
from libs.query.request import Page, PageRequest
from services.directory.domain.address_book.addresses import Assignment, Entry, Fields
from services.directory.domain.cost_centers.assignments import CostCenterAssignment
from services.directory.domain.parties.ordering import OrderingContext
from services.directory.domain.people.memberships import Group, Membership, ProfileAssignment


class AddressLists(Protocol):
    """Address books as far as a caller may read them."""

    async def batch(self, caller: Principal, book: str, ids: Sequence[str], most: int) -> Sequence[Entry]:
        """Entries by id, or the beginning of the book."""
        ...

    async def page(self, caller: Principal, book: str, request: PageRequest) -> Page[Entry]:
        """A page of a book."""
        ...

    async def assignments(self, caller: Principal, book: str, request: PageRequest) -> Page[tuple[str, Assignment]]:
        """A page of a book's assignments, each with its company; to those who do not read the whole book those of the caller, of
        its groups and of everyone."""
        ...


class MembershipLists(Protocol):
    """Memberships and assignments of profiles as far as a caller may read them."""

    async def members(self, caller: Principal, group_id: str, request: PageRequest) -> Page[Membership]:
        """A page of a group's members. Raises NOT_FOUND for a group that the caller does not see."""
        ...

    async def groups(self, caller: Principal, user_id: str, request: PageRequest) -> Page[Group]:
        """A page of a user's groups. Raises NOT_FOUND for a user that is of no company that the caller sees."""
        ...

    async def group_ids(self, user_id: str) -> Sequence[str]:
        """All groups of a user, in their order."""
        ...

    async def parties(self, ids: Collection[str]) -> Sequence[tuple[str, str]]:
        """Groups that exist, each with its company as one text; sorted."""
        ...

    async def assignments(self, caller: Principal, request: PageRequest) -> Page[ProfileAssignment]:
        """A page of all assignments of profiles."""
        ...


class CostCenterLists(Protocol):
    """Assignments of cost centers as far as a caller may read them."""

    async def assignments(self, caller: Principal, request: PageRequest) -> Page[CostCenterAssignment]:
        """A page of the assignments of the cost centers that the caller sees."""
        ...


class Contexts(Protocol):
    """What other services ask about parties."""

    async def seller_id(self) -> str:
        """The id of the seller; it never changes."""
        ...

    async def ordering(
        self,
        buyer_id: str,
        user_id: str,
        client_id: str,
        address_ids: Collection[str],
        guest: bool = False,
        admitting: str = "",
        cost_center_ids: Collection[str] = (),
    ) -> OrderingContext:
        """Who orders and where to; the number of addresses and cost centers does not matter. To a guest only what everyone of the
        buyer is assigned is usable. `admitting` is the client that is asked about the buyer, where it is another one."""
        ...

    async def addresses(self, refs: Collection[tuple[str, str]]) -> Sequence[tuple[str, Fields]]:
        """Addresses of any book by (company, id), each with its company."""
        ...
