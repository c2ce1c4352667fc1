"""A supplier that brings a hundred thousand products."""

from __future__ import annotations

import resource

import pytest

from libs.errors import WaybillError
from tests.integration.catalog.world import MAIN, World
from tests.support.principals import supplier
from waybill.catalog.v1 import product_service_pb2 as pb
from waybill.catalog.v1.product_pb2 import Product

BOLT = supplier("ProductAdmin")
BATCH, BATCHES, FIRST = 1_000, 100, 20
MOST_GROWTH_KB = 64 * 1024
"""What the process may need more for all batches than for the first ones; the products themselves are more than that."""


def rows(batch: int) -> list[Product]:
    """Products of a batch, each with a word of its own."""
    return [
        Product(id=f"p{batch}-{i}", name=f"Part {batch}x{i}", description=f"Fits model {i}. " * 20, active=True)
        for i in range(BATCH)
    ]


async def write(world: World, batch: int, made: list[Product]) -> int:
    request = pb.BatchCreateProductsRequest(products=made, request_id=f"batch-{batch}")
    return len((await world.products(BOLT).BatchCreateProducts(request)).products)


async def mended(world: World, batch: int) -> list[str]:
    """Writes a batch whose first try has bad rows; returns the fields that were named then."""
    bad = rows(batch)
    bad[7].name = ""
    bad[123].owner_supplier_id = "nut"
    bad[500].id = "no id"
    bad[999].id = f"p{batch - 1}-0"
    with pytest.raises(WaybillError) as refused:
        await write(world, batch, bad)
    assert await write(world, batch, rows(batch)) == BATCH
    return [f.field for f in refused.value.fields]


def most_memory() -> int:
    """What the process has needed at most, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_hundred_thousand_products_come_in_batches_whose_bad_rows_are_named_and_memory_does_not_grow_with_them(
    world: World,
):
    await world.permit(MAIN)
    first = 0
    for batch in range(BATCHES):
        if batch % 10 == 9:
            wrong = [f"products[{i}].{name}" for i, name in ((123, "owner_supplier_id"), (500, "id"), (7, "name"), (999, "id"))]
            assert sorted(await mended(world, batch)) == sorted(wrong)
        else:
            assert await write(world, batch, rows(batch)) == BATCH
        first = most_memory() if batch == FIRST else first
    assert most_memory() - first < MOST_GROWTH_KB
    assert await write(world, 0, rows(0)) == BATCH
    page = await world.products(BOLT).ListProducts(pb.ListProductsRequest(page_size=1, include_total=True))
    assert page.total_size == BATCH * BATCHES
