"""The log of administrative acts over the whole marketplace."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from services.host.contexts import CONTEXTS
from services.host.operate import audit
from services.host.remote.session import Operator
from tests.e2e.steps import ready
from tests.support.marketplace import Marketplace
from waybill.audit.v1 import audit_service_pb2 as pb
from waybill.catalog.v1 import product_pb2
from waybill.catalog.v1 import product_service_pb2 as products
from waybill.changes.v1 import change_service_pb2
from waybill.order.v1 import order_service_pb2
from waybill_client import AsyncWaybill


async def entries(owner: AsyncWaybill, context: str, filter: str = "") -> list[pb.AuditEntry]:
    request = pb.ListAuditEntriesRequest(context=context, filter=filter, page_size=1_000)
    return list((await owner.audit.ListAuditEntries(request)).entries)


async def counts(owner: AsyncWaybill) -> dict[str, int]:
    """Entries of every context."""
    found = {}
    for context in CONTEXTS:
        request = pb.ListAuditEntriesRequest(context=context, include_total=True, page_size=1)
        found[context] = (await owner.audit.ListAuditEntries(request)).total_size
    return found


@pytest.mark.on_sqlite
async def test_what_a_shopper_does_is_no_act_and_what_the_seller_does_to_the_order_is(shared_market: Marketplace) -> None:
    people = shared_market.people
    before = await counts(people.owner)
    await people.ada.place_order({"tape": 1}, id="AUDIT-1")
    await ready(people.ada, "AUDIT-2", [], tape=1)
    await people.ada.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="AUDIT-2"))
    assert await counts(people.owner) == before
    held = await people.sam.orders.HoldOrder(order_service_pb2.HoldOrderRequest(order_id="AUDIT-1", comment="wait"))
    hold = held.order.holds[0].id
    await people.sam.orders.ReleaseOrderHold(order_service_pb2.ReleaseOrderHoldRequest(order_id="AUDIT-1", hold_id=hold))
    await people.sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="AUDIT-1"))
    found = await entries(people.owner, "order", 'resource = "order" AND resource_id = "AUDIT-1"')
    assert list(dict.fromkeys(one.action for one in found)) == ["CancelOrder", "ReleaseOrderHold", "HoldOrder"]
    assert {(one.user_id, one.party.id, one.context) for one in found} == {("sam", "seller", "order")}
    # What fulfillment and payment did for it is no act of their own.
    now = await counts(people.owner)
    assert {context for context in CONTEXTS if now[context] != before[context]} == {"order"}


@pytest.mark.on_sqlite
async def test_acts_stand_in_the_log_of_their_context_whether_its_feed_is_on_or_off(market: Marketplace) -> None:
    owner = market.people.owner
    for enabled in (False, True):
        switch = change_service_pb2.SwitchChangeFeedRequest(context="catalog", enabled=enabled)
        await owner.changes.SwitchChangeFeed(switch)
        product = product_pb2.Product(id=f"audit-{enabled}", name="A", active=True)
        await owner.products.CreateProduct(products.CreateProductRequest(product=product))
        changed = product_pb2.Product(id=product.id, name="B", description="new")
        await owner.products.UpdateProduct(products.UpdateProductRequest(product=changed))
        found = await entries(owner, "catalog", f'resource_id = "{product.id}"')
        assert [(one.action, sorted(one.fields)) for one in found] == [
            ("UpdateProduct", ["description", "name"]),
            ("CreateProduct", []),
        ]
    found = await entries(owner, "catalog", 'resource = "change feed"')
    assert [(one.action, one.resource_id, one.user_id) for one in found[:2]] == [
        ("SwitchChangeFeed", "on", "owner"),
        ("SwitchChangeFeed", "off", "owner"),
    ]


async def test_the_command_lists_every_context_the_newest_first(
    sqlite_market: Marketplace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    people = sqlite_market.people
    await people.ada.place_order({"tape": 1}, id="AUDIT-3")
    await people.sam.orders.HoldOrder(order_service_pb2.HoldOrderRequest(order_id="AUDIT-3", comment="wait"))
    product = product_pb2.Product(id="audit-3", name="A", active=True)
    await people.owner.products.CreateProduct(products.CreateProductRequest(product=product))
    at: Any = Operator([people.owner])
    monkeypatch.setenv("COLUMNS", "300")
    assert await audit.list_entries(at, since="2020-01-01", limit=2, json=True) == 0
    newest = json.loads(printed(capsys))
    assert [(one["context"], one["action"]) for one in newest] == [("catalog", "CreateProduct"), ("order", "HoldOrder")]
    assert await audit.list_entries(at, user="sam", action="Hold*", id="AUDIT-3", json=True) == 0
    assert [one["resource_id"] for one in json.loads(printed(capsys))] == ["AUDIT-3"]
    assert await audit.list_entries(at, context=["order"], until="2020-01-01") == 0
    assert "nothing is in the log" in capsys.readouterr().out
    assert await audit.list_entries(at, context=["order"], resource="order") == 0
    assert "order AUDIT-3" in capsys.readouterr().out


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """The array that a command has printed, between lines of the log."""
    found = re.search(r"^\[\n.*?^\]", capsys.readouterr().out, re.MULTILINE | re.DOTALL)
    return found.group(0) if found else ""
