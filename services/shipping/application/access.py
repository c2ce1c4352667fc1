"""Who may see and change the seller's shipping set-up: users of the seller with ShippingAdmin."""

from __future__ import annotations

from libs.auth import Principal
from libs.errors import denied
from services import roles


def administrator(caller: Principal) -> None:
    """Raises `ROLE_MISSING` for anyone else."""
    caller.require(roles.SHIPPING_ADMIN)
    if not caller.is_seller:
        raise denied(roles.SHIPPING_ADMIN)
