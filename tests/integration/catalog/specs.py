"""Specs and variants of products, in short words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.auth import Principal
from libs.errors import WaybillError
from tests.integration.catalog.world import World, fields_of
from waybill.catalog.v1 import spec_service_pb2 as pb
from waybill.catalog.v1 import variant_service_pb2 as variants_pb
from waybill.catalog.v1.spec_pb2 import ProductSpec, Spec, SpecOption
from waybill.catalog.v1.variant_pb2 import Variant


def spec(id: str, *options: str, **fields: Any) -> Spec:
    """A spec that defines variants, unless it has no options or something else is said."""
    defines = bool(options) and not fields.get("open_text")
    usual = {"name": id.title(), "defines_variant": defines, "required": defines, "open_text": not options}
    made = [SpecOption(id=option, name=option.title()) for option in options]
    return Spec(**{"id": id, **usual, "options": made, **fields})


async def make(world: World, made: Spec, by: Principal | None = None, request_id: str = "") -> Spec:
    return (await world.specs(by).CreateSpec(pb.CreateSpecRequest(spec=made, request_id=request_id))).spec


async def change(world: World, changed: Spec, *paths: str, by: Principal | None = None) -> Spec:
    request = pb.UpdateSpecRequest(spec=changed, update_mask=FieldMask(paths=paths))
    return (await world.specs(by).UpdateSpec(request)).spec


async def delete(world: World, id: str, by: Principal | None = None) -> None:
    await world.specs(by).DeleteSpec(pb.DeleteSpecRequest(spec_id=id))


async def give(world: World, product: str, *specs: str, by: Principal | None = None) -> None:
    given = [ProductSpec(product_id=product, spec_id=spec) for spec in specs]
    await world.specs(by).AssignProductSpecs(pb.AssignProductSpecsRequest(assignments=given))


async def take(world: World, product: str, *specs: str, by: Principal | None = None) -> None:
    given = [ProductSpec(product_id=product, spec_id=spec) for spec in specs]
    await world.specs(by).UnassignProductSpecs(pb.UnassignProductSpecsRequest(assignments=given))


async def given(world: World, by: Principal | None = None) -> list[tuple[str, str]]:
    page = await world.specs(by).ListProductSpecs(pb.ListProductSpecsRequest())
    return [(each.product_id, each.spec_id) for each in page.assignments]


async def listed(world: World, by: Principal | None = None) -> list[str]:
    return [each.id for each in (await world.specs(by).ListSpecs(pb.ListSpecsRequest())).specs]


async def refused(call: Any) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await call
    return error.value


async def violations(call: Any) -> list[tuple[str, str]]:
    with pytest.raises(WaybillError) as error:
        await call
    return fields_of(error)


async def generate(world: World, product: str, by: Principal | None = None, request_id: str = "") -> tuple[int, int]:
    """How many variants were made, and how many there are."""
    request = variants_pb.GenerateVariantsRequest(product_id=product, request_id=request_id)
    answer = await world.variants(by).GenerateVariants(request)
    return answer.created_count, answer.variant_count


async def variants(world: World, product: str, by: Principal | None = None, **asked: Any) -> list[Variant]:
    request = variants_pb.ListVariantsRequest(**{"product_id": product, "page_size": 1_000, **asked})
    return list((await world.variants(by).ListVariants(request)).variants)


async def switch(
    world: World, *changed: Variant, paths: Sequence[str] = ("active",), by: Principal | None = None
) -> list[Variant]:
    request = variants_pb.BatchUpdateVariantsRequest(variants=changed, update_mask=FieldMask(paths=paths))
    return list((await world.variants(by).BatchUpdateVariants(request)).variants)


async def a_shirt(world: World) -> None:
    """A product in two sizes and two colors, with all its variants."""
    await world.make_products("shirt")
    await make(world, spec("size", "s", "m"))
    await make(world, spec("color", "red", "blue", list_order=1))
    await give(world, "shirt", "size", "color")
    await generate(world, "shirt")
