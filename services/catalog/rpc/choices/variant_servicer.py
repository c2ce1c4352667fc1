"""VariantService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.auth import PartyKind
from libs.errors import Violations, missing
from libs.idempotency.key import key_of
from libs.ids import valid_id
from libs.protoconv import mask_paths
from libs.query.request import page_request
from libs.rpc import current
from services.catalog.application.choices.varying import Edit, Varying
from services.catalog.application.spec_ports import Variants
from services.catalog.contract.variants import VARIANT
from services.catalog.domain.catalogs.assignment import BATCH
from services.catalog.rpc.catalogs.assignments import supplier
from services.catalog.rpc.catalogs.seen import SeenProducts
from waybill.catalog.v1 import reasons
from waybill.catalog.v1 import variant_service_pb2 as pb
from waybill.catalog.v1 import variant_service_pb2_grpc as pb_grpc
from waybill.catalog.v1.variant_pb2 import Variant


class VariantServicer(pb_grpc.VariantServiceServicer):
    """Variants of products."""

    def __init__(self, varying: Varying, variants: Variants, seen: SeenProducts) -> None:
        self._varying = varying
        self._variants = variants
        self._seen = seen

    async def GenerateVariants(self, request: pb.GenerateVariantsRequest, context: Any) -> pb.GenerateVariantsResponse:
        if not valid_id(request.product_id):
            raise missing("product", request.product_id)
        made = await self._varying.generate(_key(request), request.product_id, supplier())
        return pb.GenerateVariantsResponse(created_count=made.created, variant_count=made.total)

    async def GetVariant(self, request: pb.GetVariantRequest, context: Any) -> pb.GetVariantResponse:
        await (await self._seen.methods()).get(request.product_id)
        key = (request.product_id, request.variant_id)
        row = await self._variants.one(key, active=_only_active()) if valid_id(request.variant_id) else None
        if row is None:
            raise missing("variant", request.variant_id)
        return pb.GetVariantResponse(variant=VARIANT.write(row))

    async def ListVariants(self, request: pb.ListVariantsRequest, context: Any) -> pb.ListVariantsResponse:
        await (await self._seen.methods()).get(request.product_id)
        caller = current().principal
        bound = {"party": caller.party_id, "user": caller.identity}
        page = await self._variants.page(request.product_id, page_request(request), bound, active=_only_active())
        made = page.map(VARIANT.write)
        return pb.ListVariantsResponse(variants=made.items, next_page_token=made.next_page_token, total_size=made.total_size)

    async def UpdateVariant(self, request: pb.UpdateVariantRequest, context: Any) -> pb.UpdateVariantResponse:
        edits = _edits(request, [request.variant], "variant")
        (row,) = await self._varying.update(_key(request), edits, supplier(), batch=False)
        return pb.UpdateVariantResponse(variant=VARIANT.write(row))

    async def BatchUpdateVariants(self, request: pb.BatchUpdateVariantsRequest, context: Any) -> pb.BatchUpdateVariantsResponse:
        edits = _edits(request, request.variants, "variants[{}]")
        rows = await self._varying.update(_key(request), edits, supplier(), batch=True)
        return pb.BatchUpdateVariantsResponse(variants=[VARIANT.write(row) for row in rows])

    async def DeleteVariant(self, request: pb.DeleteVariantRequest, context: Any) -> pb.DeleteVariantResponse:
        if not (valid_id(request.product_id) and valid_id(request.variant_id)):
            raise missing("variant", request.variant_id)
        await self._varying.delete(_key(request), (request.product_id, request.variant_id), request.etag, supplier())
        return pb.DeleteVariantResponse()


def _key(request: Any) -> Any:
    return key_of(current().principal, current().method, request)


def _only_active() -> bool:
    return current().principal.party_kind is PartyKind.BUYER


def _edits(request: Any, messages: Sequence[Variant], where: str) -> list[Edit]:
    """The changes that a request asks for; raises what is wrong with them before anything is looked up."""
    found, edits, seen = Violations(), list[Edit](), set[tuple[str, str]]()
    found.require("variants", 0 < len(messages) <= BATCH, reasons.TOO_MANY_ITEMS, f"1 to {BATCH:,} at a time")
    for i, message in enumerate(messages[:BATCH]):
        at, key = where.format(i), (message.product_id, message.id)
        found.check_id(f"{at}.product_id", message.product_id)
        found.check_id(f"{at}.id", message.id)
        found.require(at, key not in seen, reasons.DUPLICATE_ITEM, "the same variant stands twice")
        seen.add(key)
        noted = found if i == 0 or not request.update_mask.paths else Violations()
        paths = mask_paths(noted, request.update_mask, message, VARIANT.attributes)
        edits.append(_edit(at, message, tuple(path for path in paths if path != "product_id" or request.update_mask.paths)))
    found.raise_if_any()
    return edits


def _edit(where: str, message: Variant, paths: tuple[str, ...]) -> Edit:
    def read(found: Violations, row: Any) -> dict[str, object]:
        return VARIANT.read_some(found, where, message, row, paths)

    return Edit(where, (message.product_id, message.id), message.etag, paths, read)
