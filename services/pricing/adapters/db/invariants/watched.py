"""What `waybill check` watches of pricing's tables, column by column."""

from __future__ import annotations

from libs.db.watched import AUDIT as AUDIT_WATCH
from libs.db.watched import CHANGE_FEED, Free, Register, Watch, all_by, all_free, by
from libs.db.watched import CHANGES as CHANGES_WATCH
from libs.db.watched import DELETED as DELETED_WATCH
from libs.db.watched import REQUESTS as REQUESTS_WATCH
from services.pricing.adapters.db import tables

_CONTRACT = "stored_as_its_contract_allows"
_SAID = "what the seller says; only the row states it"
_ELSEWHERE = "leads into another service's tables: a product, buyer or group that is not there has no price to ask for"
_TIMES = all_free("shown, and compared with what a caller has read", "version create_time update_time")
WATCHED: Register = {
    tables.SCHEDULES: Watch(
        {
            "id": by("assigned_schedule_exists"),
            "price_breaks": by("price_breaks_ascend"),
            **all_by(_CONTRACT, "currency min_quantity max_quantity owner_supplier_id"),
            **all_free(_SAID, "name use_cumulative_quantity restricted_quantity sale_start_time sale_end_time xp tax_included"),
            **_TIMES,
        },
        by("assigned_schedule_exists"),
    ),
    tables.ASSIGNMENTS: Watch(
        {
            "price_schedule_id": by("assigned_schedule_exists"),
            **all_free(_ELSEWHERE, "product_id buyer_id user_group_id variant_id"),
        },
        Free("an assignment may end at any time"),
    ),
    tables.FLOORS: Watch(
        {**all_by(_CONTRACT, "product_id currency unit_price"), "id": Free(_SAID), **_TIMES},
        Free("a floor may be deleted at any time"),
    ),
    tables.COSTS: Watch(
        {
            "price_breaks": by("cost_breaks_ascend"),
            **all_by(_CONTRACT, "supplier_id product_id currency"),
            **all_free(_SAID, "id name sale_start_time sale_end_time xp"),
            **_TIMES,
        },
        Free("a cost schedule may be deleted at any time: supplier orders keep what it said"),
    ),
    tables.TAX_RATES: Watch(
        {
            "rate": by("rate_is_a_share"),
            **all_by(_CONTRACT, "country postal_prefix tax_class"),
            **all_free(_SAID, "id name region start_time end_time xp"),
            **_TIMES,
        },
        Free("a rate may be deleted at any time"),
    ),
    tables.PROMOTIONS: Watch(
        {
            "id": by("assigned_promotion_exists"),
            **all_by(
                _CONTRACT,
                "supplier_id code target eligible_expression value_expression priority redemption_limit"
                " redemption_limit_per_user quantity_limit_per_order item_limit_per_order item_order api_client_ids",
            ),
            **all_free(
                "what its owner says; only the row states it",
                "name description fine_print active start_time end_time can_combine auto_apply all_buyers xp",
            ),
            **_TIMES,
        },
        by("assigned_promotion_exists"),
    ),
    tables.PROMOTION_ASSIGNMENTS: Watch(
        {
            "promotion_id": by("assigned_promotion_exists"),
            **all_free("leads into another service's tables: whoever is not there uses nothing", "buyer_id user_group_id"),
        },
        Free("an assignment may end at any time"),
    ),
    tables.RESERVATIONS: Watch(
        {
            "state": by("reservation_has_a_state reservations_belong_to_running_attempts"),
            **all_by("reservations_belong_to_running_attempts confirmed_attempts_are_accepted", "order_key attempt"),
            **all_free("when it is asked what became of it: `waybill check` lists one that stays", "expire_time update_time"),
            **all_free("how often asking failed; `waybill check` lists work that fails again and again", "failures failure"),
        },
        Free("an attempt that redeems nothing has none, and the order does not state whether it does"),
    ),
    tables.REDEMPTIONS: Watch(
        {
            **all_by("redemption_is_of_a_standing_attempt uses_are_counted", "order_key attempt"),
            **all_by("uses_are_counted", "promotion_id user_key"),
        },
        by("uses_are_counted"),
    ),
    tables.USES: Watch(all_by("uses_are_counted", "promotion_id user_key reserved confirmed"), by("uses_are_counted")),
    tables.REQUESTS: REQUESTS_WATCH,
    tables.AUDIT: AUDIT_WATCH,
    tables.DELETED: DELETED_WATCH,
    tables.CHANGES.changes: CHANGES_WATCH,
    tables.CHANGES.state: CHANGE_FEED,
}
