"""The composed system from the project's image: the demo's story, exact to the cent, with two replicas of order."""

from __future__ import annotations

import json
from typing import Any

from services.host.contexts import CONTEXTS
from services.host.sample.marketplace import PASSWORD, SHOP
from tests.support.composed import Composed, docker
from tests.support.marketplace import get
from waybill.order.v1 import order_pb2

TOTALS = {
    "subtotal": "2846.30 USD",
    "discount": "0.00 USD",
    "shipping_cost": "388.46 USD",
    "tax": "206.37 USD",
    "total": "3441.13 USD",
}


def _inspected(system: Composed) -> None:
    servers = [argument for many in system.addresses.values() for argument in ("--server", ",".join(many))]
    checked = system.waybill("check", *servers)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "invariants OK" in checked.stdout


def test_every_container_is_healthy_and_published_on_loopback_alone(system: Composed) -> None:
    services = [c for c in system.containers() if c["Config"]["Labels"]["com.docker.compose.service"] in CONTEXTS]
    assert {c["State"]["Health"]["Status"] for c in services} == {"healthy"}
    assert {context: len(many) for context, many in system.addresses.items()} == {**dict.fromkeys(CONTEXTS, 1), "order": 2}
    published = [b["HostIp"] for c in system.containers() for many in c["NetworkSettings"]["Ports"].values() for b in many or []]
    assert set(published) == {"127.0.0.1"}


def test_the_databases_were_migrated_by_a_job_that_has_ended(system: Composed) -> None:
    (job,) = [c for c in system.containers() if c["Config"]["Labels"]["com.docker.compose.service"] == "migrate"]
    assert (job["State"]["Status"], job["State"]["ExitCode"]) == ("exited", 0)
    assert set(CONTEXTS) <= set(docker("logs", job["Id"]).split())


def test_the_demo_completes_with_exact_totals_and_four_supplier_orders(story: dict[str, Any]) -> None:
    assert story["ok"]
    assert story["check"]["ok"]
    assert story["order"]["status"] == "COMPLETED"
    assert {name: story["order"][name] for name in TOTALS} == TOTALS
    assert [(s["supplier"], s["status"], s["total"]) for s in story["supplier_orders"]] == [
        ("northforge", "COMPLETED", "1034.88 USD"),
        ("lumenworks", "COMPLETED", "432.77 USD"),
        ("wh-east", "COMPLETED", "1019.63 USD"),
        ("wh-west", "COMPLETED", "953.85 USD"),
    ]


def test_both_replicas_of_order_took_part_in_it(system: Composed, story: dict[str, Any]) -> None:
    replicas = system.replicas("order")
    assert len(replicas) == 2
    for replica in replicas:
        lines = [json.loads(line) for line in docker("logs", replica).splitlines() if line.startswith("{")]
        assert any("/waybill.order.v1." in str(line) for line in lines), f"{replica} was never called for {story['order']['id']}"


async def test_orders_are_placed_while_a_replica_is_gone(system: Composed, story: dict[str, Any]) -> None:
    gone = system.replicas("order")[0]
    docker("kill", gone)
    async with system.client(SHOP, username="ada", password=PASSWORD) as ada:
        placed = [await ada.place_order({"tape": 1}, id=f"ALONE-{number}") for number in range(4)]
    assert {order.status for order in placed} == {order_pb2.ORDER_STATUS_OPEN}
    docker("start", gone)
    system.up()
    _inspected(system)


async def test_it_is_well_again_after_postgresql_was_killed(system: Composed, story: dict[str, Any]) -> None:
    (database,) = system.replicas("database")
    docker("kill", database)
    docker("start", database)
    system.up()
    async with system.client(SHOP, username="ada", password=PASSWORD) as ada:
        order = await ada.place_order({"tape": 1}, id="AFTERWARDS")
    assert order.status == order_pb2.ORDER_STATUS_OPEN
    _inspected(system)


async def test_what_was_done_outlives_the_containers(system: Composed, story: dict[str, Any]) -> None:
    owners = system.client_secret
    system.down()
    assert system.containers() == []
    started = system.up()
    assert "client_secret" not in started
    async with system.client("waybill-admin", owners) as owner:
        kept = await get(owner, story["order"]["id"])
    assert kept.status == order_pb2.ORDER_STATUS_COMPLETED
    _inspected(system)
