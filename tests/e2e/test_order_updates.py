"""UpdateOrder: what a mask names is changed and judged, everything else is left alone."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from services.host.sample.marketplace import CURRENCY
from tests.e2e.steps import DEPOT, refused, violations, xp
from tests.support.marketplace import Marketplace, create, get, lines
from waybill.directory.v1 import buyer_service_pb2
from waybill.order.v1 import checkout_service_pb2, order_pb2, order_service_pb2
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill, money


async def update(
    client: AsyncWaybill, id: str, *paths: str, etag: str = "", request_id: str = "", **fields: Any
) -> order_pb2.Order:
    """The order after an update; without paths those fields that are set."""
    request = order_service_pb2.UpdateOrderRequest(
        order=order_pb2.Order(id=id, etag=etag, **fields), update_mask={"paths": paths}, request_id=request_id
    )
    return (await client.orders.UpdateOrder(request)).order


async def overridden(market: Marketplace, id: str) -> order_pb2.Order:
    """An order of ada's whose shipping cost and tax the seller has overridden."""
    request = order_service_pb2.CreateOrderRequest(
        order=order_pb2.Order(
            id=id,
            from_party={"id": "acme"},
            from_user={"id": "ada"},
            shipping_cost_override=money("5", CURRENCY),
            tax_override=money("7", CURRENCY),
        ),
        line_items=lines(anvil=1),
    )
    return (await market.people.owner.orders.CreateOrder(request)).order


async def calculated(client: AsyncWaybill, id: str) -> order_pb2.Order:
    """An order that is estimated and calculated."""
    await create(client, id, anvil=1)
    await client.checkout.EstimateShipping(checkout_service_pb2.EstimateShippingRequest(order_id=id))
    answer = await client.checkout.CalculateOrder(checkout_service_pb2.CalculateOrderRequest(order_id=id))
    assert answer.worksheet.order.calculated
    return answer.worksheet.order


async def test_an_address_comes_from_the_book_or_is_given_for_once(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await create(ada, "WHERE", anvil=1)
    order = await update(ada, "WHERE", shipping_address=DEPOT, billing_address=DEPOT)
    assert (order.shipping_address_id, order.shipping_address.city, order.billing_address.city) == ("", "Reno", "Reno")
    order = await update(ada, "WHERE", shipping_address_id="hq-acme")
    assert (order.shipping_address_id, order.shipping_address.city) == ("hq-acme", "San Jose")
    # What a read brought along beside the mask is not meant.
    order = await update(ada, "WHERE", "shipping_address", shipping_address=DEPOT, shipping_address_id="hq-acme")
    assert (order.shipping_address_id, order.shipping_address.city) == ("", "Reno")
    order = await update(ada, "WHERE", "shipping_address_id")
    assert (order.shipping_address_id, order.HasField("shipping_address")) == ("", False)
    assert (await get(ada, "WHERE")).billing_address.city == "Reno"


async def test_a_buyer_that_ships_to_its_book_only_is_given_no_other_address(sqlite_market: Marketplace) -> None:
    await sqlite_market.people.owner.buyers.UpdateBuyer(
        buyer_service_pb2.UpdateBuyerRequest(
            buyer=buyer_service_pb2.Buyer(id="acme", restrict_addresses=True), update_mask={"paths": ["restrict_addresses"]}
        )
    )
    ada = sqlite_market.people.ada
    await create(ada, "STRICT", anvil=1)
    error = await refused(update(ada, "STRICT", shipping_address=DEPOT))
    assert violations(error) == {("order.shipping_address", "ADDRESS_RESTRICTED")}
    given = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(shipping_address=DEPOT))
    assert violations(await refused(ada.orders.CreateOrder(given))) == {("order.shipping_address", "ADDRESS_RESTRICTED")}
    assert (await update(ada, "STRICT", shipping_address_id="hq-acme")).shipping_address_id == "hq-acme"


async def test_an_update_with_an_address_under_its_request_id_is_answered_again(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    made = await create(ada, "AGAIN", anvil=1)
    first = await update(ada, "AGAIN", etag=made.etag, request_id="u-1", shipping_address=DEPOT)
    again = await update(ada, "AGAIN", etag=made.etag, request_id="u-1", shipping_address=DEPOT)
    assert (first.version, again.version) == (2, 2)
    await ada.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="AGAIN"))
    late = await update(ada, "AGAIN", etag=made.etag, request_id="u-1", shipping_address=DEPOT)
    assert (late.status, late.shipping_address.city) == (order_pb2.ORDER_STATUS_CANCELED, "Reno")
    error = await refused(update(ada, "AGAIN", etag=made.etag, request_id="u-1", shipping_address_id="hq-acme"))
    assert error.reason == "REQUEST_ID_REUSED"


async def test_an_override_is_changed_and_cleared_by_those_who_hold_its_role(shared_sqlite_market: Marketplace) -> None:
    owner = shared_sqlite_market.people.owner
    await overridden(shared_sqlite_market, "CHEAP")
    order = await update(owner, "CHEAP", shipping_cost_override=money("6", CURRENCY))
    assert (order.shipping_cost_override.units, order.tax_override.units) == (6, 7)
    order = await update(owner, "CHEAP", "shipping_cost_override", "tax_override")
    assert not order.HasField("shipping_cost_override")
    assert not order.HasField("tax_override")


