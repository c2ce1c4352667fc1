"""Which products a buyer's user sees: the condition of the database says what the pure rule says."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import sqlalchemy as sa

from libs.errors import WaybillError
from services.catalog.adapters.db import tables
from services.catalog.domain.catalogs.visibility import Grant, Node, Placed, Reach, sees, sight_of
from tests.integration.catalog.conftest import NOW
from tests.integration.catalog.world import MAIN, World, category, fields_of
from tests.support.principals import buyer, seller
from waybill.catalog.v1 import category_service_pb2 as categories_pb
from waybill.catalog.v1 import product_assignment_service_pb2 as placing_pb
from waybill.catalog.v1 import product_service_pb2 as pb
from waybill.catalog.v1.category_pb2 import CategoryAssignmentKey
from waybill.catalog.v1.product_assignment_pb2 import CategoryProductKey, ProductAssignment

GROUPS = ("", "g", "h")
CATALOGS, CATEGORIES, PRODUCTS = 4, 12, 60


async def test_a_marketplace_by_chance_is_shown_as_the_rule_says(world: World):
    chance = random.Random(20260302)
    catalogs = {f"c{i}": (chance.random() < 0.8, chance.random() < 0.2) for i in range(CATALOGS)}
    given = {id: (chance.random() < 0.5, chance.random() < 0.2) for id in catalogs if chance.random() < 0.75}
    nodes: list[Node] = []
    for i in range(CATEGORIES):
        catalog = chance.choice(sorted(catalogs))
        above = [node.id for node in nodes if node.catalog_id == catalog]
        nodes.append(Node(f"k{i}", catalog, chance.choice(["", *above]), chance.random() < 0.85))
    grants = [
        (party, Grant(node.id, group, chance.random() < 0.6, chance.random() < 0.6))
        for node in nodes
        for party in ("acme", "globex")
        for group in GROUPS
        if chance.random() < 0.25
    ]
    products: dict[str, Placed] = {}
    for i in range(PRODUCTS):
        stands = frozenset(id for id in catalogs if chance.random() < 0.4)
        shelves = frozenset(n.id for n in nodes if n.catalog_id in stands and chance.random() < 0.2)
        shown = frozenset((p, g) for p in ("acme", "globex") for g in GROUPS if chance.random() < 0.1)
        products[f"p{i:02}"] = Placed(chance.random() < 0.9, stands, shelves, shown)
    await _store(world, catalogs, given, nodes, grants, products)

    for groups in ((), ("g",), ("g", "h")):
        reaches = [
            Reach.of(id, opened, *given.get(id, (False, False)))
            for id, (active, opened) in catalogs.items()
            if active and (opened or id in given)
        ]
        mine = [g for party, g in grants if party == "acme" and g.group_id in ("", *groups)]
        sight = sight_of("acme", groups, reaches, nodes, mine)
        expected = [id for id, product in products.items() if sees(sight, product)]
        assert await world.seen(replace(buyer(), groups=frozenset(groups)), page_size=1_000) == expected
        assert 0 < len(expected) < PRODUCTS


async def _store(world: World, catalogs, given, nodes, grants, products) -> None:
    common = {"description": "", "xp": {}, "version": 1, "create_time": NOW, "update_time": NOW}
    rows = {
        tables.CATALOGS: [
            {"id": id, "name": id, "active": a, "open_to_all_buyers": o, "takes_new_products": False, **common}
            for id, (a, o) in catalogs.items()
        ],
        tables.CATEGORIES: [
            {"id": n.id, "name": n.id, "catalog_id": n.catalog_id, "parent_id": n.parent_id, "active": n.active, "list_order": 0}
            | common
            for n in nodes
        ],
        tables.CATALOG_ASSIGNMENTS: [
            {"catalog_id": id, "buyer_id": "acme", "view_all_categories": c, "view_all_products": p}
            for id, (c, p) in given.items()
        ],
        tables.CATEGORY_ASSIGNMENTS: [
            {"category_id": g.category_id, "buyer_id": party, "user_group_id": g.group_id, "visible": g.visible}
            | {"view_all_products": g.all_products}
            for party, g in grants
        ],
        tables.CATALOG_PRODUCTS: [{"catalog_id": c, "product_id": id} for id, p in products.items() for c in p.catalogs],
        tables.CATEGORY_PRODUCTS: [
            {"category_id": c, "product_id": id, "list_order": 0} for id, p in products.items() for c in p.categories
        ],
        tables.PRODUCT_ASSIGNMENTS: [
            {"product_id": id, "buyer_id": b, "user_group_id": g} for id, p in products.items() for b, g in p.shown_to
        ],
    }
    await world.close_main()
    await world.make_products(*(id for id, p in products.items() if p.active))
    await world.make_products(*(id for id, p in products.items() if not p.active), active=False)
    async with world.app.database.transaction() as tx:
        for table, values in rows.items():
            await tx.execute(sa.insert(table), values)


async def test_a_buyer_sees_by_get_list_and_look_up_what_catalogs_show_it_and_nothing_else(world: World):
    await world.make_products("anvil", "lamp", "tongs")
    await world.close_main()
    await world.make_catalog("trade")
    await world.put("trade", "anvil", "lamp")
    await world.give("trade", products=True)

    assert await world.seen() == ["anvil", "lamp"]
    assert await world.seen(buyer(party="globex")) == []
    assert await world.seen(seller()) == ["anvil", "lamp", "tongs"]
    stub = world.products(buyer())
    assert (await stub.GetProduct(pb.GetProductRequest(product_id="lamp"))).product.id == "lamp"
    with pytest.raises(WaybillError) as caught:
        await stub.GetProduct(pb.GetProductRequest(product_id="tongs"))
    assert caught.value.reason == "RESOURCE_NOT_FOUND"
    found = await stub.BatchGetProducts(pb.BatchGetProductsRequest(product_ids=["tongs", "anvil"]))
    assert ([p.id for p in found.products], list(found.missing_product_ids)) == (["anvil"], ["tongs"])
    await world.take("trade", "lamp")
    assert await world.seen() == ["anvil"]


async def test_a_product_is_shown_on_a_shelf_or_by_an_assignment_to_the_buyer_or_a_group(world: World):
    await world.make_products("anvil", "lamp", "tongs", "tarp")
    await world.close_main()
    await world.give(MAIN)
    await world.make_categories(category("top"), category("leaf", parent="top"))
    await world.shelve("leaf", "anvil")
    await world.show("top")
    await world.show_product("lamp")
    await world.show_product("tongs", group="night-shift")

    assert await world.seen() == ["anvil", "lamp"]
    assert await world.seen(replace(buyer(), groups=frozenset({"night-shift"}))) == ["anvil", "lamp", "tongs"]


async def test_a_service_asks_for_a_customer_and_hears_of_inactive_products_too(world: World):
    await world.make_products("anvil")
    await world.make_products("off", active=False)
    await world.make_products("hidden")
    await world.close_main()
    await world.make_catalog("trade")
    await world.put("trade", "anvil", "off")
    await world.give("trade", products=True)
    everything = ("anvil", "off", "hidden")

    assert await world.looked_up(*everything) == ["anvil", "hidden", "off"]
    assert await world.looked_up(*everything, buyer_id="acme", user_id="anna") == ["anvil", "off"]
    assert await world.looked_up(*everything, buyer_id="acme") == ["anvil", "off"]
    assert await world.looked_up(*everything, buyer_id="globex", user_id="gil") == []


async def test_the_directory_is_asked_for_groups_where_they_can_matter_and_the_token_does_not_say(world: World):
    await world.make_products("anvil")
    world.memberships.groups["anna"] = ["night-shift"]

    async def found(**more) -> tuple[list[str], int]:
        before = len(world.memberships.asked)
        return await world.looked_up("anvil", buyer_id="acme", user_id="anna", **more), len(world.memberships.asked) - before

    assert await found() == (["anvil"], 0)
    await world.close_main()
    await world.give(MAIN)
    assert await found() == ([], 0)
    await world.show_product("anvil", group="night-shift")
    assert await found() == (["anvil"], 1)
    assert await found(acting=replace(buyer(), groups=frozenset({"night-shift"}))) == (["anvil"], 0)
    assert await found(acting=replace(buyer(), groups=None)) == (["anvil"], 1)
    assert await found(acting=buyer()) == ([], 0)


async def test_only_services_ask_for_others(world: World):
    with pytest.raises(WaybillError) as caught:
        await world.products(seller()).BatchGetProducts(pb.BatchGetProductsRequest(product_ids=["a"], buyer_id="acme"))
    assert fields_of(caught) == [("buyer_id", "FIELD_INVALID")]
    with pytest.raises(WaybillError) as caught:
        await world.looked_up("a", user_id="no id")
    assert fields_of(caught) == [("buyer_id", "FIELD_REQUIRED"), ("user_id", "ID_INVALID")]


async def test_statements_do_not_grow_with_categories_assignments_and_products(world: World):
    await world.close_main()
    await world.give(MAIN)

    async def statements() -> int:
        before = world.served.statements
        await world.seen()
        return world.served.statements - before

    await world.make_products("first")
    await world.make_categories(category("top"))
    few = await statements()
    await world.make_products(*(f"p{i}" for i in range(500)))
    await world.make_categories(*(category(f"k{i}", parent="top") for i in range(500)))
    for i in range(3):
        await world.show(f"k{i}")
        await world.shelve(f"k{i}", *(f"p{j}" for j in range(200)))

    assert await statements() == few
    assert len(await world.seen(page_size=1_000)) == 200


async def test_what_was_given_is_listed_and_once_it_is_taken_back_nobody_sees_by_it(world: World):
    await world.make_catalog("trade", active=True)
    await world.close_main()
    await world.make_categories(category("tools", "trade"), category("parts", "trade"))
    await world.make_products("anvil", "bolt", "lamp")
    await world.put("trade", "anvil", "bolt", "lamp")
    await world.give("trade")
    await world.shelve("tools", "anvil")
    await world.shelve("parts", "bolt")
    for shown in ("tools", "parts"):
        await world.show(shown)
    await world.show_product("lamp")
    categories = await world.categories().ListCategoryAssignments(categories_pb.ListCategoryAssignmentsRequest())
    products = await world.placing().ListProductAssignments(placing_pb.ListProductAssignmentsRequest())
    assert sorted((a.category_id, a.buyer_id, a.visible) for a in categories.assignments) == [
        ("parts", "acme", True),
        ("tools", "acme", True),
    ]
    assert [(a.product_id, a.buyer_id) for a in products.assignments] == [("lamp", "acme")]
    assert await world.seen() == ["anvil", "bolt", "lamp"]

    shown = [CategoryAssignmentKey(category_id="tools", buyer_id="acme")]
    await world.categories().UnassignCategories(categories_pb.UnassignCategoriesRequest(assignments=shown))
    assert await world.seen() == ["bolt", "lamp"]
    shelved = [CategoryProductKey(category_id="parts", product_id="bolt")]
    await world.placing().UnassignCategoryProducts(placing_pb.UnassignCategoryProductsRequest(assignments=shelved))
    assert await world.seen() == ["lamp"]
    given = [ProductAssignment(product_id="lamp", buyer_id="acme")]
    await world.placing().UnassignProducts(placing_pb.UnassignProductsRequest(assignments=given))
    assert await world.seen() == []
