"""Whoever knows or guesses the id of a product that no catalog shows it hears the same as of an id that nobody has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from services.host.sample.marketplace import CURRENCY
from tests.attacks.tally import Tally
from tests.attacks.target import Target
from tests.attacks.vault import HIDDEN, INACTIVE, METAL, NOTHING, PLACE, SHELF, VAULT, Thief, filled
from waybill.catalog.v1 import catalog_service_pb2 as catalogs
from waybill.catalog.v1 import category_service_pb2 as categories
from waybill.catalog.v1 import my_product_pb2
from waybill.catalog.v1 import my_product_service_pb2 as shops
from waybill.catalog.v1 import product_service_pb2 as products
from waybill.fulfillment.v1 import inventory_service_pb2 as inventory
from waybill.order.v1 import cart_service_pb2, checkout_service_pb2, line_item_pb2, order_pb2
from waybill.order.v1 import order_service_pb2 as orders
from waybill.pricing.v1 import pricing_pb2, pricing_service_pb2
from waybill_client import AsyncWaybill, WaybillError

Call = Callable[[AsyncWaybill, str], Awaitable[Any]]
"""What names the id of a product, category or catalog."""


def _line(id: str) -> list[line_item_pb2.LineItem]:
    return [line_item_pb2.LineItem(product_id=id, quantity=1)]


def _priced(id: str) -> list[pricing_pb2.PricingLine]:
    return [pricing_pb2.PricingLine(line_item_id="l1", product_id=id, quantity=1)]


OF_PRODUCTS: dict[str, Call] = {
    "GetProduct": lambda c, id: c.products.GetProduct(products.GetProductRequest(product_id=id)),
    "BatchGetProducts": lambda c, id: c.products.BatchGetProducts(products.BatchGetProductsRequest(product_ids=[id, "tongs"])),
    "ListProducts": lambda c, id: c.products.ListProducts(
        products.ListProductsRequest(filter=f'id = "{id}"', order_by="name", include_total=True)
    ),
    "GetMyProduct": lambda c, id: c.my_products.GetMyProduct(shops.GetMyProductRequest(product_id=id)),
    "ListMyProducts": lambda c, id: c.my_products.ListMyProducts(
        shops.ListMyProductsRequest(filter=f'id = "{id}"', include_total=True)
    ),
    "QuoteLines": lambda c, id: c.pricing.QuoteLines(pricing_service_pb2.QuoteLinesRequest(currency=CURRENCY, lines=_priced(id))),
    "CheckAvailability": lambda c, id: c.inventory.CheckAvailability(inventory.CheckAvailabilityRequest(product_ids=[id])),
}
BY_ORDERS: dict[str, Call] = {
    "AddCartItems": lambda c, id: c.carts.AddCartItems(cart_service_pb2.AddCartItemsRequest(line_items=_line(id))),
    "CreateOrder": lambda c, id: c.orders.CreateOrder(orders.CreateOrderRequest(line_items=_line(id))),
    "PlaceOrder": lambda c, id: c.checkout.PlaceOrder(checkout_service_pb2.PlaceOrderRequest(line_items=_line(id))),
}
"""Of what is shown but not active they say so (PRODUCT_INACTIVE): it may have been in the cart before."""
OF_PLACES: dict[str, Call] = {
    "GetCatalog": lambda c, id: c.catalogs.GetCatalog(catalogs.GetCatalogRequest(catalog_id=id)),
    "ListCatalogs": lambda c, id: c.catalogs.ListCatalogs(
        catalogs.ListCatalogsRequest(filter=f'id = "{id}"', include_total=True)
    ),
    "GetCategory": lambda c, id: c.categories.GetCategory(categories.GetCategoryRequest(category_id=id)),
    "ListCategories": lambda c, id: c.categories.ListCategories(
        categories.ListCategoriesRequest(filter=f'id = "{id}" OR catalog_id = "{id}"', include_total=True)
    ),
    "ListMyProducts of a catalog": lambda c, id: c.my_products.ListMyProducts(
        shops.ListMyProductsRequest(catalog_id=id, include_total=True)
    ),
    "ListMyProducts of a category": lambda c, id: c.my_products.ListMyProducts(
        shops.ListMyProductsRequest(category_id=id, include_total=True)
    ),
}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def thieves(target_market: Target) -> AsyncIterator[list[Thief]]:
    """Those who are shown none of it."""
    made = await filled(target_market)
    yield made
    for thief in made:
        await thief.client.close()


async def heard(call: Awaitable[Any], id: str) -> str:
    """The answer, or all of the refusal, without the id that was asked for."""
    try:
        said = str(await call)
    except WaybillError as error:
        said = f"{error.code} {error.reason} {error.message} {error.fields} {error.rules} {sorted(error.metadata.items())}"
    return said.replace(f'"{id}"', "ID").replace(f"'{id}'", "ID").replace(f" {id} ", " ID ")


async def test_a_product_that_is_not_shown_is_answered_like_one_that_nobody_has(
    target_market: Target, thieves: list[Thief], tally: Tally
) -> None:
    for thief in thieves:
        for name, call in (OF_PRODUCTS | BY_ORDERS).items():
            nothing = await heard(call(thief.client, NOTHING), NOTHING)
            for id in (HIDDEN,) if name in BY_ORDERS else (HIDDEN, INACTIVE):
                assert await heard(call(thief.client, id), id) == nothing, f"{thief.name}: {name} of {id}"
                tally.count("ids of products that are not shown", 1)


async def test_a_catalog_or_category_that_is_not_shown_is_answered_like_one_that_nobody_has(
    target_market: Target, thieves: list[Thief], tally: Tally
) -> None:
    for thief in thieves:
        for name, call in OF_PLACES.items():
            nothing = await heard(call(thief.client, "vault-none"), "vault-none")
            for id in (VAULT, SHELF):
                assert await heard(call(thief.client, id), id) == nothing, f"{thief.name}: {name} of {id}"
            tally.count("ids of catalogs and categories that are not shown", 3)


async def test_no_search_filter_or_order_finds_what_is_not_shown(
    target_market: Target, thieves: list[Thief], tally: Tally
) -> None:
    asked: list[dict[str, Any]] = [
        *({"search": word} for word in ("ingot", "secret", "secret ing", "INGOT-OLD", "i")),
        {"filter": 'name : "ingot"'},
        {"filter": 'NOT id = "tongs"'},
        {"filter": "active = false"},
        {"filter": 'default_supplier_id = "northforge"'},
        *({"order_by": field} for field in ("id", "id desc", "update_time desc", "name desc", "create_time desc")),
        {"filter": 'id > "ingo" AND id < "ingou"', "order_by": "id"},
    ]
    for thief in thieves:
        for more in asked:
            shop = await thief.client.my_products.ListMyProducts(shops.ListMyProductsRequest(include_total=True, **more))
            found = {item.product.id for item in shop.products}
            assert (not found & {HIDDEN, INACTIVE}, shop.total_size) == (True, len(found)), (thief.name, more)
            tried = 1
            if "search" not in more:
                page = await thief.client.products.ListProducts(products.ListProductsRequest(include_total=True, **more))
                assert {product.id for product in page.products} == found
                assert page.total_size == len(found)
                tried = 2
            tally.count("searches, filters and orders for products that are not shown", tried)
        # What makes a product invisible is no field that one could ask for.
        for field in ("catalog_id", "category_id", "catalogs.id", "price", "available", "owner", "cost"):
            request = shops.ListMyProductsRequest(filter=f'{field} = "{VAULT}"')
            with pytest.raises(WaybillError) as error:
                await thief.client.my_products.ListMyProducts(request)
            assert [f.reason for f in error.value.fields] == ["FILTER_INVALID"], field
            tally.count("searches, filters and orders for products that are not shown", 1)


async def test_no_facet_counts_or_narrows_what_is_not_shown(target_market: Target, thieves: list[Thief], tally: Tally) -> None:
    gold = [my_product_pb2.FacetFilter(facet_id=METAL, values=["gold"])]
    counted = shops.ListMyProductsRequest(facet_ids=[METAL], include_total=True)
    narrowed = shops.ListMyProductsRequest(facet_filters=gold, include_facets=True, include_total=True)
    seen = await target_market.callers.market.people.gil.my_products.ListMyProducts(counted)
    assert [(value.value, value.count) for value in seen.facets[0].values] == [("gold", 1)]
    for thief in thieves:
        assert not (await thief.client.my_products.ListMyProducts(counted)).facets[0].values
        page = await thief.client.my_products.ListMyProducts(narrowed)
        assert (list(page.products), page.total_size) == ([], 0)
        assert not [value for facet in page.facets for value in facet.values]
        tally.count("facets of products that are not shown", 2)


async def test_a_page_token_of_somebody_who_is_shown_more_shows_no_more(
    target_market: Target, thieves: list[Thief], tally: Tally
) -> None:
    gil = target_market.callers.market.people.gil
    shop = await gil.my_products.ListMyProducts(shops.ListMyProductsRequest(page_size=1, order_by="id"))
    page = await gil.products.ListProducts(products.ListProductsRequest(page_size=1, order_by="id"))
    for thief in thieves:
        asked = shops.ListMyProductsRequest(page_size=1_000, order_by="id", page_token=shop.next_page_token)
        with pytest.raises(WaybillError) as error:
            await thief.client.my_products.ListMyProducts(asked)
        assert [f.reason for f in error.value.fields] == ["PAGE_TOKEN_INVALID"]
        try:
            listed = products.ListProductsRequest(page_size=1_000, order_by="id", page_token=page.next_page_token)
            shown = {product.id for product in (await thief.client.products.ListProducts(listed)).products}
        except WaybillError as refusal:
            assert [f.reason for f in refusal.fields] == ["PAGE_TOKEN_INVALID"]
        else:
            assert not shown & {HIDDEN, INACTIVE}
        tally.count("page tokens of others", 2)


async def test_the_stock_of_what_is_not_shown_is_not_named_in_an_order_either(
    target_market: Target, thieves: list[Thief], tally: Tally
) -> None:
    """A line may name the inventory record that it is taken from."""
    thief = thieves[0]
    said = []
    for number, record in enumerate((f"{HIDDEN}-stock", f"{NOTHING}-stock")):
        id = f"SPY-{number}"
        line = line_item_pb2.LineItem(product_id="tongs", quantity=1, inventory_record_id=record)
        made = order_pb2.Order(id=id, shipping_address=PLACE)
        try:
            await thief.client.orders.CreateOrder(orders.CreateOrderRequest(order=made, line_items=[line]))
            estimate = checkout_service_pb2.EstimateShippingRequest(order_id=id)
            said.append((await heard(thief.client.checkout.EstimateShipping(estimate), id)).replace(record, "RECORD"))
        except WaybillError as error:
            said.append(f"{error.reason} {error.fields}".replace(record, "RECORD"))
    assert said[0] == said[1]
    tally.count("ids of products that are not shown", 1)
