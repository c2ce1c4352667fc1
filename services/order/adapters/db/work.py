"""The order service's stores in one transaction."""

from __future__ import annotations

from libs.db import Tx
from services.order.adapters.db.aftercare.cancellation_store import SqlCancellationStore
from services.order.adapters.db.approval.round_store import SqlRoundStore
from services.order.adapters.db.building.cart_store import SqlCartStore
from services.order.adapters.db.building.deletion_store import SqlDeletionStore
from services.order.adapters.db.order_store import SqlOrderStore, SqlRequestStore
from services.order.adapters.db.progress.capture_store import SqlCaptureStore
from services.order.adapters.db.progress.hold_store import SqlHoldStore
from services.order.adapters.db.progress.report_store import SqlReportStore
from services.order.adapters.db.progress.sub_status_store import SqlSubStatusStore
from services.order.adapters.db.reading.line_lists import SqlLineLists
from services.order.adapters.db.submission.submission_store import SqlSubmissionStore


class SqlOrderWork:
    """Fulfils `OrderWork`. A store is made when it is asked for; that costs no statement."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    @property
    def orders(self) -> SqlOrderStore:
        """Buyer orders, their lines, worksheets and history."""
        return SqlOrderStore(self._tx)

    @property
    def carts(self) -> SqlCartStore:
        """Which orders are carts."""
        return SqlCartStore(self._tx)

    @property
    def rounds(self) -> SqlRoundStore:
        """Rounds of approvals."""
        return SqlRoundStore(self._tx)

    @property
    def deletions(self) -> SqlDeletionStore:
        """Orders that are gone."""
        return SqlDeletionStore(self._tx)

    @property
    def line_lists(self) -> SqlLineLists:
        """Lists of lines."""
        return SqlLineLists(self._tx)

    @property
    def submissions(self) -> SqlSubmissionStore:
        """Attempts to submit or to change orders."""
        return SqlSubmissionStore(self._tx)

    @property
    def cancellations(self) -> SqlCancellationStore:
        """Cancels on their way."""
        return SqlCancellationStore(self._tx)

    @property
    def holds(self) -> SqlHoldStore:
        """Decisions about holds that fulfillment does not have yet."""
        return SqlHoldStore(self._tx)

    @property
    def captures(self) -> SqlCaptureStore:
        """What is captured on shipment."""
        return SqlCaptureStore(self._tx)

    @property
    def reports(self) -> SqlReportStore:
        """What fulfillment has reported."""
        return SqlReportStore(self._tx)

    @property
    def sub_statuses(self) -> SqlSubStatusStore:
        """Statuses of the marketplace's own, and orders that enter them."""
        return SqlSubStatusStore(self._tx)

    @property
    def requests(self) -> SqlRequestStore:
        """Recorded requests."""
        return SqlRequestStore(self._tx)
