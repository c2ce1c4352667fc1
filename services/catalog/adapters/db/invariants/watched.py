"""What `waybill check` watches of the catalog's tables, column by column."""

from __future__ import annotations

from libs.db.watched import AUDIT as AUDIT_WATCH
from libs.db.watched import CHANGE_FEED, Register, Watch, all_by, all_free, by
from libs.db.watched import CHANGES as CHANGES_WATCH
from libs.db.watched import DELETED as DELETED_WATCH
from libs.db.watched import REQUESTS as REQUESTS_WATCH
from services.catalog.adapters.db import tables

_ELSEWHERE = "leads into another service's tables, which is asked at every use and refuses what it does not know"
WATCHED: Register = {
    tables.PRODUCTS: Watch(
        {
            "id": by("request_has_its_effect"),
            "supplier_ids": by("suppliers_stand_once"),
            "quantity_multiplier": by("multiplier_is_positive"),
            **all_by("measures_are_not_negative", "weight_kg length_cm width_cm height_cm"),
            "tax_class": by("stored_as_its_contract_allows"),
            **all_free(_ELSEWHERE, "default_supplier_id ship_from_address_id"),
            **all_free("what the seller says of it, compared again at submit", "active shippable track_inventory"),
            **all_free("what the seller says of it; orders keep a copy, which is watched there", "name description xp"),
            **all_free("shown, and compared with what a caller has read", "version create_time update_time"),
        },
        by("request_has_its_effect"),
    ),
    tables.REQUESTS: REQUESTS_WATCH,
    tables.AUDIT: AUDIT_WATCH,
    tables.DELETED: DELETED_WATCH,
    tables.CHANGES.changes: CHANGES_WATCH,
    tables.CHANGES.state: CHANGE_FEED,
}
