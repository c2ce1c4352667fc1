"""What `waybill check` watches of shipping's tables, column by column."""

from __future__ import annotations

from libs.db.watched import AUDIT as AUDIT_WATCH
from libs.db.watched import CHANGE_FEED, Free, Register, Watch, all_by, all_free, by
from libs.db.watched import CHANGES as CHANGES_WATCH
from libs.db.watched import DELETED as DELETED_WATCH
from libs.db.watched import REQUESTS as REQUESTS_WATCH
from services.shipping.adapters.db import tables

_CONTRACT = "stored_as_its_contract_allows"
_SAID = "what the seller says; only the row states it"
_ELSEWHERE = "leads into another service's tables: what is not there never asks"
_TIMES = all_free("shown, and compared with what a caller has read", "version create_time update_time")
WATCHED: Register = {
    tables.CARRIERS: Watch({"id": by("reference_exists"), **all_free(_SAID, "name active xp"), **_TIMES}, by("reference_exists")),
    tables.ZONES: Watch(
        {"id": by("reference_exists"), "destinations": by(_CONTRACT), **all_free(_SAID, "name xp"), **_TIMES},
        by("reference_exists"),
    ),
    tables.SHIP_METHODS: Watch(
        {
            "id": by("reference_exists"),
            "carrier_id": by("reference_exists"),
            **all_by(_CONTRACT, "min_lead_time max_lead_time"),
            **all_free(_SAID, "name active pickup xp"),
            **_TIMES,
        },
        by("reference_exists"),
    ),
    tables.ASSIGNMENTS: Watch(
        {
            "ship_method_id": by("reference_exists"),
            **all_free(_ELSEWHERE, "buyer_id client_id supplier_id ship_from_id"),
            "id": Free("nothing names an assignment"),
            **_TIMES,
        },
        Free("an assignment may end at any time"),
    ),
    tables.RATE_TABLES: Watch(
        {
            **all_by("reference_exists", "ship_method_id zone_id"),
            **all_by(_CONTRACT, "currency handling min_lead_time max_lead_time"),
            "rows": by("rate_rows_ascend"),
            "id": by("request_has_its_effect"),
            "tax_included": Free(_SAID),
            **_TIMES,
        },
        by("request_has_its_effect"),
    ),
    tables.GROUPING_RULES: Watch(
        {
            **all_by(_CONTRACT, "priority match grouping"),
            "client_id": Free(_ELSEWHERE),
            "id": Free("nothing names a rule"),
            **_TIMES,
        },
        Free("a rule may be deleted at any time"),
    ),
    tables.REQUESTS: REQUESTS_WATCH,
    tables.AUDIT: AUDIT_WATCH,
    tables.DELETED: DELETED_WATCH,
    tables.CHANGES.changes: CHANGES_WATCH,
    tables.CHANGES.state: CHANGE_FEED,
}
