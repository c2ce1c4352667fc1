"""A shop as one customer sees it: products, the customer's prices, and what can be had."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from libs.auth import Principal
from libs.errors import Violations
from libs.query.request import Page, PageRequest
from services.catalog.application.catalogs.showing import Showing
from services.catalog.application.ports import Buyers, Prices, Shop, Stock
from services.catalog.domain.catalogs.visibility import Customer, Sight
from services.catalog.domain.choices.variants import NOTHING
from services.catalog.domain.products.facets import Facet, FacetCount, FacetsAsked, check_known, counted_of
from services.catalog.domain.shop.shop import Article, Availability, Offered, Sought, Wanted

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Look:
    """Where a customer looks; empty is everywhere."""

    catalog_id: str = ""
    category_id: str = ""
    only_this: bool = False
    words: frozenset[str] = frozenset()
    facets: FacetsAsked = field(default_factory=FacetsAsked)

    def bound(self) -> dict[str, str]:
        """What a page token belongs to."""
        place = {"catalog": self.catalog_id, "category": self.category_id, "only": str(self.only_this)}
        narrowed = sorted((id, sorted(values)) for id, values in self.facets.wanted().items())
        return {**place, "words": " ".join(sorted(self.words)), "facets": repr(narrowed)}


class Shopping:
    """Asks each other service once, however many products there are, and answers only when all of them do."""

    def __init__(self, showing: Showing, shop: Shop, buyers: Buyers, prices: Prices, stock: Stock) -> None:
        self._showing = showing
        self._shop = shop
        self._buyers = buyers
        self._prices = prices
        self._stock = stock

    async def page(
        self, caller: Principal, customer: Customer, look: Look, request: PageRequest, found: Violations
    ) -> tuple[Page[Offered], Sequence[FacetCount]]:
        """A page of what the customer is shown there, and counts by the facets that are asked for.

        Raises what was `found` wrong so far, with what is wrong of facets, and `FACET_NOT_READY`.
        """
        counted = await self._counted(look.facets, found)
        bound = {"user": caller.identity, "buyer": customer.buyer_id, "of": customer.user_id, **look.bound()}

        async def read() -> Sought:
            sight, wanted = await self._sight(caller, customer, look)
            return await self._shop.page(sight, wanted, request, bound, counted)

        currency, sought = await _both(self._buyers.currency(customer), read())
        offered = await self._offered(customer, currency, sought.page.items)
        choices = await self._shop.configured([item.product.id for item in offered])
        shown = [replace(item, configured=choices.of.get(item.product.id, NOTHING)) for item in offered]
        return sought.page.of(shown), sought.counts

    async def one(self, caller: Principal, customer: Customer, product_id: str) -> Offered:
        """One product; raises `RESOURCE_NOT_FOUND` for what is not shown."""
        currency = await self._buyers.currency(customer)
        sight = await self._showing.products(caller, customer)
        product = await self._shop.one(sight, product_id)
        prices, stock = await self._asked(customer, currency, [product], with_variants=True)
        found = await self._shop.whole(product.id)
        keys = [(product.id, str(variant["id"])) for variant in found.variants]
        own = tuple(prices[key] for key in keys if key in prices)
        offered = Offered(product, prices.get((product.id, "")), stock.get(product.id))
        return replace(offered, configured=found.of.get(product.id, NOTHING), variants=found.variants, variant_prices=own)

    async def _counted(self, asked: FacetsAsked, found: Violations) -> Sequence[Facet]:
        """The facets that are counted; they are not read where none is named or asked for."""
        facets = await self._shop.facets() if asked else ()
        check_known(found, asked, facets)
        found.raise_if_any()
        return counted_of(asked, facets)

    async def _sight(self, caller: Principal, customer: Customer, look: Look) -> tuple[Sight, Wanted]:
        if not look.category_id:
            sight, wanted = await self._showing.products(caller, customer), Wanted()
        else:
            sight, categories = await self._showing.shelves(caller, customer, look.category_id, look.only_this)
            wanted = Wanted(categories=categories)
        wanted = replace(wanted, words=look.words, facets=look.facets.wanted())
        if look.catalog_id:
            wanted = replace(wanted, catalogs=sight.catalogs & {look.catalog_id})
        return sight, wanted

    async def _offered(self, customer: Customer, currency: str, products: Sequence[Article]) -> list[Offered]:
        if not products:
            return []
        prices, stock = await self._asked(customer, currency, products)
        return [Offered(product, prices.get((product.id, "")), stock.get(product.id)) for product in products]

    async def _asked(
        self, customer: Customer, currency: str, products: Sequence[Article], with_variants: bool = False
    ) -> tuple[Mapping[tuple[str, str], object], Mapping[str, Availability]]:
        counted = [product.id for product in products if product.track_inventory]
        return await _both(
            self._prices.of(customer, currency, [product.id for product in products], with_variants),
            self._stock.of(customer, counted) if counted else _nothing(),
        )


async def _nothing() -> Mapping[str, Availability]:
    return {}


async def _both(first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """Both answers; what goes wrong is raised when neither is on its way any more."""
    one, other = await asyncio.gather(first, second, return_exceptions=True)
    if isinstance(one, BaseException):
        raise one
    if isinstance(other, BaseException):
        raise other
    return one, other
