"""Products as a caller sees them."""

from __future__ import annotations

from libs.auth import PartyKind
from libs.resource.contract import Methods
from libs.rpc import current
from services.catalog.application.catalogs.showing import Showing
from services.catalog.application.ports import CatalogWork, Shown
from services.catalog.domain.catalogs.visibility import Customer


class SeenProducts:
    """The seller sees all, a supplier those that it owns or may fulfill, a buyer what catalogs show."""

    def __init__(self, products: Methods[CatalogWork], shown: Shown, showing: Showing) -> None:
        self._products = products
        self._shown = shown
        self._showing = showing

    async def methods(self) -> Methods[CatalogWork]:
        """The products as the caller sees them. A service sees all, whoever it calls for."""
        caller = current().principal
        if caller.service is not None or caller.party_kind is not PartyKind.BUYER:
            return self._products
        return self._shown.products(await self._showing.products(caller, Customer(caller.party_id, caller.user_id)))
