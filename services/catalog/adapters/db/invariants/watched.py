"""What `waybill check` watches of the catalog's tables, column by column."""

from __future__ import annotations

from libs.db.watched import AUDIT as AUDIT_WATCH
from libs.db.watched import CHANGE_FEED, Free, Register, Watch, all_by, all_free, by
from libs.db.watched import CHANGES as CHANGES_WATCH
from libs.db.watched import DELETED as DELETED_WATCH
from libs.db.watched import REQUESTS as REQUESTS_WATCH
from services.catalog.adapters.db import tables

_CONTRACT = "stored_as_its_contract_allows"
_SAID = "what the seller says; only the row states it"
_TIMES = all_free("shown, and compared with what a caller has read", "version create_time update_time")
_NOBODY = "leads into another service's tables: a buyer or group that is not there has nobody who could see anything"
_ENDED = Free("an assignment may end at any time")
_ELSEWHERE = "leads into another service's tables, which is asked at every use and refuses what it does not know"
WATCHED: Register = {
    tables.PRODUCTS: Watch(
        {
            "id": by("request_has_its_effect assigned_product_exists"),
            "supplier_ids": by("suppliers_stand_once"),
            "quantity_multiplier": by("multiplier_is_positive"),
            **all_by("measures_are_not_negative", "weight_kg length_cm width_cm height_cm"),
            "owner_supplier_id": by("stored_as_its_contract_allows proposal_waits_for_the_seller"),
            "tax_class": by("stored_as_its_contract_allows"),
            **all_free(_ELSEWHERE, "default_supplier_id ship_from_address_id"),
            **all_free(
                "what the seller says of it, compared again at submit",
                "active shippable track_inventory returnable variant_stock auto_forward",
            ),
            **all_free("what the seller says of it; orders keep a copy, which is watched there", "xp"),
            **all_by("product_is_found_by_its_words", "name description"),
            **all_free("shown, and compared with what a caller has read", "version create_time update_time"),
        },
        by("request_has_its_effect assigned_product_exists"),
    ),
    tables.CATALOGS: Watch(
        {
            "id": by("assigned_catalog_exists category_has_its_catalog request_has_its_effect"),
            **all_free(_SAID, "name description active open_to_all_buyers takes_new_products xp"),
            **_TIMES,
        },
        by("assigned_catalog_exists category_has_its_catalog request_has_its_effect"),
    ),
    tables.CATEGORIES: Watch(
        {
            "id": by("assigned_category_exists category_has_its_parent request_has_its_effect"),
            "catalog_id": by("category_has_its_catalog category_has_its_parent product_of_category_is_in_its_catalog"),
            "parent_id": by("category_has_its_parent category_is_within_its_levels"),
            "list_order": by(_CONTRACT),
            **all_free(_SAID, "name description active xp"),
            **_TIMES,
        },
        by("assigned_category_exists category_has_its_parent request_has_its_effect"),
    ),
    tables.CATALOG_ASSIGNMENTS: Watch(
        {
            "catalog_id": by("assigned_catalog_exists"),
            "buyer_id": Free(_NOBODY),
            **all_free(_SAID, "view_all_categories view_all_products"),
        },
        _ENDED,
    ),
    tables.CATEGORY_ASSIGNMENTS: Watch(
        {
            "category_id": by("assigned_category_exists"),
            **all_free(_NOBODY, "buyer_id user_group_id"),
            **all_free(_SAID, "visible view_all_products"),
        },
        _ENDED,
    ),
    tables.PRODUCT_ASSIGNMENTS: Watch(
        {"product_id": by("assigned_product_exists"), **all_free(_NOBODY, "buyer_id user_group_id")}, _ENDED
    ),
    tables.CATALOG_PRODUCTS: Watch(
        {
            "catalog_id": by("assigned_catalog_exists product_of_category_is_in_its_catalog"),
            "product_id": by("assigned_product_exists product_of_category_is_in_its_catalog"),
        },
        by("product_of_category_is_in_its_catalog"),
    ),
    tables.CATEGORY_PRODUCTS: Watch(
        {
            "category_id": by("assigned_category_exists"),
            "product_id": by("assigned_product_exists product_of_category_is_in_its_catalog"),
            "list_order": Free(_SAID),
        },
        _ENDED,
    ),
    tables.SUPPLIER_PERMISSIONS: Watch(
        {
            "catalog_id": by("assigned_catalog_exists"),
            "writable_fields": by("permitted_fields_exist"),
            "supplier_id": Free("leads into another service's tables: a supplier that is not there has nobody who could use it"),
            **all_free(_SAID, "needs_approval may_set_prices"),
        },
        Free("a permission may end at any time"),
    ),
    tables.PRODUCT_PROPOSALS: Watch(
        {
            "catalog_id": by("assigned_catalog_exists"),
            "product_id": by("assigned_product_exists proposal_waits_for_the_seller"),
            "state": by("proposal_has_a_state"),
            "comment": Free(_SAID),
        },
        Free("a proposal may be taken back at any time"),
    ),
    tables.PRODUCT_WORDS: Watch(
        {"word": by("product_is_found_by_its_words"), "product_id": by("word_has_its_product product_is_found_by_its_words")},
        by("product_is_found_by_its_words"),
    ),
    tables.PRODUCT_FACETS: Watch(
        {
            "id": by("value_has_its_product_and_facet product_is_counted_by_its_values request_has_its_effect"),
            "xp_path": by("product_is_counted_by_its_values"),
            **all_by(_CONTRACT, "list_order min_count"),
            **all_free(_SAID, "name xp"),
            "collected": Free("what is not collected is collected again; what is missing then breaks a rule of products"),
            "collected_to": Free("says nothing any more when all is collected"),
            **_TIMES,
        },
        by("value_has_its_product_and_facet product_is_counted_by_its_values request_has_its_effect"),
    ),
    tables.PRODUCT_FACET_VALUES: Watch(
        {
            "facet_id": by("value_has_its_product_and_facet product_is_counted_by_its_values"),
            "value": by("product_is_counted_by_its_values"),
            "product_id": by("value_has_its_product_and_facet product_is_counted_by_its_values"),
        },
        by("product_is_counted_by_its_values"),
    ),
    tables.SPECS: Watch(
        {
            "id": by("assigned_spec_exists request_has_its_effect"),
            "owner_supplier_id": by("product_has_specs_of_its_owner"),
            "defines_variant": by("variant_has_an_option_of_each_spec"),
            **all_by(_CONTRACT, "required open_text default_option_id default_value list_order options"),
            **all_free(_SAID, "name xp"),
            **_TIMES,
        },
        by("assigned_spec_exists request_has_its_effect"),
    ),
    tables.PRODUCT_SPECS: Watch(
        {
            "product_id": by("assigned_product_exists product_has_specs_of_its_owner"),
            "spec_id": by("assigned_spec_exists product_has_specs_of_its_owner"),
        },
        Free("a spec may be taken from a product at any time"),
    ),
    tables.VARIANTS: Watch(
        {
            "product_id": by("assigned_product_exists variant_has_an_option_of_each_spec"),
            "combination": by("variant_has_an_option_of_each_spec"),
            "id": Free("orders and stock keep it, in other services' tables"),
            **all_by(_CONTRACT, "weight_kg length_cm width_cm height_cm"),
            **all_free(_SAID, "name active description xp"),
            **_TIMES,
        },
        Free("a variant may be deleted at any time"),
    ),
    tables.REQUESTS: REQUESTS_WATCH,
    tables.AUDIT: AUDIT_WATCH,
    tables.DELETED: DELETED_WATCH,
    tables.CHANGES.changes: CHANGES_WATCH,
    tables.CHANGES.state: CHANGE_FEED,
}
