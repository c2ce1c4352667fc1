"""Lists: an AIP-160 filter subset, order_by, keyset pages."""

from libs.query.listing import Field, Listing, Page, Plan

__all__ = ["Field", "Listing", "Page", "Plan"]
