"""Variants: made of the specs of their product, changed and deleted. Who writes any of a product's locks the product first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from libs.clock import Clock
from libs.errors import Violations, missing, precondition, stale
from libs.idempotency.key import RequestKey
from libs.ids import IdSource
from services.catalog.application.choices.specifying import admit_to_specs
from services.catalog.application.ports import CatalogWork, Units
from services.catalog.domain.choices.variants import MAX_VARIANTS, Row, VariantKey, missing_variants, number
from waybill.catalog.v1 import reasons


@dataclass(frozen=True, slots=True)
class Generated:
    """How many variants were made, and how many the product has."""

    created: int
    total: int


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one variant."""

    where: str
    """Where the request says it."""
    key: VariantKey
    etag: str
    """The version that the caller has read; empty for any."""
    fields: tuple[str, ...]
    read: Callable[[Violations, Row], Mapping[str, object]]
    """The values that change, of the row as it is; notes what is wrong with them."""


class Varying:
    """Writes variants, in a constant number of statements."""

    def __init__(self, units: Units, clock: Clock, ids: IdSource) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids

    async def generate(self, request: RequestKey | None, product_id: str, supplier_id: str = "") -> Generated:
        """Makes those that are missing. Raises `RESOURCE_NOT_FOUND`, `VARIANT_SPECS_MISSING` and `TOO_MANY_VARIANTS`."""

        async def work(work: CatalogWork) -> Generated:
            now = self._clock.now()
            recorded = await work.requests.begin(request, now)
            if recorded is not None:
                return Generated(int(str(recorded["created"])), int(str(recorded["total"])))
            await self._open(work, "product_id", product_id, supplier_id)
            defining = await work.specs.defining(product_id)
            total = number(defining)
            if not total:
                text = f"product {product_id!r} has no spec that defines variants"
                raise precondition(reasons.VARIANT_SPECS_MISSING, text, product=product_id)
            if total > MAX_VARIANTS:
                text = f"product {product_id!r} would have {total:,} variants, and may have {MAX_VARIANTS:,}"
                raise precondition(reasons.TOO_MANY_VARIANTS, text, product=product_id, variants=str(total))
            standing = await work.variants.combinations(product_id)
            made = missing_variants(defining, set(standing.values()), standing, lambda: self._ids.public("var"))
            await work.variants.add(product_id, made, now)
            await work.requests.finish(request, {"created": len(made), "total": total})
            return Generated(len(made), total)

        return await self._units.retrying(work)

    async def update(self, request: RequestKey | None, edits: Sequence[Edit], supplier_id: str = "", *, batch: bool) -> list[Row]:
        """Changes all or none, and gives them as they are stored, in the order of the edits.

        Raises every violation at once; one that is not there is `VARIANT_NOT_FOUND` in a batch, and `RESOURCE_NOT_FOUND` alone.
        """
        keys = {edit.key for edit in edits}

        async def work(work: CatalogWork) -> list[Row]:
            now, wrong = self._clock.now(), Violations()
            again = not await work.requests.claim(request, now)
            await admit_to_specs(work, wrong, supplier_id, "variants" if batch else "variant")
            products = await work.specs.holders({product for product, _ in keys}, supplier_id)
            rows = await work.variants.named({key for key in keys if key[0] in products})
            for edit in edits:
                if edit.key in rows:
                    continue
                if not batch or again:
                    raise missing("variant", edit.key[1])
                text = f"product {edit.key[0]!r} has no variant {edit.key[1]!r}"
                wrong.add(f"{edit.where}.id", reasons.VARIANT_NOT_FOUND, text)
            if again:
                return [rows[edit.key] for edit in edits]
            made: list[Row] = []
            for edit in edits:
                if (row := rows.get(edit.key)) is None:
                    continue
                version = int(str(row["version"]))
                if edit.etag and edit.etag != str(version):
                    raise stale("variant", edit.key[1], str(version))
                made.append({**row, **edit.read(wrong, row), "version": version + 1, "update_time": now})
            wrong.raise_if_any()
            await work.variants.replace(made, sorted({name for edit in edits for name in edit.fields}), now)
            return made

        return await self._units.retrying(work)

    async def delete(self, request: RequestKey | None, key: VariantKey, etag: str, supplier_id: str = "") -> None:
        """Deletes one; a repeat of the same request is no error. Raises `RESOURCE_NOT_FOUND`, and what is stale."""

        async def work(work: CatalogWork) -> None:
            now = self._clock.now()
            if not await work.requests.claim(request, now):
                return
            await self._open(work, "variant_id", key[0], supplier_id)
            row = (await work.variants.named([key])).get(key)
            if row is None:
                raise missing("variant", key[1])
            if etag and etag != str(row["version"]):
                raise stale("variant", key[1], str(row["version"]))
            await work.variants.remove(key, now)

        await self._units.retrying(work)

    @staticmethod
    async def _open(work: CatalogWork, field: str, product_id: str, supplier_id: str) -> None:
        """Locks a product that the caller writes variants of; raises what stands against it."""
        wrong = Violations()
        await admit_to_specs(work, wrong, supplier_id, field)
        if product_id not in await work.specs.holders([product_id], supplier_id):
            raise missing("product", product_id)
        wrong.raise_if_any()
