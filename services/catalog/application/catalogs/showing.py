"""What a user of a buyer is shown, worked out before the products, categories or catalogs are read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from libs.auth import Principal
from services.catalog.application.ports import Memberships, Units
from services.catalog.domain.catalogs.visibility import Customer, Reach, Sight, sight_of, subtree

_Matters = Callable[[Reach], bool]


class Showing:
    """Reads catalogs, and trees and assignments only where they can matter: a constant number of statements.

    Groups come from the user's own token; for anyone else, and where the token had no room, the directory is asked, and only
    where something is assigned to a group of the buyer.
    """

    def __init__(self, units: Units, memberships: Memberships) -> None:
        self._units = units
        self._memberships = memberships

    async def catalogs(self, customer: Customer) -> Sight:
        """As far as it decides over catalogs."""
        return sight_of(customer.buyer_id, (), await self._reaches(customer), (), ())

    async def categories(self, caller: Principal, customer: Customer) -> Sight:
        """As far as it decides over categories."""
        return await self._within(caller, customer, await self._reaches(customer), lambda _: True)

    async def products(self, caller: Principal, customer: Customer) -> Sight:
        """As far as it decides over products: of a catalog that is shown as a whole, categories are not asked about."""
        return await self._within(caller, customer, await self._reaches(customer), lambda reach: not reach.all_products)

    async def shelves(
        self, caller: Principal, customer: Customer, category_id: str, only_this: bool
    ) -> tuple[Sight, frozenset[str]]:
        """The same, and of a category and those below it the ones that are seen."""
        reaches = await self._reaches(customer)
        trees = {reach.catalog_id for reach in reaches if not reach.all_products}
        groups = await self._groups(caller, customer)
        async with self._units.reading() as work:
            nodes = await work.sights.nodes(trees, category_id)
            grants = await work.sights.grants(customer.buyer_id, groups) if nodes else ()
        sight = sight_of(customer.buyer_id, groups, reaches, nodes, grants)
        # Of a catalog that is shown as a whole, categories say nothing more.
        within = {node.id for node in nodes if node.catalog_id in sight.whole}
        sight = replace(sight, shelves=sight.shelves - within)
        wanted = frozenset({category_id}) if only_this else subtree(nodes, category_id)
        return sight, wanted & sight.categories

    async def _reaches(self, customer: Customer) -> list[Reach]:
        async with self._units.reading() as work:
            return await work.sights.reaches(customer.buyer_id)

    async def _within(self, caller: Principal, customer: Customer, reaches: list[Reach], matters: _Matters) -> Sight:
        trees = {reach.catalog_id for reach in reaches if matters(reach)}
        if not trees:
            return sight_of(customer.buyer_id, (), reaches, (), ())
        groups = await self._groups(caller, customer)
        async with self._units.reading() as work:
            nodes = await work.sights.nodes(trees)
            grants = await work.sights.grants(customer.buyer_id, groups) if nodes else ()
        return sight_of(customer.buyer_id, groups, reaches, nodes, grants)

    async def _groups(self, caller: Principal, customer: Customer) -> Collection[str]:
        if caller.user_id == customer.user_id and caller.groups is not None:
            return caller.groups
        if not customer.user_id:
            return ()
        async with self._units.reading() as work:
            if not await work.sights.shown_to_groups(customer.buyer_id):
                return ()
        return await self._memberships.group_ids(customer.user_id)
