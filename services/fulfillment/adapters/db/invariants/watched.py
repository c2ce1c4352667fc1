"""What `waybill check` watches of fulfillment's tables, column by column."""

from __future__ import annotations

from libs.db.watched import AUDIT as AUDIT_WATCH
from libs.db.watched import CHANGE_FEED, FAILURES, OUTBOX, Free, Register, Watch, all_by, all_free, by
from libs.db.watched import CHANGES as CHANGES_WATCH
from libs.db.watched import DELETED as DELETED_WATCH
from libs.db.watched import REQUESTS as REQUESTS_WATCH
from services.fulfillment.adapters.db import tables

_SHOWN = "shown only: nothing is decided by it"
_SET = "what its supplier sets, and may change"
_INVENTORY = Watch(
    {
        **all_by("stock_counter_equals_ledger movement_has_its_record", "key"),
        **all_by("allocation_is_of_its_record", "id product_id variant_id supplier_id location_id"),
        **all_by("stock_counter_equals_ledger", "on_hand reserved allocated"),
        "address": by("stock_lies_where_it_was_put"),
        **all_free(_SET, "can_exceed priority active pickup xp buyer_ids user_group_ids backorder_limit expected_time"),
        **all_free(_SHOWN, "version create_time update_time"),
        **all_free("orders the changes of a record in the feed", "bookings"),
        **all_by("low_stock_is_below_its_threshold", "notify_below low_stock"),
        "crossings": by("each_crossing_has_its_alert"),
        "waiting": by("waiting_units_are_shown"),
        "waiting_shown": Free("when units that wait are looked at again"),
    },
    by("movement_has_its_record"),
)
_ADDRESSES = Watch(
    {**all_by("stock_lies_where_it_was_put", "record_key version address"), **all_free(_SHOWN, "create_time")},
    by("stock_lies_where_it_was_put"),
)
_ALERTS = Watch(
    {
        **all_by("each_crossing_has_its_alert", "record_key number"),
        **all_by("alert_says_what_was_crossed", "kind notify_below available"),
        **all_free(_SHOWN, "id create_time"),
    },
    by("each_crossing_has_its_alert"),
)
_MOVEMENTS = Watch(
    {
        **all_by("movement_has_its_record stock_counter_equals_ledger", "record_key"),
        **all_by("movement_is_of_its_kind", "kind"),
        **all_by("stock_counter_equals_ledger", "on_hand reserved allocated"),
        **all_by(
            "movement_has_its_cause reserved_as_assigned ledger_agrees_with_allocations", "order_key line_item_id shipment_id"
        ),
        **all_by("reserved_as_assigned", "attempt"),
        **all_by("movement_has_its_cause movement_is_by_who_asked", "user_id"),
        **all_free(_SHOWN, "key note create_time"),
    },
    by("stock_counter_equals_ledger"),
)
_RESERVATIONS = Watch(
    {
        **all_by("supplier_order_has_confirmed_attempt reserved_as_assigned", "order_key attempt state kind"),
        **all_by("attempt_is_checked_until_it_ends", "check_time"),
        **all_by("cancel_stops_what_it_decided", "hold"),
        **all_by("held_as_the_order", "held"),
        **all_by("attempt_is_of_its_lines", "lines"),
        **all_by("reserved_as_assigned attempt_is_of_its_lines", "assignments"),
        "held_version": Free("keeps an older decision out; what was decided is watched"),
        **all_free(
            "how units are sourced again, and what new supplier orders begin with", "strategy stages order_xp accept_within"
        ),
        "costs": by("unit_costs_are_those_confirmed"),
        **all_free(_SHOWN, "create_time update_time"),
        **FAILURES,
    },
    by("supplier_order_has_confirmed_attempt"),
)
_SUPPLIER_ORDERS = Watch(
    {
        **OUTBOX,
        **all_by(
            "reports_are_word_for_word",
            "key order_id supplier_id status implicit moved held buyer_id user_id client_id currency shipping_address "
            "billing_address comments xp accept_time reject_time complete_time cancel_time "
            "reject_comment create_time update_time accept_by unclaimed",
        ),
        **all_by("supplier_order_is_numbered", "id number order_id"),
        **all_by("supplier_order_has_confirmed_attempt", "order_key"),
        **all_by("supplier_order_amounts", "subtotal discount shipping_cost tax total"),
        "cost": by("supplier_order_cost_is_of_its_lines"),
        **all_by("reports_are_word_for_word", "selections"),
        **all_by("frozen_remembers_what_it_was", "former_status"),
        **all_by("read_model_is_current", "version"),
        **all_by("supplier_order_is_reported_or_due", "reported_version"),
        "deliver_time": Free("when what failed is tried again: one that fails on and on is named by itself"),
        **FAILURES,
    },
    by("read_model_is_current"),
)
_LINES = Watch(
    {
        **all_by("supplier_order_has_lines supplier_order_amounts", "supplier_order_key"),
        **all_by(
            "reports_are_word_for_word",
            "line_item_id product_id product_name quantity packed shipped canceled unit_price subtotal discount tax shippable "
            "shipping_address pickup_location_id xp variant_id cost_center shipping_account comments date_needed specs "
            "included_tax unit_cost",
        ),
        "position": Free("the order in which lines are shown"),
    },
    by("supplier_order_has_lines supplier_orders_partition_the_order"),
)
_ALLOCATIONS = Watch(
    {
        **all_by("shipment_draws_on_allocations", "key packed"),
        **all_by("reports_are_word_for_word", "supplier_order_key line_item_id record_id ship_from_id quantity shipped"),
        **all_by("stock_allocated_equals_allocations", "record_key"),
        **all_by("allocation_is_of_its_record", "supplier_id"),
        "backordered": by("waiting_units_are_shown"),
        "expected_time": by("waiting_units_are_shown"),
        "position": Free("the order in which allocations are shown"),
    },
    by("reports_are_word_for_word"),
)
_SHIPMENTS = Watch(
    {
        **OUTBOX,
        **all_by("shipment_item_has_its_shipment read_model_is_current", "key"),
        **all_by(
            "reports_are_word_for_word",
            "id supplier_id buyer_id carrier tracking_number ship_method_id cost ship_from_id ship_to ship_time delivery_time "
            "supplier_number void_time delete_time xp create_time update_time",
        ),
        **all_by("shipment_cost_has_a_currency reports_are_word_for_word", "currency"),
        **all_by("read_model_is_current", "version"),
        **all_by("shipment_is_reported_or_due", "reported_version"),
    },
    by("shipment_item_has_its_shipment"),
)
_ITEMS = Watch(
    {
        **all_by("shipment_item_has_its_shipment", "shipment_key"),
        **all_by("shipment_item_has_its_line", "supplier_order_key"),
        **all_by("reports_are_word_for_word", "supplier_order_id order_id line_item_id product_id quantity record_id variant_id"),
        **all_by("shipment_is_seen_as_its_orders", "order_key user_id"),
        **all_by("shipment_draws_on_allocations", "draws"),
        "position": Free("the order in which items are shown"),
    },
    by("line_units_equal_shipments shipment_has_items"),
)
WATCHED: Register = {
    tables.inventory_records: _INVENTORY,
    tables.stock_addresses: _ADDRESSES,
    tables.stock_movements: _MOVEMENTS,
    tables.stock_alerts: _ALERTS,
    tables.reservations: _RESERVATIONS,
    tables.supplier_orders: _SUPPLIER_ORDERS,
    tables.supplier_order_lines: _LINES,
    tables.allocations: _ALLOCATIONS,
    tables.shipments: _SHIPMENTS,
    tables.shipment_items: _ITEMS,
    tables.requests: REQUESTS_WATCH,
    tables.audit_entries: AUDIT_WATCH,
    tables.deleted_ids: DELETED_WATCH,
    tables.changes.changes: CHANGES_WATCH,
    tables.changes.state: CHANGE_FEED,
}
