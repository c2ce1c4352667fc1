"""What the use cases need from outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from libs.errors import Violations
from services.shipping.domain.estimate import Terms
from services.shipping.domain.methods import Scope

References = Sequence[tuple[str, Mapping[str, str]]]
"""(field path of a resource, its id and what it refers to, by the fields' names)."""


class ReferenceStore(Protocol):
    """Checks of references and twins before resources are stored, each in as many statements for many as for one."""

    async def carriers(self, found: Violations, items: References) -> None:
        """The `carrier_id` of ship methods exists."""
        ...

    async def of_assignments(self, found: Violations, items: References) -> None:
        """The ship method exists, and the same assignment does not."""
        ...

    async def of_rate_tables(self, found: Violations, items: References) -> None:
        """Ship method and zone exist, and no other table of both in the same currency."""
        ...


class ShippingWork(Protocol):
    """Shipping's stores in one transaction."""

    @property
    def references(self) -> ReferenceStore: ...


class TermsStore(Protocol):
    """Reads what applies to an order, in a number of statements that does not depend on the order."""

    async def load(self, buyer_id: str, client_id: str) -> Terms:
        """Active methods assigned to the buyer and channel, with their tables; the channel's rules."""
        ...

    async def scopes(self, buyer_id: str, client_id: str, method_ids: Collection[str]) -> Mapping[str, Sequence[Scope]]:
        """Of these methods the active ones that are assigned to the buyer and channel, each with its scopes."""
        ...


@dataclass(frozen=True, slots=True)
class Census:
    """The whole set-up at one moment, as far as its invariants need it."""

    rows: Mapping[str, int]
    """By table."""
    dangling: tuple[tuple[str, str, str], ...]
    """(kind of resource, its id, the reference that leads nowhere)."""
    weight_bounds: Mapping[str, list[Decimal | None] | None]
    """Of every rate table by id; None where what is stored are no rows of rates."""


class CensusStore(Protocol):
    """Reads the set-up for the inspection."""

    async def take(self) -> Census:
        """One snapshot."""
        ...
