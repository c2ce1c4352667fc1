"""Which groups a customer is in, looked up only where some stock is restricted to groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from libs.auth import Principal
from services.fulfillment.application.ports import Memberships
from services.fulfillment.domain.sourcing.candidates import GroupsUnknown
from services.fulfillment.domain.sourcing.model import Customer

T = TypeVar("T")
Groups = frozenset[str] | None
"""Ids of the groups that a user is in; None while nobody has looked them up."""


def customer_of(caller: Principal | None, buyer_id: str, user_id: str) -> Customer:
    """The customer, with the groups of its own token where it calls itself; a customer without a user is in none."""
    if not user_id:
        return Customer(buyer_id)
    mine = caller is not None and caller.user_id == user_id and caller.party_id == buyer_id
    return Customer(buyer_id, user_id, caller.groups if caller is not None and mine else None)


class Customers:
    """Decides for customers whose groups may not be known."""

    def __init__(self, memberships: Memberships) -> None:
        self._memberships = memberships

    async def deciding(self, groups: Groups, decide: Callable[[Groups], Awaitable[T]]) -> T:
        """What is decided with what is known of the customer's groups. Where that depends on groups that nobody has looked up,
        the transaction of the decision is rolled back, the directory is asked outside of it, and it is decided anew."""
        try:
            return await decide(groups)
        except GroupsUnknown as unknown:
            found = await self._memberships.group_ids(unknown.user_id)
        return await decide(frozenset(found))
