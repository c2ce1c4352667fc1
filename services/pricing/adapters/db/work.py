"""Pricing's stores in one transaction."""

from __future__ import annotations

from libs.db import Tx
from services.pricing.adapters.db.promotions.asked_store import SqlAskedPromotionStore
from services.pricing.adapters.db.promotions.promotion_store import SqlPromotionStore
from services.pricing.adapters.db.promotions.use_store import SqlUseStore
from services.pricing.adapters.db.schedules.assignment_store import SqlAssignmentStore
from services.pricing.adapters.db.schedules.cost_store import SqlCostStore
from services.pricing.adapters.db.schedules.floor_store import SqlFloorStore
from services.pricing.adapters.db.stores import SqlPriceStore, SqlRequestStore, SqlReservationStore


class SqlPricingWork:
    """Fulfils `PricingWork`. A store is made when it is asked for; that costs no statement."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    @property
    def prices(self) -> SqlPriceStore:
        """Schedules and rates."""
        return SqlPriceStore(self._tx)

    @property
    def assignments(self) -> SqlAssignmentStore:
        """Which schedule prices which product."""
        return SqlAssignmentStore(self._tx)

    @property
    def floors(self) -> SqlFloorStore:
        """The least that suppliers may ask."""
        return SqlFloorStore(self._tx)

    @property
    def costs(self) -> SqlCostStore:
        """What suppliers are paid."""
        return SqlCostStore(self._tx)

    @property
    def promotions(self) -> SqlPromotionStore:
        """Promotions, and who may use them."""
        return SqlPromotionStore(self._tx)

    @property
    def asked_promotions(self) -> SqlAskedPromotionStore:
        """Promotions that orders ask for."""
        return SqlAskedPromotionStore(self._tx)

    @property
    def uses(self) -> SqlUseStore:
        """Which attempts use which promotions."""
        return SqlUseStore(self._tx)

    @property
    def reservations(self) -> SqlReservationStore:
        """What attempts to submit hold."""
        return SqlReservationStore(self._tx)

    @property
    def requests(self) -> SqlRequestStore:
        """Recorded requests."""
        return SqlRequestStore(self._tx)
