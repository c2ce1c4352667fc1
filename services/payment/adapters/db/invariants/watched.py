"""What `waybill check` watches of payment's tables, column by column."""

from __future__ import annotations

from libs.db.watched import AUDIT as AUDIT_WATCH
from libs.db.watched import CHANGE_FEED, FAILURES, OUTBOX, Free, Register, Watch, all_by, all_free, by
from libs.db.watched import CHANGES as CHANGES_WATCH
from libs.db.watched import DELETED as DELETED_WATCH
from libs.db.watched import REQUESTS as REQUESTS_WATCH
from services.payment.adapters.db import tables

_SHOWN = "shown only: nothing is decided by it"
_PAYMENTS = Watch(
    {
        **all_by("transaction_has_its_payment", "id"),
        **all_by("payments_name_their_order", "order_key order_id buyer_id user_id"),
        **all_by("payment_has_its_means", "type spending_account_id credit_card_id"),
        **all_by("charged_at_most_the_total ledger_movement_has_its_transaction", "currency"),
        **all_by("amount_is_resolved", "amount surplus"),
        **all_by("external_payment_has_its_type ledger_movement_has_its_transaction", "external"),
        **all_by("transaction_is_of_the_amount paid_covers_the_total", "resolved_amount"),
        **all_by("payment_is_accepted", "accepted"),
        **all_by("state_follows_amounts", "state"),
        **all_by("permanent_payment_has_attempt", "attempt"),
        **all_by("captured_is_sum_of_captures", "captured"),
        **all_by("refunded_is_sum_of_refunds", "refunded"),
        **all_free("a text of the buyer's", "purchase_order_number description xp"),
        **all_free(_SHOWN, "position version create_time update_time"),
        **all_by("due_is_within_resolved_amount paid_covers_the_total", "due"),
        **all_by("units_are_worth_the_amount", "unit unit_digits rate"),
        **all_by("debited_units_are_moved", "debited_units"),
        **all_by("refunded_units_are_moved", "refunded_units"),
        "authorization_expire_time": Free("what the gateway said: a lapse that comes unseen ends in attention"),
        "renew_time": Free("when a renewal that failed is tried again: one that fails on and on is named by itself"),
        **FAILURES,
    },
    by("transaction_has_its_payment paid_covers_the_total"),
)
_TRANSACTIONS = Watch(
    {
        **all_by("ledger_movement_has_its_transaction", "id"),
        **all_by("transaction_has_its_payment", "payment_id"),
        **all_by("captured_is_sum_of_captures", "type result amount"),
        **all_by("held_card_is_authorized", "attempt"),
        **all_by("gateway_did_what_was_recorded", "gateway_key gateway_reference"),
        **all_by("gateway_did_what_was_recorded gateway_holds_what_is_wanted", "authorization_key"),
        "expire_time": Free("what the gateway said: a lapse that comes unseen ends in attention"),
        **FAILURES,
        **all_by("transaction_is_timed", "result_time ask_time"),
        **all_by("debited_units_are_moved", "units"),
        "cause": by("names_are_known"),
        **all_by("record_says_who_and_when", "recorded_by occur_time"),
        **all_free(_SHOWN, "message create_time"),
    },
    by("ledger_movement_has_its_transaction"),
)
_LEDGER = Watch(
    {
        **all_by("ledger_movement_has_two_sides", "transaction_id order_id payment_id description entry_time currency"),
        **all_by("ledger_movement_has_its_transaction", "account amount"),
        "number": Free("the order of the book"),
    },
    by("ledger_movement_has_two_sides"),
)
_ADJUSTMENTS = Watch(
    {
        **all_by("ledger_issue_has_its_adjustment", "id spending_account_id amount currency description create_time"),
        **all_by("adjustment_is_by_who_asked", "user_id request_id"),
    },
    by("ledger_issue_has_its_adjustment"),
)
_ACCOUNTS = Watch(
    {
        **all_by("ledger_issue_is_to_an_account", "id currency"),
        **all_by("balance_is_ledger_sum", "balance"),
        **all_by("reserved_is_sum_of_reservations", "reserved"),
        **all_free("what the seller sets, and may change", "name active start_time end_time xp"),
        **all_by("payment_has_its_means", "buyer_id"),
        **all_by("units_are_those_of_the_account", "unit_digits rate order_currency"),
        **all_free(_SHOWN, "version create_time update_time"),
        **all_free("orders the changes of an account in the feed", "bookings"),
    },
    by("ledger_issue_is_to_an_account"),
)
_GATEWAY = Watch(
    {
        **all_by("gateway_did_what_was_recorded", "key operation amount currency state reference"),
        **all_by("gateway_did_nothing_else", "authorization_key"),
        **all_free("how the test gateway plays its part", "token message expire_time return_url"),
    },
    by("gateway_did_what_was_recorded"),
)
_ATTEMPTS = Watch(
    {
        **all_by("accepted_attempts_are_confirmed", "order_key attempt state"),
        **all_free("when it is asked what became of it: `waybill check` lists an attempt that stays", "expire_time update_time"),
        **FAILURES,
    },
    by("accepted_attempts_are_confirmed"),
)
_ALERTS = Watch(
    {
        **OUTBOX,
        **all_by("attention_is_alerted", "id"),
        **all_by("alert_is_of_its_payment", "order_key"),
        **all_by("alert_is_reported_or_due", "version reported_version"),
        **all_free(_SHOWN, "key create_time update_time"),
    },
    by("attention_is_alerted"),
)
_ORDERS = Watch(
    {
        **all_by("payments_are_lowered_by_changes", "order_key lowered_attempt"),
        **all_free("when it ended, and when that was noted", "end_time update_time"),
        "deletion_version": Free("what came too late for a deletion is a payment without an order, which is a finding"),
        "payments_deleted": Free("that payments are gone is known nowhere else"),
        "delete_time": Free("when it is forgotten that the order is gone; one that something is held for is not"),
    },
    by("payments_are_lowered_by_changes"),
)
_REDIRECTS = Watch(
    {
        **all_by("redirect_is_of_its_payment", "id order_key payment_id type currency gateway_key"),
        **all_by("redirect_is_adopted_by_its_attempt", "state attempt gateway_reference amount credit_card_id"),
        "ask_time": by("redirect_is_timed"),
        **FAILURES,
        **all_free("where the buyer goes, and comes back to: only the provider and the shop know", "url return_url message"),
        **all_free("what the provider said, and how long it is waited for", "expire_time authorization_expire_time"),
        **all_free(_SHOWN, "create_time update_time"),
    },
    by("adopted_authorization_has_its_redirect"),
)
WATCHED: Register = {
    tables.REDIRECTS: _REDIRECTS,
    tables.ORDERS: _ORDERS,
    tables.PAYMENTS: _PAYMENTS,
    tables.ALERTS: _ALERTS,
    tables.TRANSACTIONS: _TRANSACTIONS,
    tables.ATTEMPTS: _ATTEMPTS,
    tables.ACCOUNTS: _ACCOUNTS,
    tables.ACCOUNT_ASSIGNMENTS: Watch(
        {
            **all_by("assignment_has_account", "spending_account_id"),
            **all_by("assignment_is_to_one", "user_group_id"),
            **all_free("who may use the account: only the assignment states it", "user_id allow_exceed"),
        },
        Free("an assignment may end at any time"),
    ),
    tables.CARD_ASSIGNMENTS: Watch(
        {
            **all_by("assignment_has_card", "credit_card_id"),
            **all_by("assignment_is_to_one", "user_group_id"),
            "user_id": Free("who may use the card: only the assignment states it"),
        },
        Free("an assignment may end at any time"),
    ),
    tables.TYPES: Watch(
        {
            **all_by("external_payment_has_its_type", "id acceptance"),
            **all_by("assigned_type_is_restricted", "restricted"),
            **all_free("what the seller sets, and may change", "name description active xp"),
            **all_free(_SHOWN, "version create_time update_time"),
        },
        by("external_payment_has_its_type"),
    ),
    tables.TYPE_ASSIGNMENTS: Watch(
        {
            **all_by("assigned_type_is_restricted", "payment_type_id user_group_id"),
            **all_free("who may pay with the type: only the assignment states it", "buyer_id user_id"),
        },
        Free("an assignment may end at any time"),
    ),
    tables.ADJUSTMENTS: _ADJUSTMENTS,
    tables.LEDGER: _LEDGER,
    tables.CARDS: Watch(
        {
            **all_by("payment_has_its_means", "id buyer_id user_id order_id"),
            **all_by("assignment_has_card", "restricted"),
            **all_free("what the buyer said of the card; only the card states it", "token card_type partial_number"),
            **all_free("what the buyer said of the card; only the card states it", "cardholder_name expiration xp"),
            **all_free(_SHOWN, "version create_time update_time"),
        },
        by("payment_has_its_means"),
    ),
    tables.GATEWAY: _GATEWAY,
    tables.REQUESTS: REQUESTS_WATCH,
    tables.AUDIT: AUDIT_WATCH,
    tables.DELETED: DELETED_WATCH,
    tables.CHANGES.changes: CHANGES_WATCH,
    tables.CHANGES.state: CHANGE_FEED,
}
