"""`waybill check`: proves the books. `compare` is the inspection itself, `rules` what it compares, `show` how it is printed."""

from services.host.check.compare import check
from services.host.check.report import Report

__all__ = ["Report", "check"]
