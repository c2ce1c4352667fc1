"""What payment counts and measures beside what every service does."""

from __future__ import annotations

from libs.obs.metrics import Gauge, action

PAYMENTS_ENDED = {
    decision: action("payment", "expiry", done) for decision, done in (("ACCEPTED", "confirmed"), ("REFUSED", "released"))
}
PAYMENTS_SETTLED = {
    type: action("payment", "settle", done)
    for type, done in (("VOID", "voided"), ("CAPTURE", "captured"), ("REFUND", "refunded"), ("AUTHORIZE", "renewed"))
}

RESERVATIONS = Gauge(
    "waybill_reservations_outstanding", "Attempts whose reservation is neither confirmed nor released.", ("service", "state")
)
TRANSACTIONS = Gauge("waybill_payment_transactions_pending", "Operations that a gateway has not answered.", ("type",))
REDIRECTS = Gauge(
    "waybill_payment_redirects", "Authorizations that wait for a buyer or a submit, or are to be voided.", ("state",)
)
REDIRECTS_ENDING_AGE = Gauge(
    "waybill_payment_redirects_ending_oldest_seconds", "Since the oldest of those to be voided came to be so; 0 for none."
)
ATTENTION = Gauge("waybill_payments_attention", "Payments that a person has to look at.")
TO_REFUND = Gauge("waybill_payments_to_refund", "Payments of which more was taken outside than is due: somebody gives it back.")
TO_REFUND_AGE = Gauge(
    "waybill_payments_to_refund_oldest_seconds", "Since the one that has waited longest last changed; 0 for none."
)
ALERTS = Gauge("waybill_payment_alerts_pending", "Payments that need attention and whose order service does not know it yet.")
ALERTS_PARKED = Gauge("waybill_payment_alerts_parked", "Those of them that the order service rejected.")
ALERTS_AGE = Gauge("waybill_payment_alerts_oldest_seconds", "Since the oldest of them came to need attention; 0 for none.")
