"""What fulfillment counts and measures beside what every service does."""

from __future__ import annotations

from libs.obs.metrics import Gauge, action

STOCK_RELEASED = action("fulfillment", "expiry", "released")
UNANSWERED = action("fulfillment", "answers", "rejected")
REPORTS_RELAYED = action("fulfillment", "relay", "reported")

REPORTS = Gauge("waybill_reports_pending", "Supplier orders and shipments that the order service has not acknowledged.")
REPORTS_PARKED = Gauge("waybill_reports_parked", "Those of them that the order service rejected.")
REPORTS_AGE = Gauge("waybill_reports_oldest_seconds", "Since the oldest of them changed; 0 for none.")
UNCLAIMED = Gauge(
    "waybill_supplier_orders_unclaimed", "Supplier orders of the seller with units that no supplier took, not accepted yet."
)
RESERVATIONS = Gauge(
    "waybill_reservations_outstanding", "Attempts whose reservation is neither confirmed nor released.", ("service", "state")
)
