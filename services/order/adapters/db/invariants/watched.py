"""What `waybill check` watches of the order service's tables, column by column."""

from __future__ import annotations

from libs.db.watched import AUDIT as AUDIT_WATCH
from libs.db.watched import DELETED as DELETED_WATCH
from libs.db.watched import FAILURES, Free, Register, Watch, all_by, all_free, by
from libs.db.watched import REQUESTS as REQUESTS_WATCH
from services.order.adapters.db import tables

_ORDERS = Watch(
    {
        **all_by("event_is_of_an_order history_has_no_gap", "key"),
        **all_by("supplier_orders_are_listed_alike read_model_is_its_report", "kind"),
        **all_by("supplier_orders_are_made_of_the_order", "id shipping_address billing_address comments"),
        **all_by("supplier_order_has_its_order", "parent_key"),
        **all_by("supplier_order_is_seen_as_its_order", "seller_id buyer_id"),
        **all_by("order_is_listed_for_its_user", "user_id user"),
        **all_by(
            "newest_event_states_the_order",
            "created_by client_id guest currency shipping_address_id billing_address_id create_time update_time submit_time fees",
        ),
        **all_by("status_follows_units", "status"),
        **all_by("submitted_once", "is_submitted"),
        **all_by("history_has_no_gap", "version"),
        **all_by("versions_follow_each_other", "content_version estimated_version calculated_version"),
        **all_by("line_count_is_right", "line_item_count"),
        **all_by("total_is_sum_of_parts", "subtotal discount shipping_cost tax gratuity fee_total total"),
        **all_by("amounts_follow_from_the_worksheet", "shipping_cost_override tax_override included_tax"),
        **all_by(
            "canceled_amounts_follow_decisions",
            "canceled_subtotal canceled_discount canceled_shipping_cost canceled_tax canceled_gratuity canceled_included_tax "
            "canceled_fee_total "
            "canceled_total",
        ),
        **all_by("newest_attempt_is_shown", "submission"),
        **all_by("held_follows_holds", "held"),
        **all_by("attention_holds_the_order", "holds"),
        **all_by("times_follow_status", "approve_time decline_time forward_time complete_time cancel_time"),
        **all_by("read_model_is_its_report", "parent_id supplier_id supplier_status source_version cost"),
        **all_by("reports_are_word_for_word", "document"),
        **all_by("newest_event_states_the_order", "policy"),
        "sub_status": by("sub_status_is_of_the_status newest_event_states_the_order read_model_is_its_report"),
        "sub_status_time": by("sub_status_is_of_the_status newest_event_states_the_order"),
        "xp": Free("the owner's own values, which may change in every status"),
        "tax_exemptions": Free("the directory's words of the buyer: a submit compares them with what it says by then"),
    },
    by("event_is_of_an_order"),
)
_LINE_ITEMS = Watch(
    {
        **all_by("line_count_is_right", "order_key"),
        **all_by("supplier_orders_partition_the_order", "id"),
        **all_by(
            "supplier_orders_are_made_of_the_order",
            "product_id variant_id product shipping_address pickup_location_id xp "
            "cost_center shipping_account comments date_needed",
        ),
        **all_by("amounts_are_price_and_rate supplier_orders_partition_the_order", "quantity"),
        **all_by(
            "line_amounts_follow_from_the_worksheet",
            "position choices unit_price line_mark_up price_steps subtotal discount discounts tax tax_rate price_schedule_id "
            "unit_price_override discount_override tax_included included_tax",
        ),
        **all_by("lines_go_where_they_were_sent", "shipping_address_id"),
        **all_by("plan_is_of_the_lines", "inventory_record_id"),
        **all_by("units_are_those_reported", "quantity_shipped quantity_canceled quantity_backordered expected_time"),
        "create_time": Free("shown only: the order's history says when lines were added"),
    },
    by("line_count_is_right"),
)
_SUBMISSIONS = Watch(
    {
        **all_by("every_attempt_has_its_events", "order_key"),
        **all_by("attempts_are_numbered", "attempt"),
        **all_by("newest_attempt_is_shown", "state finished deadline kind"),
        **all_by("canceled_amounts_follow_decisions", "change"),
        **FAILURES,
        **all_by("attempts_are_as_in_the_history", "held caller reasons begin_time decide_time outcome"),
        **all_by("approvals_follow_the_history", "approval"),
        "new_payments": Free("what PlaceOrder was given to make payments of: the payments are watched themselves"),
        "next_action_time": Free("when the completer looks at it again; `waybill check` lists work that never ends"),
    },
    by("every_attempt_has_its_events"),
)
_SENT_ONCE = "what has to be sent: gone once it has arrived, and `waybill check` lists work that does not end"
WATCHED: Register = {
    tables.ORDERS: _ORDERS,
    tables.SUB_STATUSES: Watch(
        {
            **all_by("sub_status_is_of_the_status", "id status"),
            **all_free(
                "what the seller has declared, which may change at any time",
                "name description follows follows_none roles parties initial terminal closed xp",
            ),
            **all_free("shown only", "version create_time update_time"),
        },
        by("sub_status_is_of_the_status"),
    ),
    tables.CARTS: Watch(
        {
            **all_by("cart_is_an_order_of_its_user", "buyer_id user_id order_key"),
            "pinned": Free("the wish of a user: without it the newest order is the cart"),
        },
        Free("the wish of a user: without it the newest order is the cart"),
    ),
    tables.LINE_ITEMS: _LINE_ITEMS,
    tables.WORKSHEETS: Watch(
        {
            **all_by("line_amounts_follow_from_the_worksheet", "order_key"),
            "body": by(
                "line_amounts_follow_from_the_worksheet amounts_follow_from_the_worksheet shipping_costs_what_was_chosen "
                "plan_is_of_the_lines amounts_are_price_and_rate"
            ),
        },
        by("line_amounts_follow_from_the_worksheet"),
    ),
    tables.SUBMISSIONS: _SUBMISSIONS,
    tables.CANCELLATIONS: Watch(
        {
            **all_by("cancel_is_as_in_the_history", "order_key state caller comment"),
            **all_free(
                "when the completer looks at it, and since when: `waybill check` lists work that never ends", "begin_time"
            ),
            **all_free("when the completer looks at it again", "next_action_time"),
            **FAILURES,
        },
        by("cancel_is_as_in_the_history"),
    ),
    tables.HOLD_COMMANDS: Watch(
        {**all_free(_SENT_ONCE, "order_key held version begin_time next_action_time"), **FAILURES}, Free(_SENT_ONCE)
    ),
    tables.CAPTURES: Watch(
        {
            **all_by("captures_are_of_what_shipped", "order_key value"),
            **all_by("captured_at_most_what_shipped", "most"),
            "next_action_time": Free("when payment is asked; `shipped_is_captured` sees what is missing and never asked for"),
            **all_free("since when, and how often: the gauge of the oldest shows it", "begin_time number"),
            **FAILURES,
        },
        by("captures_are_of_what_shipped"),
    ),
    tables.SHIPMENTS: Watch(
        {
            **all_by("read_model_is_current", "order_key shipment_key version"),
            **all_by("reports_are_word_for_word", "document"),
            "update_time": Free("when the report came"),
        },
        by("read_model_is_current"),
    ),
    tables.EVENTS: Watch(
        {
            **all_by("history_has_no_gap event_is_of_an_order", "aggregate_key sequence"),
            **all_by("every_attempt_has_its_events", "type"),
            **all_by("newest_event_has_the_status newest_event_states_the_order", "data time"),
            **all_free("the call that made it, which is named nowhere else", "client_id request_id impersonator_id"),
            **all_free("its place in the feed of this database", "id xact"),
        },
        by("history_has_no_gap"),
    ),
    tables.DELETED_ORDERS: Watch(
        {
            **all_by("event_is_of_an_order deleted_order_has_its_history", "key"),
            **all_by("deleted_order_has_its_history", "created_by version delete_time"),
            **all_by("deleted_order_is_its_last_body", "id buyer_id user_id body"),
            "payments_left": Free("payments that nobody removes are payments without an order, which is a finding"),
        },
        by("event_is_of_an_order"),
    ),
    tables.APPROVAL_RULES: Watch(
        {
            **all_by("request_has_its_effect", "id"),
            **all_by("stored_as_its_contract_allows", "name expression"),
            **all_free("what its owner says of it; only the row states it", "buyer_id approving_group_id description active xp"),
            **all_free("shown, and compared with what a caller has read", "version create_time update_time"),
        },
        by("request_has_its_effect"),
    ),
    tables.APPROVAL_ROUNDS: Watch(
        all_by("approvals_follow_the_history", "order_key number attempt user_id groups rules subject begin_time"),
        by("approvals_follow_the_history"),
    ),
    tables.APPROVALS: Watch(
        {
            **all_by(
                "approvals_follow_the_history",
                "order_key round rule_id group_id status auto error user_id comment create_time complete_time",
            ),
            "position": Free("the order in which they are shown"),
        },
        by("approvals_follow_the_history"),
    ),
    tables.DELETED: DELETED_WATCH,
    tables.FEED_EPOCHS: Watch(
        all_free("which restore the positions of watchers belong to: they are compared with nothing", "number epoch"),
        Free("without it positions of before a restore would count again"),
    ),
    tables.REQUESTS: REQUESTS_WATCH,
    tables.AUDIT: AUDIT_WATCH,
}