@pytest.mark.parametrize(("field", "role"), [("shipping_cost_override", "OverrideShipping"), ("tax_override", "OverrideTax")])
async def test_an_override_is_neither_changed_nor_cleared_without_its_role(
    shared_sqlite_market: Marketplace, field: str, role: str
) -> None:
    ada = shared_sqlite_market.people.ada
    id = f"LOCKED-{role}"
    before = await overridden(shared_sqlite_market, id)
    amount = money("1", CURRENCY)
    for call in (update(ada, id, field), update(ada, id, field, **{field: amount}), update(ada, id, **{field: amount})):
        error = await refused(call)
        assert (error.code, error.metadata) == (grpc.StatusCode.PERMISSION_DENIED, {"role": role})
    assert (await get(ada, id)).version == before.version


async def test_what_the_mask_leaves_out_is_not_judged(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await overridden(shared_sqlite_market, "MASKED")
    bad: dict[str, Any] = {
        "shipping_cost_override": money("-1", "EUR"),
        "shipping_address": Address(),
        "xp": xp(text="x" * 9_000),
    }
    order = await update(ada, "MASKED", "comments", comments="ring twice", **bad)
    assert (order.comments, order.shipping_cost_override.units, dict(order.xp)) == ("ring twice", 5, {})


async def test_everything_wrong_with_an_update_is_named_at_once(shared_sqlite_market: Marketplace) -> None:
    owner = shared_sqlite_market.people.owner
    await overridden(shared_sqlite_market, "WRONG")
    await update(owner, "WRONG", xp=xp(a="x" * 5_000))
    error = await refused(
        update(
            owner,
            "WRONG",
            "shipping_address_id",
            "billing_address",
            "comments",
            "shipping_cost_override",
            "tax_override",
            "xp",
            "status",
            shipping_address_id="moon",
            billing_address=Address(country="US"),
            comments="a\x00b",
            shipping_cost_override=money("-1", CURRENCY),
            tax_override=money("1", "EUR"),
            xp=xp(b="x" * 5_000),
        )
    )
    assert violations(error) == {
        ("update_mask.paths[6]", "FIELD_INVALID"),
        ("order.shipping_address_id", "ADDRESS_NOT_FOUND"),
        ("order.billing_address.city", "FIELD_REQUIRED"),
        ("order.comments", "FIELD_INVALID"),
        ("order.shipping_cost_override", "AMOUNT_NEGATIVE"),
        ("order.tax_override", "CURRENCY_MISMATCH"),
        ("order.xp", "XP_TOO_LARGE"),
    }
    assert (await get(owner, "WRONG")).version == 2
    error = await refused(update(owner, "", comments="a\x00b"))
    assert violations(error) == {("order.id", "FIELD_REQUIRED"), ("order.comments", "FIELD_INVALID")}


async def test_a_mask_has_at_most_a_hundred_paths(shared_sqlite_market: Marketplace) -> None:
    await create(shared_sqlite_market.people.ada, "LONG", anvil=1)
    error = await refused(update(shared_sqlite_market.people.ada, "LONG", *["nonsense"] * 101))
    assert violations(error) == {("update_mask.paths", "TOO_MANY_ITEMS")}


@pytest.mark.on_sqlite
async def test_xp_is_merged_deeply_and_null_deletes_a_key(shared_market: Marketplace) -> None:
    ada = shared_market.people.ada
    await create(ada, "XP", anvil=1)
    await update(ada, "XP", xp=xp(erp={"id": 7, "state": "new"}, gift=True))
    order = await update(ada, "XP", xp=xp(erp={"state": "sent"}, gift=None))
    assert dict(order.xp["erp"]) == {"id": 7.0, "state": "sent"}
    assert "gift" not in order.xp


@pytest.mark.parametrize(
    ("fields", "stales"),
    [
        ({"shipping_address": DEPOT}, True),
        ({"shipping_cost_override": money("5", CURRENCY)}, True),
        ({"tax_override": money("5", CURRENCY)}, True),
        ({"xp": xp(a=1)}, True),
        ({"comments": "ring"}, False),
        ({"billing_address": DEPOT}, False),
    ],
)
async def test_an_update_stales_the_calculation_when_it_matters(
    shared_sqlite_market: Marketplace, fields: dict[str, Any], stales: bool
) -> None:
    id = f"STALE-{'-'.join(fields)}"
    await calculated(shared_sqlite_market.people.ada, id)
    assert (await update(shared_sqlite_market.people.owner, id, **fields)).calculated is not stales


async def test_only_xp_of_a_canceled_order_may_change(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    await create(ada, "GONE", anvil=1)
    await ada.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="GONE", comment="no money"))
    for fields in ({"comments": "no"}, {"shipping_address": DEPOT}, {"comments": "no", "xp": xp(a=1)}):
        error = await refused(update(ada, "GONE", **fields))
        assert (error.reason, error.metadata) == ("ORDER_STATUS_CONFLICT", {"order": "GONE", "status": "CANCELED"})
    assert dict((await update(ada, "GONE", xp=xp(synced=True))).xp) == {"synced": True}
