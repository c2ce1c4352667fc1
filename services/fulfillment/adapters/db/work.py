"""The stores of one transaction."""

from __future__ import annotations

from datetime import timedelta

from libs.db import Tx
from libs.ids import IdSource
from services.fulfillment.adapters.db.queries import SqlLists
from services.fulfillment.adapters.db.report_store import SqlReportStore
from services.fulfillment.adapters.db.request_store import SqlRequestStore
from services.fulfillment.adapters.db.shipments.shipment_store import SqlShipmentStore
from services.fulfillment.adapters.db.sourcing.reservation_store import SqlReservationStore
from services.fulfillment.adapters.db.stock.stock_store import SqlStockStore
from services.fulfillment.adapters.db.stock.waiting_store import SqlWaitingStore
from services.fulfillment.adapters.db.supplier_orders.order_store import SqlSupplierOrderStore


class SqlFulfillmentWork:
    """Fulfils `FulfillmentWork`. A store is made when it is asked for; that costs no statement.

    `ids` gives the keys of the ledger's entries; `relay_delay`: how long the relay waits before it reports a change.
    """

    __slots__ = ("_delay", "_ids", "_tx")

    def __init__(self, tx: Tx, ids: IdSource, relay_delay: timedelta) -> None:
        self._tx = tx
        self._ids = ids
        self._delay = relay_delay

    @property
    def stock(self) -> SqlStockStore:
        """Inventory records and their ledger."""
        return SqlStockStore(self._tx, self._ids)

    @property
    def reservations(self) -> SqlReservationStore:
        """Reservations of attempts."""
        return SqlReservationStore(self._tx)

    @property
    def orders(self) -> SqlSupplierOrderStore:
        """Supplier orders."""
        return SqlSupplierOrderStore(self._tx, self._delay)

    @property
    def shipments(self) -> SqlShipmentStore:
        """Shipments."""
        return SqlShipmentStore(self._tx, self._delay)

    @property
    def waiting(self) -> SqlWaitingStore:
        """Which units wait for stock."""
        return SqlWaitingStore(self._tx)

    @property
    def lists(self) -> SqlLists:
        """What callers list."""
        return SqlLists(self._tx, self.orders, self.shipments)

    @property
    def requests(self) -> SqlRequestStore:
        """Outcomes of idempotent requests."""
        return SqlRequestStore(self._tx)

    @property
    def reports(self) -> SqlReportStore:
        """What the order service has not acknowledged."""
        return SqlReportStore(self._tx)
