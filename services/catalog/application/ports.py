"""What the catalog needs from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from libs.idempotency.key import RequestKey
from libs.query.request import Page, PageRequest
from libs.resource.contract import Methods
from libs.service.unit_of_work import UnitsOfWork
from services.catalog.application.spec_ports import SpecStore, VariantStore
from services.catalog.domain.catalogs.assignment import Key, Kind, Known, Row
from services.catalog.domain.catalogs.tree import Parents
from services.catalog.domain.catalogs.visibility import Customer, Grant, Node, Reach, Sight
from services.catalog.domain.choices.variants import Configurations
from services.catalog.domain.products.facets import Facet
from services.catalog.domain.products.product import StoredProduct
from services.catalog.domain.shop.shop import Article, Availability, Sought, Wanted
from services.catalog.domain.suppliers.supply import Permission, Supplied


class AssignmentStore(Protocol):
    """Assignments of every kind. Rows are written in the order of their keys. What follows from another act is none itself."""

    async def put(self, kind: Kind, rows: Sequence[Row], now: datetime, *, follows: bool = False) -> None:
        """Inserts or replaces."""

    async def remove(self, kind: Kind, keys: Sequence[Key], now: datetime, *, follows: bool = False) -> Sequence[Key]:
        """Ends those that stand, and names them."""
        ...

    async def remove_all(self, kind: Kind, field: str, id: str, now: datetime) -> None:
        """Ends all that name something."""

    async def standing(self, kind: Kind, keys: Sequence[Key]) -> Collection[Key]:
        """Those that stand, locked in their order against being changed or ended."""
        ...


class KnownStore(Protocol):
    """What there is of what requests name, locked against removal."""

    async def named(self, kind: Kind, rows: Sequence[Row], owner: str = "") -> Known:
        """What assignments name; with an owner, of products those of that supplier. Products that go into or out of catalogs
        are locked, so that nobody else proposes, admits or takes them out meanwhile."""
        ...

    async def settled(self, products: Collection[str], owner: str = "") -> Collection[str]:
        """Those of the products that exist, of the owner if there is one: locked as `named` locks what goes into a catalog."""
        ...

    async def within(self, pairs: Sequence[Key]) -> Sequence[Key]:
        """Of pairs of a catalog and a product: the catalog's categories that the product is in, each with the product."""
        ...

    async def taking_products(self) -> Sequence[str]:
        """The catalogs that take new products."""
        ...

    async def trees(self, catalogs: Collection[str]) -> Mapping[str, Parents]:
        """The trees of those of the catalogs that exist, whose trees nobody else changes until the transaction ends."""
        ...


class SightStore(Protocol):
    """What decides over what a buyer's user is shown."""

    async def reaches(self, buyer_id: str) -> list[Reach]:
        """The active catalogs that the buyer has."""
        ...

    async def shown_to_groups(self, buyer_id: str) -> bool:
        """Whether any category or product is assigned to a group of the buyer."""
        ...

    async def nodes(self, catalogs: Collection[str], and_around: str = "") -> Sequence[Node]:
        """All categories of the catalogs, and of the catalog that has a category."""
        ...

    async def grants(self, buyer_id: str, groups: Collection[str]) -> Sequence[Grant]:
        """Assignments of categories to the buyer and to the groups."""
        ...


class PermissionStore(Protocol):
    """What suppliers may do."""

    async def of(self, supplier_id: str) -> Sequence[Permission]:
        """Those of a supplier by catalog, locked against being ended."""
        ...


class WordStore(Protocol):
    """The words that products are found by."""

    async def put(self, words: Mapping[str, frozenset[str]]) -> None:
        """Notes those of products that have none yet."""

    async def replace(self, product_id: str, words: frozenset[str]) -> None:
        """What a product is found by from now on."""

    async def remove(self, product_id: str) -> None:
        """Nothing finds the product any more."""


@dataclass(frozen=True, slots=True)
class Collecting:
    """A facet whose values are being collected, and the product up to which they have been."""

    facet_id: str
    xp_path: str
    to: str


class FacetStore(Protocol):
    """Facets, and the values that products have by them."""

    async def all(self) -> Sequence[Facet]:
        """Every facet, in the order of a shop."""
        ...

    async def paths(self, *, alone: bool = False) -> Mapping[str, str]:
        """The path of every facet. Until the transaction ends nobody declares, changes or ends one; with `alone` nobody else
        writes products by them either."""
        ...

    async def put(self, values: Mapping[str, frozenset[tuple[str, str]]]) -> None:
        """Notes the values of products, as (facet, value); those that are noted already stay."""

    async def replace(self, product_id: str, values: frozenset[tuple[str, str]]) -> None:
        """What a product has from now on."""

    async def remove(self, product_id: str) -> None:
        """The product is counted no more."""

    async def clear(self, facet_id: str) -> None:
        """Nothing is counted by the facet, and nothing has been collected for it."""

    async def collecting(self, facet_id: str = "") -> Collecting | None:
        """A facet, or that one, if its values are not all collected and nobody else collects for it; locked."""
        ...

    async def some_xp(self, after: str, most: int) -> Sequence[tuple[str, object]]:
        """Products after one with their xp, locked against change."""
        ...

    async def collected(self, facet_id: str, to: str, whole: bool) -> None:
        """The values of products are kept up to one; or of all."""


