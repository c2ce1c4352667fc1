"""Specs beside their standard methods: what suppliers may set, and what products that have them allow."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from libs.resource.contract import Guard, Items
from services.catalog.application.catalogs.entering import admitted
from services.catalog.application.ports import CatalogWork, Units
from services.catalog.domain.catalogs.assignment import FIELD, PRODUCT_SPEC, Row, check_form
from services.catalog.domain.choices.specs import (
    FIELD_OF_SUPPLIERS,
    check_given,
    check_kept,
    check_supplied,
    check_taken,
    spec_of,
    too_many_defining,
)
from services.catalog.domain.suppliers.supply import refuse, settable
from waybill.catalog.v1 import reasons


def makes_specs(supplier_id: str) -> Guard[CatalogWork]:
    """A supplier makes those that it may set."""

    async def check(work: CatalogWork, found: Violations, items: Items) -> None:
        permissions = await admitted(work, supplier_id)
        for where, row in items:
            check_supplied(found, where, permissions, spec_of(row))

    return check


def changes_specs(supplier_id: str, paths: Collection[str]) -> Guard[CatalogWork]:
    """What variants are made of stays, and a supplier changes what it may set."""

    async def check(work: CatalogWork, found: Violations, items: Items) -> None:
        permissions = await admitted(work, supplier_id) if supplier_id else ()
        for where, row in items:
            old, new = await work.specs.one(row["id"]), spec_of(row)
            if supplier_id:
                check_supplied(found, where, permissions, new, old)
            turned = old.defines_variant != new.defines_variant
            used = await work.specs.varied_by(new.id, old.option_ids - new.option_ids) if "options" in paths else ()
            check_kept(found, where, old, new, used, turned and await work.specs.is_varied(new.id))
            if turned and new.defines_variant and await work.specs.fills_up(new.id):
                too_many_defining(found, f"{where}.defines_variant")

    return check


def ends_specs(supplier_id: str) -> Guard[CatalogWork]:
    """A supplier deletes specs where it may set them."""

    async def check(work: CatalogWork, found: Violations, items: Items) -> None:
        if supplier_id:
            refuse(found, FIELD_OF_SUPPLIERS, FIELD_OF_SUPPLIERS in settable(await admitted(work, supplier_id)))

    return check


async def keeps_specs_of_owner(work: CatalogWork, found: Violations, items: Items) -> None:
    """A product that is given to another owner has no specs of the one before."""
    for where, row in items:
        strange = await work.specs.strange_to(row["id"], row["owner_supplier_id"])
        text = "the product has specs of another supplier"
        found.require(f"{where}.owner_supplier_id", not strange, reasons.SPECS_OF_OTHER_OWNER, text)


class AssigningSpecs:
    """Gives specs to products and takes them, all or none, in a constant number of statements; specs are locked first."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def assign(self, request: RequestKey | None, rows: Sequence[Row], supplier_id: str = "") -> None:
        """What is there stays; raises every violation at once. A supplier gives its own specs to its own products."""
        self._check_form(rows)

        async def put(work: CatalogWork) -> None:
            now, wrong = self._clock.now(), Violations()
            if not await work.requests.claim(request, now) or not rows:
                return
            await admit_to_specs(work, wrong, supplier_id, FIELD)
            specs = await work.specs.named({str(row["spec_id"]) for row in rows})
            if supplier_id:
                specs = {id: spec for id, spec in specs.items() if spec.owner_supplier_id == supplier_id}
            products = await work.specs.holders({str(row["product_id"]) for row in rows}, supplier_id)
            check_given(wrong, rows, specs, products)
            wrong.raise_if_any()
            await work.assignments.put(PRODUCT_SPEC, rows, now)

        await self._units.retrying(put)

    async def unassign(self, request: RequestKey | None, rows: Sequence[Row], supplier_id: str = "") -> None:
        """One that is not there is no error; to a supplier, none but those of its own products are."""
        self._check_form(rows)

        async def remove(work: CatalogWork) -> None:
            now, wrong = self._clock.now(), Violations()
            if not await work.requests.claim(request, now) or not rows:
                return
            await admit_to_specs(work, wrong, supplier_id, FIELD)
            products = await work.specs.holders({str(row["product_id"]) for row in rows}, supplier_id)
            check_taken(wrong, rows, products)
            wrong.raise_if_any()
            keys = [PRODUCT_SPEC.key(row) for row in rows if row["product_id"] in products]
            await work.assignments.remove(PRODUCT_SPEC, keys, now)

        await self._units.retrying(remove)

    @staticmethod
    def _check_form(rows: Sequence[Row]) -> None:
        found = Violations()
        check_form(found, PRODUCT_SPEC, rows)
        found.raise_if_any()


async def admit_to_specs(work: CatalogWork, found: Violations, supplier_id: str, field: str) -> None:
    """Notes it when a supplier may not set specs, which `field` of the request would; the seller may."""
    if supplier_id:
        refuse(found, field, FIELD_OF_SUPPLIERS in settable(await admitted(work, supplier_id)))
