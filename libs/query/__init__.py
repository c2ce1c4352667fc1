"""Lists: an AIP-160 filter subset, order_by, keyset pages."""

from libs.query.fields import Field
from libs.query.listing import Listing, Plan
from libs.query.request import Page, PageRequest, page_request

__all__ = ["Field", "Listing", "Page", "PageRequest", "Plan", "page_request"]
