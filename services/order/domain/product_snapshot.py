"""What an order remembers of the products of its lines."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ProductSnapshot:
    """What an order remembers of a product; the catalog owns the product itself."""

    name: str
    default_supplier_id: str = ""
    supplier_ids: tuple[str, ...] = ()
    ship_from_address_id: str = ""
    shippable: bool = True
    track_inventory: bool = True
    tax_class: str = ""
    weight_kg: Decimal = Decimal(0)
    quantity_multiplier: int = 1
    etag: str = ""
    returnable: bool = True
    variant_stock: bool = False
    """Whether its stock is counted for each variant."""
    variant_name: str = ""
    """Name of the variant that was chosen."""
    auto_forward: bool = True
    """Whether it goes to its suppliers as soon as the order opens, where the channel forwards by product."""
