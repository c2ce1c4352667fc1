"""Lists: an AIP-160 filter subset, order_by, keyset pages."""

from libs.query.fields import Field
from libs.query.listing import Listing, Page, Plan

__all__ = ["Field", "Listing", "Page", "Plan"]
