"""Corruptions of directory, catalog, pricing and shipping."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from services.catalog.adapters.db import tables as catalog
from services.catalog.adapters.db.tables import (
    CATALOG_PRODUCTS,
    CATALOGS,
    CATEGORIES,
    CATEGORY_ASSIGNMENTS,
    PRODUCT_ASSIGNMENTS,
    PRODUCT_FACET_VALUES,
    PRODUCT_PROPOSALS,
    PRODUCT_SPECS,
    PRODUCT_WORDS,
    PRODUCTS,
    SPECS,
    SUPPLIER_PERMISSIONS,
    VARIANTS,
)
from services.directory.adapters.db import tables as directory
from services.directory.adapters.db.tables import (
    ADDRESS_ASSIGNMENTS,
    ADDRESSES,
    CLIENTS,
    COST_CENTER_ASSIGNMENTS,
    COST_CENTERS,
    MEMBERS,
    PROFILE_ASSIGNMENTS,
    SELLERS,
    SIGNING_KEYS,
    USER_GROUPS,
    USERS,
)
from services.fulfillment.adapters.db import tables as fulfillment
from services.payment.adapters.db import tables as payment
from services.pricing.adapters.db import tables as pricing
from services.pricing.adapters.db.tables import (
    ASSIGNMENTS,
    COSTS,
    FLOORS,
    PROMOTION_ASSIGNMENTS,
    PROMOTIONS,
    REDEMPTIONS,
    RESERVATIONS,
    SCHEDULES,
    TAX_RATES,
    USES,
)
from services.shipping.adapters.db import tables as shipping
from services.shipping.adapters.db.tables import RATE_TABLES, SHIP_METHODS
from tests.e2e.corruptions.books import CART, Books, breaks
from tests.support.tampering import like

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def set_where(table: sa.Table, column: str, value: Any, **values: Any) -> Any:
    """Changes the rows of one value of a column."""
    return lambda _: [sa.update(table).where(table.c[column] == value).values(**values)]


async def second_seller(books: Books) -> list[Any]:
    row = await books.row("directory", SELLERS)
    return [sa.insert(SELLERS).values(**like(row, id="other", singleton=False))]


async def many_specs(_: Books) -> list[Any]:
    rows = [{"product_id": "lantern", "spec_id": f"gone-{number}"} for number in range(20)]
    return [sa.insert(PRODUCT_SPECS).values(rows)]


async def one_rate_out_of_range(books: Books) -> list[Any]:
    row = await books.row("pricing", TAX_RATES)
    return [sa.update(TAX_RATES).where(TAX_RATES.c.id == row["id"]).values(rate="1.5")]


def made_nothing(context: str, requests: sa.Table, method: str) -> Any:
    """A request that says it made what is not there."""

    async def make(books: Books) -> list[Any]:
        row = await books.row(context, requests)
        stray = like(row, request_id="stray", method=f"/waybill.{context}.v1.Service/{method}", outcome={"ids": ["nowhere"]})
        return [sa.insert(requests).values(**stray)]

    return make


def reservation(state: str) -> Any:
    def make(books: Books) -> list[Any]:
        row = {"order_key": books.keys[CART], "attempt": 1, "state": state, "expire_time": NOW, "update_time": NOW}
        return [sa.insert(RESERVATIONS).values(**row)]

    return make


_CONTRACT = "stored_as_its_contract_allows"
_MOVED = ("category_has_its_parent", "product_of_category_is_in_its_catalog")
CORRUPTIONS = [
    *[
        breaks(context, "request_has_its_effect", "stray", made_nothing(context, requests, method))
        for context, requests, method in (
            ("directory", directory.REQUESTS, "BatchCreateUsers"),
            ("catalog", catalog.REQUESTS, "CreateProduct"),
            ("pricing", pricing.REQUESTS, "CreatePriceSchedule"),
            ("shipping", shipping.REQUESTS, "CreateZone"),
            ("payment", payment.REQUESTS, "CreateSpendingAccount"),
            ("fulfillment", fulfillment.requests, "CreateShipment"),
            ("fulfillment", fulfillment.requests, "BatchCreateInventoryRecords"),
        )
    ],
    breaks("directory", "one_seller", "seller", second_seller),
    breaks("directory", "signing_key", "signing keys", lambda _: [sa.update(SIGNING_KEYS).values(retire_time=NOW)]),
    breaks("directory", "user_has_company", "gil", set_where(USERS, "id", "gil", party="BUYER:gone")),
    breaks("directory", "client_has_default_user", "shop", set_where(CLIENTS, "id", "shop", default_user_id="nobody")),
    breaks("directory", "client_has_anonymous_user", "shop", set_where(CLIENTS, "id", "shop", anonymous_user_id="nobody")),
    breaks("directory", "client_has_registration_buyer", "shop", set_where(CLIENTS, "id", "shop", registration_buyer_id="gone")),
    breaks(
        "directory",
        "address_has_company",
        "dock-lumenworks",
        set_where(ADDRESSES, "id", "dock-lumenworks", party="SUPPLIER:gone"),
    ),
    breaks(
        "directory",
        "assignment_has_address",
        "nowhere",
        set_where(ADDRESS_ASSIGNMENTS, "address_id", "hq-globex", address_id="nowhere"),
    ),
    breaks(
        "directory",
        "assignment_has_user",
        "hq-globex for nobody",
        set_where(ADDRESS_ASSIGNMENTS, "address_id", "hq-globex", user_id="nobody"),
    ),
    breaks(
        "directory",
        "assignment_has_group",
        "hq-globex for nobody",
        set_where(ADDRESS_ASSIGNMENTS, "address_id", "hq-globex", user_group_id="nobody"),
    ),
    breaks("directory", "group_has_company", "purchasing", set_where(USER_GROUPS, "id", "purchasing", party="BUYER:gone")),
    breaks("directory", "member_has_group", "ada in gone", set_where(MEMBERS, "user_id", "ada", user_group_id="gone")),
    breaks("directory", "member_has_user", "gil in purchasing", set_where(MEMBERS, "user_id", "ada", user_id="gil")),
    breaks(
        "directory",
        "profile_assignment_has_profile",
        "gone for purchasing",
        set_where(PROFILE_ASSIGNMENTS, "user_group_id", "purchasing", security_profile_id="gone"),
    ),
    breaks(
        "directory",
        "profile_assignment_has_one_assignee",
        "shoppers for purchasingada",
        set_where(PROFILE_ASSIGNMENTS, "user_group_id", "purchasing", user_id="ada"),
    ),
    breaks(
        "directory",
        "cost_center_has_buyer",
        "workshop",
        set_where(COST_CENTERS, "id", "workshop", buyer_id="gone"),
        "cost_center_assignment_has_assignee",
    ),
    breaks(
        "directory",
        "cost_center_assignment_has_cost_center",
        "gone for purchasing",
        set_where(COST_CENTER_ASSIGNMENTS, "user_group_id", "purchasing", cost_center_id="gone"),
    ),
    breaks(
        "directory",
        "cost_center_assignment_has_assignee",
        "workshop for gilpurchasing",
        set_where(COST_CENTER_ASSIGNMENTS, "user_group_id", "purchasing", user_id="gil"),
    ),
    breaks("directory", "client_has_its_companies", "shop", set_where(CLIENTS, "id", "shop", buyer_ids=["acme", "nobody"])),
    breaks("directory", "client_has_secret_as_it_says", "shop", set_where(CLIENTS, "id", "shop", has_secret=True)),
    breaks("directory", "address_has_its_user", "hq-acme", set_where(ADDRESSES, "id", "hq-acme", user_id="gil")),
    breaks("directory", _CONTRACT, "user ada", set_where(USERS, "id", "ada", username_key="Ada")),
    breaks("catalog", _CONTRACT, "product tarp", set_where(PRODUCTS, "id", "tarp", tax_class="")),
    breaks("pricing", _CONTRACT, "price schedule list-tape", set_where(SCHEDULES, "id", "list-tape", currency="ZZZ")),
    breaks("pricing", _CONTRACT, "price floor lantern", set_where(FLOORS, "id", "lantern", unit_price=-1)),
    breaks("pricing", _CONTRACT, "cost schedule northforge-tongs", set_where(COSTS, "id", "northforge-tongs", currency="ZZZ")),
    breaks("pricing", _CONTRACT, "promotion spring", set_where(PROMOTIONS, "id", "spring", code="spring")),
    breaks("shipping", _CONTRACT, "rate table ground-us", set_where(RATE_TABLES, "id", "ground-us", handling=-1)),
    breaks("catalog", "category_has_its_catalog", "forge", set_where(CATEGORIES, "id", "forge", catalog_id="gone"), *_MOVED),
    breaks("catalog", "category_has_its_parent", "hand-tools", set_where(CATEGORIES, "id", "hand-tools", parent_id="gone")),
    breaks("catalog", "category_is_within_its_levels", "forge", set_where(CATEGORIES, "id", "forge", parent_id="hand-tools")),
    breaks(
        "catalog",
        "assigned_catalog_exists",
        "trade/acme",
        lambda _: [sa.delete(CATALOGS).where(CATALOGS.c.id == "trade")],
        "category_has_its_catalog",
    ),
    breaks(
        "catalog",
        "assigned_category_exists",
        "gone/acme",
        lambda _: [
            sa.update(CATEGORY_ASSIGNMENTS).where(CATEGORY_ASSIGNMENTS.c.category_id == "forge").values(category_id="gone")
        ],
    ),
    breaks(
        "catalog", "assigned_product_exists", "gone/acme", set_where(PRODUCT_ASSIGNMENTS, "product_id", "lamp", product_id="gone")
    ),
    breaks(
        "catalog",
        "product_of_category_is_in_its_catalog",
        "forge",
        lambda _: [sa.delete(CATALOG_PRODUCTS).where(CATALOG_PRODUCTS.c.product_id == "anvil")],
    ),
    breaks(
        "catalog",
        "permitted_fields_exist",
        "lumenworks/trade",
        lambda _: [sa.update(SUPPLIER_PERMISSIONS).values(writable_fields=["owner_supplier_id"])],
    ),
    breaks("catalog", "proposal_has_a_state", "trade/lantern", lambda _: [sa.update(PRODUCT_PROPOSALS).values(state="LOST")]),
    breaks(
        "catalog", "proposal_waits_for_the_seller", "trade/lantern", set_where(PRODUCTS, "id", "lantern", owner_supplier_id="")
    ),
    breaks("catalog", "suppliers_stand_once", "crate", set_where(PRODUCTS, "id", "crate", supplier_ids=["wh-west", "wh-west"])),
    breaks("catalog", "multiplier_is_positive", "anvil", set_where(PRODUCTS, "id", "anvil", quantity_multiplier=0)),
    breaks("catalog", "product_is_found_by_its_words", "lamp", set_where(PRODUCTS, "id", "lamp", name="Lantern")),
    breaks(
        "catalog",
        "word_has_its_product",
        "gone",
        set_where(PRODUCT_WORDS, "word", "tarpaulin", product_id="gone"),
        "product_is_found_by_its_words",
    ),
    breaks(
        "catalog",
        "product_is_counted_by_its_values",
        "lamp",
        lambda _: [sa.delete(PRODUCT_FACET_VALUES).where(PRODUCT_FACET_VALUES.c.product_id == "lamp")],
    ),
    breaks(
        "catalog",
        "value_has_its_product_and_facet",
        "gone/brass/lamp",
        set_where(PRODUCT_FACET_VALUES, "product_id", "lamp", facet_id="gone"),
        "product_is_counted_by_its_values",
    ),
    breaks(
        "catalog",
        "assigned_spec_exists",
        "gone",
        set_where(PRODUCT_SPECS, "product_id", "lantern", spec_id="gone"),
        "variant_has_an_option_of_each_spec",
    ),
    breaks(
        "catalog", "product_has_specs_of_its_owner", "lantern", set_where(SPECS, "id", "glass", owner_supplier_id="northforge")
    ),
    breaks("catalog", "product_has_no_more_specs_than_it_may", "lantern", many_specs, "assigned_spec_exists"),
    breaks(
        "catalog", "variant_has_an_option_of_each_spec", "lantern", set_where(VARIANTS, "id", "red", combination="glass=blue")
    ),
    breaks("catalog", "measures_are_not_negative", "lamp", set_where(PRODUCTS, "id", "lamp", weight_kg="-1")),
    breaks(
        "pricing", "assigned_schedule_exists", "anvil", set_where(ASSIGNMENTS, "product_id", "anvil", price_schedule_id="nowhere")
    ),
    breaks(
        "pricing",
        "price_breaks_ascend",
        "list-tape",
        set_where(SCHEDULES, "id", "list-tape", price_breaks=[[2, 1, None], [1, 2, None]]),
    ),
    breaks(
        "pricing",
        "cost_breaks_ascend",
        "northforge-tongs",
        set_where(COSTS, "id", "northforge-tongs", price_breaks=[[2, 1, None], [1, 2, None]]),
    ),
    breaks(
        "pricing",
        "assigned_promotion_exists",
        "gone/acme",
        set_where(PROMOTION_ASSIGNMENTS, "promotion_id", "spring", promotion_id="gone"),
    ),
    breaks("pricing", "uses_are_counted", "spring", set_where(USES, "user_key", "", confirmed=2)),
    breaks(
        "pricing",
        "redemption_is_of_a_standing_attempt",
        "promotion spring",
        set_where(REDEMPTIONS, "promotion_id", "spring", attempt=7),
        "uses_are_counted",
    ),
    breaks("pricing", "rate_is_a_share", "", one_rate_out_of_range),
    breaks("pricing", "reservation_has_a_state", "", reservation("LOST")),
    breaks("shipping", "reference_exists", "ground", set_where(SHIP_METHODS, "id", "ground", carrier_id="nowhere")),
    breaks(
        "shipping",
        "rate_rows_ascend",
        "ground-us",
        set_where(
            RATE_TABLES,
            "id",
            "ground-us",
            rows=[{"up_to": None, "price": 1, "per_kg": None}, {"up_to": "1", "price": 1, "per_kg": None}],
        ),
    ),
]
