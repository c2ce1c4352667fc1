"""What the catalog needs from outside for specs and variants."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from libs.query.request import Page, PageRequest
from services.catalog.domain.choices.specs import Holder, Spec
from services.catalog.domain.choices.variants import Choice, Configurations, NewVariant, VariantKey
from services.catalog.domain.choices.variants import Row as Variant


class SpecStore(Protocol):
    """Specs, and which products have them."""

    async def named(self, ids: Collection[str]) -> Mapping[str, Spec]:
        """Those that exist; nobody changes or deletes them until the transaction ends."""
        ...

    async def one(self, id: str) -> Spec:
        """A spec that is there, as it is stored."""
        ...

    async def holders(self, product_ids: Collection[str], owner: str = "") -> Mapping[str, Holder]:
        """Products that exist, of the owner if there is one; nobody else changes their specs or variants until the transaction
        ends."""
        ...

    async def defining(self, product_id: str) -> Sequence[Spec]:
        """Those that define the variants of a product, in their order; nobody changes them until the transaction ends."""
        ...

    async def is_varied(self, spec_id: str) -> bool:
        """Whether a product that has the spec has variants."""
        ...

    async def varied_by(self, spec_id: str, option_ids: Collection[str]) -> Collection[str]:
        """Those of the options that variants have, of the products that have the spec."""
        ...

    async def fills_up(self, spec_id: str) -> bool:
        """Whether a product that has the spec has as many others that define variants as it may. Nobody else changes the specs of
        those products until the transaction ends."""
        ...

    async def strange_to(self, product_id: str, owner: str) -> bool:
        """Whether a product has specs of a supplier who is not this one."""
        ...


class VariantStore(Protocol):
    """Variants of products that are locked."""

    async def combinations(self, product_id: str) -> Mapping[str, str]:
        """By id the combinations of the variants that a product has."""
        ...

    async def add(self, product_id: str, made: Sequence[NewVariant], now: datetime) -> None:
        """Stores new ones, which are active."""

    async def named(self, keys: Collection[VariantKey]) -> Mapping[VariantKey, Variant]:
        """Those that there are."""
        ...

    async def replace(self, rows: Sequence[Variant], fields: Collection[str], now: datetime) -> None:
        """Stores them as they have become; `fields` have changed."""

    async def remove(self, key: VariantKey, now: datetime) -> None:
        """Deletes one."""

    async def remove_all(self, product_id: str, now: datetime) -> None:
        """Deletes those of a product that goes."""


class Configuring(Protocol):
    """Reads what can be chosen of products."""

    async def of(self, product_ids: Collection[str], choices: Sequence[Choice] = (), *, active: bool) -> Configurations:
        """Of these products, with the variants that are chosen, of one moment; with `active` only variants that are."""
        ...


class Variants(Protocol):
    """Reads the variants of a product that the caller sees."""

    async def one(self, key: VariantKey, *, active: bool) -> Variant | None:
        """One, if it is there; with `active` only if it is that."""
        ...

    async def page(self, product_id: str, request: PageRequest, bound: Mapping[str, str], *, active: bool) -> Page[Variant]:
        """A page of them; `bound` is what else its token belongs to."""
        ...
