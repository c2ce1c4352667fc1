"""The stores of one transaction."""

from __future__ import annotations

from libs.db import Tx
from libs.ids import IdSource
from services.payment.adapters.db.attempts.attempt_store import SqlAttemptStore
from services.payment.adapters.db.means.assignment_store import SqlAssignmentStore
from services.payment.adapters.db.means.means_store import SqlMeansStore
from services.payment.adapters.db.means.type_store import SqlTypeStore
from services.payment.adapters.db.payments.payment_store import SqlPaymentStore
from services.payment.adapters.db.redirects.redirect_store import SqlRedirectStore
from services.payment.adapters.db.request_store import SqlRequestStore
from services.payment.adapters.db.watching.alert_store import SqlAlertStore
from services.payment.adapters.db.watching.unsettled_query import SqlUnsettledPayments


class SqlPaymentWork:
    """Fulfils `PaymentWork`. A store is made when it is asked for; that costs no statement. `ids` gives alerts their keys."""

    __slots__ = ("_ids", "_tx")

    def __init__(self, tx: Tx, ids: IdSource) -> None:
        self._tx = tx
        self._ids = ids

    @property
    def payments(self) -> SqlPaymentStore:
        """Payments and their transactions."""
        return SqlPaymentStore(self._tx)

    @property
    def attempts(self) -> SqlAttemptStore:
        """Attempts to submit."""
        return SqlAttemptStore(self._tx)

    @property
    def redirects(self) -> SqlRedirectStore:
        """Authorizations that wait for their buyers."""
        return SqlRedirectStore(self._tx)

    @property
    def means(self) -> SqlMeansStore:
        """Spending accounts, cards and the ledger."""
        return SqlMeansStore(self._tx)

    @property
    def assignments(self) -> SqlAssignmentStore:
        """Who may pay with accounts and cards."""
        return SqlAssignmentStore(self._tx)

    @property
    def types(self) -> SqlTypeStore:
        """Types of payment that the marketplace declares."""
        return SqlTypeStore(self._tx)

    @property
    def alerts(self) -> SqlAlertStore:
        """Payments that need attention."""
        return SqlAlertStore(self._tx, self._ids)

    @property
    def requests(self) -> SqlRequestStore:
        """Outcomes of idempotent requests."""
        return SqlRequestStore(self._tx)

    @property
    def unsettled(self) -> SqlUnsettledPayments:
        """Payments with something open."""
        return SqlUnsettledPayments(self._tx)
