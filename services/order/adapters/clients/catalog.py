"""The catalog, as the order service asks it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from libs.rpc.peers import Peers
from services.order.application.peers import CatalogProduct, Wanted
from services.order.contract.mark_ups import mark_up_in
from services.order.domain.building.choices import Option, Range, Spec, Variant
from services.order.domain.building.products import Article
from services.order.domain.product_snapshot import ProductSnapshot
from waybill.catalog.v1 import product_pb2, product_specs_pb2, spec_pb2, variant_pb2
from waybill.catalog.v1 import product_service_pb2 as pb
from waybill.catalog.v1 import product_service_pb2_grpc as pb_grpc


class CatalogClient:
    """BatchGetProducts."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("catalog", pb_grpc.ProductServiceStub)

    async def products(self, wanted: Collection[Wanted], buyer_id: str, user_id: str) -> dict[str, CatalogProduct]:
        """Those that the buyer's user is shown, active or not, by id; none asked for is no call."""
        ids = sorted({one.product_id for one in wanted})
        if not ids:
            return {}
        request = pb.BatchGetProductsRequest(
            product_ids=ids, buyer_id=buyer_id, user_id=user_id, with_specs=True, variants=_variants_of(wanted)
        )
        answer: pb.BatchGetProductsResponse = await self._stub.BatchGetProducts(request)
        specs = {one.product_id: tuple(_spec(m) for m in one.specs) for one in answer.product_specs}
        variants: dict[str, dict[str, Variant]] = {}
        for m in answer.variants:
            variants.setdefault(m.product_id, {})[m.id] = _variant(m)
        return {p.id: _product(p, specs.get(p.id, ()), variants.get(p.id, {})) for p in answer.products}


def _product(p: product_pb2.Product, specs: tuple[Spec, ...], variants: dict[str, Variant]) -> CatalogProduct:
    return CatalogProduct(p.id, p.active, Article(_snapshot(p), Range(specs, variants)))


def _variants_of(wanted: Iterable[Wanted]) -> list[product_specs_pb2.VariantChoice]:
    made = []
    for one in sorted(wanted, key=lambda one: (one.product_id, one.variant_id, one.options)):
        if one.variant_id:
            made.append(product_specs_pb2.VariantChoice(product_id=one.product_id, variant_id=one.variant_id))
        elif one.options:
            options = [variant_pb2.VariantOption(spec_id=spec, option_id=option) for spec, option in one.options]
            made.append(product_specs_pb2.VariantChoice(product_id=one.product_id, options=options))
    return made


def _spec(m: spec_pb2.Spec) -> Spec:
    return Spec(
        id=m.id,
        name=m.name,
        required=m.required,
        open_text=m.open_text,
        defines_variant=m.defines_variant,
        default_option_id=m.default_option_id,
        default_value=m.default_value,
        options={o.id: Option(o.name, mark_up_in(o.mark_up) if o.HasField("mark_up") else None) for o in m.options},
    )


def _variant(m: variant_pb2.Variant) -> Variant:
    return Variant(
        id=m.id,
        name=m.name,
        active=m.active,
        options={option.spec_id: option.option_id for option in m.options},
        weight_kg=Decimal(m.weight_kg.value or 0) if m.HasField("weight_kg") else None,
    )


def _snapshot(p: product_pb2.Product) -> ProductSnapshot:
    return ProductSnapshot(
        name=p.name,
        default_supplier_id=p.default_supplier_id,
        supplier_ids=tuple(p.supplier_ids),
        ship_from_address_id=p.ship_from_address_id,
        shippable=p.shippable,
        track_inventory=p.track_inventory,
        tax_class=p.tax_class,
        weight_kg=Decimal(p.weight_kg.value or 0),
        quantity_multiplier=p.quantity_multiplier,
        etag=p.etag,
        returnable=p.returnable,
        variant_stock=p.variant_stock,
        auto_forward=p.auto_forward,
    )
