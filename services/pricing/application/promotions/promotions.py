"""Promotions beside the standard methods: whose codes they take, and which of a supplier's may be active."""

from __future__ import annotations

from libs.errors import Violations
from libs.resource.contract import Guard, Items
from services.pricing.application.ports import PricingWork, SupplierProducts
from services.pricing.domain.promotions.terms import check_codes, valid_code
from services.pricing.domain.schedules.supply import Supplied, check_admitted


class Promotions:
    """What is looked at when a promotion is made or changed."""

    def __init__(self, suppliers: SupplierProducts) -> None:
        self._suppliers = suppliers

    async def saved_by(self, supplier_id: str) -> Guard[PricingWork]:
        """Of an owner's active promotions no two have the same code. A supplier, if it is one that saves, has active ones only as
        long as the seller lets it set prices."""
        supplied: Supplied | None = await self._suppliers.of(supplier_id, ()) if supplier_id else None

        async def check(work: PricingWork, found: Violations, items: Items) -> None:
            active = [(where, row) for where, row in items if row["active"]]
            if supplied is not None and active:
                check_admitted(supplied)
            coded = [(where, row["id"], (row["supplier_id"], row["code"])) for where, row in active if valid_code(row["code"])]
            if coded:
                check_codes(found, coded, await work.promotions.active({code for _, _, (_, code) in coded}))

        return check
