"""Floors beside the standard methods: a product has one in a currency, and suppliers read those of their own products."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from libs.errors import Violations
from libs.ids import valid_id
from libs.resource.contract import Items
from services.pricing.application.ports import FloorLists, PricingWork, SupplierProducts
from services.pricing.domain.schedules.floor import check_alone


async def one_floor_each(work: PricingWork, found: Violations, items: Items) -> None:
    """A new floor is the only one of its product in its currency."""
    spots = [(where, (row["product_id"], row["currency"])) for where, row in items if valid_id(row["product_id"])]
    check_alone(found, spots, await work.floors.of({product for _, (product, _) in spots}))


class FloorsOfProducts:
    """BatchGetPriceFloors."""

    def __init__(self, lists: FloorLists, suppliers: SupplierProducts) -> None:
        self._lists = lists
        self._suppliers = suppliers

    async def __call__(self, product_ids: Collection[str], supplier_id: str = "") -> Sequence[object]:
        """The floors of these products, as messages; for a supplier of those that it owns."""
        if supplier_id and product_ids:
            product_ids = (await self._suppliers.of(supplier_id, product_ids)).owned
        return await self._lists.of_products(product_ids) if product_ids else []
