"""Who may write products: the seller, with ProductAdmin. Suppliers' own catalogs are the seller's to load."""

from __future__ import annotations

from libs.auth import Principal
from libs.errors import denied
from services import roles


def writer(caller: Principal) -> None:
    """Raises `ROLE_MISSING` unless the caller may write products."""
    caller.require(roles.PRODUCT_ADMIN)
    if not caller.is_seller:
        raise denied(roles.PRODUCT_ADMIN)
