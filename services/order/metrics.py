"""What the order service counts and measures beside what every service does."""

from __future__ import annotations

from libs.obs.metrics import Gauge, action

SUBMISSIONS_DRIVEN = action("order", "completer", "submission_driven")
CANCELLATIONS_DRIVEN = action("order", "completer", "cancellation_driven")
CAPTURES_DRIVEN = action("order", "completer", "capture_driven")
CARTS_SWEPT = action("order", "sweep", "cart_deleted")
CARTS_AGE = Gauge(
    "waybill_carts_overdue_seconds",
    "For how long the oldest order that was never submitted is beyond the time after which it is deleted; 0 for none.",
    ("kind",),
)


def carts_kept(reason: str) -> None:
    """Counts an order that is beyond its time and cannot be deleted yet."""
    action("order", "sweep", f"cart_kept_{reason.lower()}").inc()


SUBMISSIONS = Gauge("waybill_submissions_unfinished", "Submits that are not at their end.", ("state",))
SUBMISSIONS_AGE = Gauge("waybill_submissions_oldest_seconds", "Since the oldest unfinished submit began; 0 for none.")
ORDERS_HELD = Gauge("waybill_orders_held", "Open orders on hold.")
CANCELLATIONS = Gauge("waybill_cancellations_unfinished", "Cancels that are not at their end.", ("state",))
CAPTURES = Gauge("waybill_captures_unfinished", "Orders of which something has shipped that payments have not taken yet.")
CAPTURES_AGE = Gauge("waybill_captures_oldest_seconds", "Since the oldest of these shipments was reported; 0 for none.")
ORDERS_IN_SUB_STATUS = Gauge("waybill_orders_in_sub_status", "Orders in a sub-status of the marketplace's own.", ("sub_status",))
