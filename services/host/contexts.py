"""The bounded contexts, in the order in which they are set up, and where one process serves all of them."""

from __future__ import annotations

CONTEXTS = ("directory", "catalog", "pricing", "shipping", "payment", "fulfillment", "order")
DEFAULT_PORT = 8420
DEFAULT_SERVER = f"127.0.0.1:{DEFAULT_PORT}"
