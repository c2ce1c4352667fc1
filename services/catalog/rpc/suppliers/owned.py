"""Products as suppliers send them."""

from __future__ import annotations

from collections.abc import Iterable

from libs.errors import Violations
from services.catalog.domain.catalogs.assignment import BATCH
from services.catalog.domain.suppliers.supply import OF_SUPPLIER, refuse
from waybill.catalog.v1.product_pb2 import Product


def owned(found: Violations, supplier_id: str, messages: Iterable[Product], where: str) -> list[Product]:
    """The products with their owner; notes those that name another. `where` has `{}` for an index, if there is one."""
    made: list[Product] = []
    for i, (message, _) in enumerate(zip(messages, range(BATCH + 1), strict=False)):
        for name in OF_SUPPLIER:
            refuse(found, f"{where.format(i)}.{name}", getattr(message, name) in ("", supplier_id))
        product = Product()
        product.CopyFrom(message)
        product.owner_supplier_id = product.default_supplier_id = supplier_id
        made.append(product)
    return made