class RequestStore(Protocol):
    """Recorded requests."""

    async def begin(self, request: RequestKey | None, now: datetime) -> Mapping[str, object] | None:
        """Records the request, whose outcome `finish` adds; the recorded outcome when it was made before."""
        ...

    async def finish(self, request: RequestKey | None, outcome: Mapping[str, object]) -> None:
        """Records what came of it."""

    async def claim(self, request: RequestKey | None, now: datetime) -> bool:
        """Records the request; False when it was made before. A request without an id is always new."""
        ...


class CatalogWork(Protocol):
    """The catalog's stores in one transaction."""

    @property
    def assignments(self) -> AssignmentStore: ...
    @property
    def known(self) -> KnownStore: ...
    @property
    def sights(self) -> SightStore: ...
    @property
    def permissions(self) -> PermissionStore: ...
    @property
    def words(self) -> WordStore: ...
    @property
    def facets(self) -> FacetStore: ...
    @property
    def specs(self) -> SpecStore: ...
    @property
    def variants(self) -> VariantStore: ...
    @property
    def requests(self) -> RequestStore: ...


Units = UnitsOfWork[CatalogWork]


class AssignmentLists(Protocol):
    """Reads assignments."""

    async def page(self, kind: Kind, request: PageRequest, bound: Mapping[str, str], supplier_id: str = "") -> Page[Row]:
        """A page in the order of the keys, and the token of the next; `bound` is what else the token belongs to. With a
        supplier, what is the supplier's or of its products."""
        ...


class Shown(Protocol):
    """The standard methods for somebody who sees only what a sight shows, or a supplier's permissions."""

    def catalogs(self, sight: Sight) -> Methods[CatalogWork]: ...
    def categories(self, sight: Sight) -> Methods[CatalogWork]: ...
    def catalogs_for(self, supplier_id: str) -> Methods[CatalogWork]:
        """Catalogs that the supplier has a permission for."""
        ...

    def categories_for(self, supplier_id: str) -> Methods[CatalogWork]:
        """Their categories."""
        ...

    def products(self, sight: Sight, *, inactive: bool = False) -> Methods[CatalogWork]:
        """With `inactive` also products that are shown but not active."""
        ...


class Shop(Protocol):
    """Reads the products that a customer is shown, a page at a time."""

    async def facets(self) -> Sequence[Facet]:
        """Every facet, in the order of a shop."""
        ...

    async def page(
        self, sight: Sight, wanted: Wanted, request: PageRequest, bound: Mapping[str, str], facets: Sequence[Facet] = ()
    ) -> Sought:
        """A page of products, as messages, and counts by the facets; `bound` is what else its token belongs to."""
        ...

    async def one(self, sight: Sight, product_id: str) -> Article:
        """One product; raises `RESOURCE_NOT_FOUND` for what is not shown."""
        ...

    async def configured(self, product_ids: Collection[str]) -> Configurations:
        """What can be chosen of products that are shown, without their variants."""
        ...

    async def whole(self, product_id: str) -> Configurations:
        """Of one product that is shown, with all its active variants, by id."""
        ...


class SuppliedProducts(Protocol):
    """Reads what suppliers may do, for other services."""

    async def of(self, supplier_id: str, product_ids: Collection[str]) -> Supplied:
        """What a supplier may do with these products."""
        ...


class Prices(Protocol):
    """Pricing, which knows what a customer pays."""

    async def of(
        self, customer: Customer, currency: str, product_ids: Sequence[str], with_variants: bool = False
    ) -> Mapping[tuple[str, str], object]:
        """By product and variant the price, as a message; the variant is empty for the product's own. If wanted, variants are
        there that have their own. Those without one are absent. Raises when pricing does not answer."""
        ...


class Stock(Protocol):
    """Fulfillment, which counts stock."""

    async def of(self, customer: Customer, product_ids: Sequence[str]) -> Mapping[str, Availability]:
        """What the customer can have of each; raises when fulfillment does not answer."""
        ...


class Buyers(Protocol):
    """The directory, which knows what buyers order in."""

    async def currency(self, customer: Customer) -> str:
        """The buyer's; raises `RESOURCE_NOT_FOUND` for a buyer, or user of it, that is not there."""
        ...


class Memberships(Protocol):
    """The directory, which knows who is in which group."""

    async def group_ids(self, user_id: str) -> Collection[str]:
        """The groups that the user is in now; raises when the directory does not answer."""
        ...


class CensusStore(Protocol):
    """Reads every product for the inspection."""

    def take(self) -> AsyncIterator[Sequence[StoredProduct]]:
        """One snapshot, part by part."""
        ...
