"""What the feed of changes says of every stored table: the resource that a row is, the one that it is part of, or that it
is inner to its context, with the reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """A row is a resource of the feed."""

    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """A row is part of a resource: when it changes, that one does."""

    of: str


@dataclass(frozen=True, slots=True)
class Inner:
    """Nobody outside of the context can read a row."""

    reason: str


Place = Resource | Part | Inner
_OWN = {
    "audit_entries": Inner("the log of administrative acts, which ListAuditEntries reads"),
    "requests": Inner("outcomes of requests, kept to know their repeats"),
    "changes": Inner("the feed itself"),
    "change_feed": Inner("the switch of the feed"),
}
_DELETING = {**_OWN, "deleted_ids": Inner("ids that stay taken after a deletion, which is a change itself")}
CONTENTS: dict[str, dict[str, Place]] = {
    "directory": {
        **_DELETING,
        "sellers": Resource("seller"),
        "buyers": Resource("buyer"),
        "suppliers": Resource("supplier"),
        "users": Resource("user"),
        "api_clients": Resource("API client"),
        "client_secrets": Part("API client"),
        "addresses": Resource("address"),
        "address_assignments": Resource("address assignment"),
        "user_groups": Resource("user group"),
        "user_group_members": Resource("user group member"),
        "cost_centers": Resource("cost center"),
        "cost_center_assignments": Resource("cost center assignment"),
        "security_profiles": Resource("security profile"),
        "security_profile_assignments": Resource("security profile assignment"),
        "revocations": Inner("for the services that verify tokens, which ask for them by ListRevocations"),
        "sign_ins": Inner("counts of attempts to sign in, which nobody can read"),
        "registrations": Inner("users that wait to be confirmed: whoever is gets into the feed as a user"),
        "messages": Inner("what is to be sent to people, with tokens; whoever sends reads it where it is"),
        "refresh_tokens": Inner("what users sign in with who have signed in before, as hashes"),
        "signing_keys": Inner("secrets; their public halves are had from GetKeySet"),
    },
    "catalog": {
        **_DELETING,
        "products": Resource("product"),
        "catalogs": Resource("catalog"),
        "categories": Resource("category"),
        "catalog_assignments": Resource("catalog assignment"),
        "category_assignments": Resource("category assignment"),
        "product_assignments": Resource("product assignment"),
        "catalog_products": Resource("catalog product"),
        "category_products": Resource("category product"),
        "supplier_permissions": Resource("supplier permission"),
        "product_proposals": Resource("product proposal"),
        "product_words": Part("product"),
        "product_facets": Resource("product facet"),
        "product_facet_values": Part("product"),
        "specs": Resource("spec"),
        "product_specs": Resource("product spec"),
        "variants": Resource("variant"),
    },
    "pricing": {
        **_DELETING,
        "price_schedules": Resource("price schedule"),
        "price_floors": Resource("price floor"),
        "cost_schedules": Resource("cost schedule"),
        "price_assignments": Resource("price assignment"),
        "promotions": Resource("promotion"),
        "promotion_assignments": Resource("promotion assignment"),
        "tax_rates": Resource("tax rate"),
        "redemptions": Inner("steps of a submission between the contexts"),
        "promotion_uses": Inner("counts of what orders use, which their promotions show"),
        "redemption_reservations": Inner("steps of a submission between the contexts"),
    },
    "shipping": {
        **_DELETING,
        "carriers": Resource("carrier"),
        "zones": Resource("zone"),
        "ship_methods": Resource("ship method"),
        "ship_method_assignments": Resource("ship method assignment"),
        "rate_tables": Resource("rate table"),
        "grouping_rules": Resource("grouping rule"),
    },
    "payment": {
        **_DELETING,
        "payments": Resource("payment"),
        "payment_transactions": Part("payment"),
        "credit_cards": Resource("credit card"),
        "spending_accounts": Resource("spending account"),
        "spending_account_assignments": Resource("spending account assignment"),
        "credit_card_assignments": Resource("credit card assignment"),
        "payment_types": Resource("payment type"),
        "payment_type_assignments": Resource("payment type assignment"),
        "spending_account_adjustments": Part("spending account"),
        "ledger_entries": Part("payment"),
        "payment_orders": Inner("what payment remembers of orders that the order service owns"),
        "payment_redirects": Inner("authorizations that wait for their buyers, of which the payment shows what comes of it"),
        "payment_attempts": Inner("steps of a submission between the contexts"),
        "payment_alerts": Inner("what the order service has yet to hear of payments that need attention"),
        "test_gateway_operations": Inner("the books of the test gateway, which stands for another company"),
    },
    "fulfillment": {
        **_DELETING,
        "inventory_records": Resource("inventory record"),
        "stock_addresses": Part("inventory record"),
        "stock_movements": Part("inventory record"),
        "stock_alerts": Resource("stock alert"),
        "supplier_orders": Resource("supplier order"),
        "supplier_order_lines": Part("supplier order"),
        "allocations": Part("supplier order"),
        "shipments": Resource("shipment"),
        "shipment_items": Part("shipment"),
        "reservations": Inner("steps of a submission between the contexts"),
    },
    "order": {
        "requests": _OWN["requests"],
        "audit_entries": _OWN["audit_entries"],
        "deleted_ids": _DELETING["deleted_ids"],
        "deleted_orders": Inner("what the feed says of orders that are gone"),
        "orders": Resource("order"),
        "order_sub_statuses": Inner(
            "declared by the seller and had by ListOrderSubStatuses; that an order enters one is its event"
        ),
        "carts": Inner("which order a user means by its cart; the order itself does not change by it"),
        "line_items": Part("order"),
        "worksheets": Part("order"),
        "cancellations": Part("order"),
        "order_shipments": Part("order"),
        "order_events": Inner("the feed itself"),
        "order_feed_epochs": Inner("where the feed begins"),
        "submissions": Inner("the steps of a submission; what comes of them is an event of the order"),
        "shipped_captures": Inner(
            "what payment is asked to take of what has shipped: payments change by it, and so does their feed"
        ),
        "approval_rules": Inner("the feed of this context is the history of its orders; rules are read where they are"),
        "approval_rounds": Inner("what rules are asked about; that a round began is an event of the order"),
        "approvals": Inner("who has still to decide; what is decided is an event of the order"),
        "hold_commands": Inner("what other contexts have yet to hear of holds, which are events of the order"),
    },
}
"""By context and table."""
RESOURCES = {context: {one.name for one in tables.values() if isinstance(one, Resource)} for context, tables in CONTENTS.items()}
"""By context, every resource of its feed."""
