"""What the order service has not acknowledged: sent, postponed, parked, retried, by any number of replicas."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from libs.errors import Kind, WaybillError
from libs.invariants import Fact
from services import roles
from tests.integration.fulfillment.world import World, line, status
from tests.support.gauges import gauges
from tests.support.principals import buyer, refusal_of, seller
from waybill.fulfillment.v1 import supplier_order_service_pb2 as svc
from waybill.operations.v1 import outbox_service_pb2 as pb


async def placed(world: World, count: int) -> list[str]:
    """Orders PO1, PO2 ... whose supplier orders are due to be reported."""
    await world.stock(("a", "drill", "", 1_000))
    ids = []
    for number in range(1, count + 1):
        _, (made,) = await world.placed(f"PO{number}", line())
        ids.append(made.id)
    world.clock.advance(timedelta(seconds=3))
    return ids


async def retry(world: World, id: str, kind: str = "supplier_order") -> Any:
    request = pb.RetryOutboxEntryRequest(context="fulfillment", kind=kind, id=id)
    return (await world.outbox().RetryOutboxEntry(request)).entry


async def accept(world: World, id: str) -> None:
    await world.supplier_orders().AcceptSupplierOrder(svc.AcceptSupplierOrderRequest(supplier_order_id=id))


async def test_a_rejected_report_parks_its_own_aggregate_and_no_other(world: World) -> None:
    ids = await placed(world, 9)
    world.orders.refused = {ids[3]}
    assert await world.background.reporting.relay_once() == 9
    assert sorted(id for id, _ in world.orders.received) == sorted(set(ids) - {ids[3]})
    (entry,) = await world.pending()
    assert (entry.context, entry.kind, entry.id, entry.sequence, entry.tries) == ("fulfillment", "supplier_order", ids[3], 1, 1)
    assert (entry.HasField("parked_time"), entry.HasField("due_time")) == (True, False)
    assert entry.error == f"MALFORMED_REQUEST: {ids[3]} is not understood"
    world.clock.advance(timedelta(days=1))
    assert await world.background.reporting.relay_once() == 0
    assert await world.pending("parked = true") == [entry]
    assert await world.pending("parked = false") == []
    assert (await gauges(world.app))["waybill_reports_parked"] == 1


async def test_a_parked_report_is_sent_again_when_an_operator_retries_it(world: World) -> None:
    (id,) = await placed(world, 1)
    world.orders.refused = {id}
    await world.background.reporting.relay_once()
    entry = await retry(world, id)
    assert (entry.HasField("parked_time"), entry.HasField("due_time")) == (False, True)
    assert await world.background.reporting.relay_once() == 1
    (entry,) = await world.pending("parked = true")
    world.orders.refused = set()
    await retry(world, id)
    await retry(world, id)
    assert await world.background.reporting.relay_once() == 1
    assert (await world.pending(), world.orders.received) == ([], [(id, 1)])
    with pytest.raises(WaybillError) as nothing:
        await retry(world, id)
    assert nothing.value.kind is Kind.MISSING


async def test_a_newer_state_of_a_parked_aggregate_is_sent_by_itself(world: World) -> None:
    (id,) = await placed(world, 1)
    world.orders.refused = {id}
    await world.background.reporting.relay_once()
    world.orders.refused = set()
    await accept(world, id)
    assert (await world.pending(), world.orders.received) == ([], [(id, 2)])


async def test_a_newer_state_that_is_rejected_again_is_parked_at_its_own_version(world: World) -> None:
    (id,) = await placed(world, 1)
    world.orders.refused = {id}
    await world.background.reporting.relay_once()
    await accept(world, id)
    assert [(e.sequence, e.HasField("parked_time")) for e in await world.pending()] == [(2, False)]
    world.clock.advance(timedelta(seconds=3))
    await world.background.reporting.relay_once()
    assert [(e.sequence, e.HasField("parked_time")) for e in await world.pending()] == [(2, True)]


async def test_an_order_service_that_does_not_answer_is_asked_ever_more_rarely_and_parks_nothing(world: World) -> None:
    (id,) = await placed(world, 1)
    world.orders.down = True
    waits = []
    for _ in range(8):
        assert await world.background.reporting.relay_once() == 1
        (entry,) = await world.pending("parked = false")
        waits.append((entry.due_time.ToDatetime() - world.clock.now().replace(tzinfo=None)).total_seconds())
        assert entry.error.startswith("TOO_MANY_CALLS")
        assert await world.background.reporting.relay_once() == 0
        world.clock.advance(timedelta(seconds=waits[-1]))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    world.orders.down = False
    assert await world.background.reporting.relay_once() == 1
    assert world.orders.received == [(id, 1)]


async def test_an_order_that_stays_unknown_is_parked_after_minutes(world: World) -> None:
    await world.stock(("a", "drill", "", 9))
    key, _ = await world.placed("PO1", line())
    world.orders.unknown = {key}
    tries = 0
    while not await world.pending("parked = true"):
        world.clock.advance(timedelta(minutes=1))
        tries += await world.background.reporting.relay_once()
    (entry,) = await world.pending()
    assert (entry.error, entry.tries, tries) == ("ORDER_UNKNOWN", 10, 10)


async def relayed(world: World, minutes: int) -> None:
    """A relay that looks every minute."""
    for _ in range(minutes):
        world.clock.advance(timedelta(minutes=1))
        await world.background.reporting.relay_once()


async def test_a_report_that_the_order_service_fails_at_again_and_again_is_parked_and_no_other(world: World) -> None:
    ids = await placed(world, 9)
    world.orders.fatal = {ids[3]}
    await relayed(world, 4)
    assert sorted(id for id, _ in world.orders.received) == sorted(set(ids) - {ids[3]})
    (entry,) = await world.pending("parked = false")
    assert (entry.id, entry.error.partition(":")[0]) == (ids[3], "INTERNAL x1")
    await relayed(world, 8)
    assert await world.pending("parked = true") == []
    await relayed(world, 1)
    (entry,) = await world.pending("parked = true")
    assert (entry.id, entry.error.partition(":")[0]) == (ids[3], "INTERNAL x10")
    await relayed(world, 1)
    assert await world.pending("parked = true") == [entry]
    world.orders.fatal = set()
    await retry(world, ids[3])
    await relayed(world, 1)
    assert (await world.pending(), world.orders.received[-1]) == ([], (ids[3], 1))


async def test_an_order_service_that_fails_at_everything_has_nothing_parked_and_gets_all_when_it_is_mended(world: World) -> None:
    ids = await placed(world, 3)
    world.orders.fatal = {"*"}
    await relayed(world, 20)
    entries = await world.pending()
    assert {(e.HasField("parked_time"), e.error.partition(":")[0]) for e in entries} == {(False, "INTERNAL x17")}
    world.orders.fatal = set()
    await relayed(world, 1)
    assert (await world.pending(), sorted(id for id, _ in world.orders.received)) == ([], sorted(ids))


async def test_relays_at_once_send_everything_once(world: World) -> None:
    ids = await placed(world, 12)
    relays = [world.background, world.another(), world.another()]
    taken = await asyncio.gather(*(relay.reporting.relay_once() for relay in relays))
    assert sum(taken) == 12
    assert sorted(world.orders.received) == sorted((id, 1) for id in ids)


async def test_a_slow_replica_keeps_what_it_took_and_nothing_is_sent_twice(world: World) -> None:
    ids = await placed(world, 5)
    other = world.another()

    async def meanwhile() -> None:
        world.clock.advance(timedelta(seconds=9))
        assert await other.reporting.relay_once() == 0

    world.orders.meanwhile = meanwhile
    assert await world.background.reporting.relay_once() == 5
    assert sorted(world.orders.received) == sorted((id, 1) for id in ids)


async def test_a_relay_paused_beyond_its_lease_does_no_harm_when_it_goes_on(world: World) -> None:
    first, second = await placed(world, 2)
    other = world.another()

    async def meanwhile() -> None:
        # The lease ends, another replica sends, a supplier order changes, and only then does the first one hear its no.
        world.clock.advance(timedelta(minutes=1))
        assert await other.reporting.relay_once() == 2
        await accept(world, second)
        world.orders.refused = {first, second}

    world.orders.meanwhile = meanwhile
    assert await world.background.reporting.relay_once() == 2
    assert await world.pending() == []
    assert sorted(world.orders.received) == [(first, 1), (second, 1), (second, 2)]


async def test_a_late_no_does_not_park_what_an_operator_has_retried(world: World) -> None:
    (id,) = await placed(world, 1)

    async def meanwhile() -> None:
        await retry(world, id)
        world.orders.refused = {id}

    world.orders.meanwhile = meanwhile
    await world.background.reporting.relay_once()
    (entry,) = await world.pending()
    assert (entry.HasField("parked_time"), entry.tries) == (False, 0)


async def test_an_acknowledgement_that_comes_late_hides_no_newer_state(world: World) -> None:
    (id,) = await placed(world, 1)

    async def meanwhile() -> None:
        world.orders.down = True
        await accept(world, id)
        world.orders.down = False

    world.orders.meanwhile = meanwhile
    assert await world.background.reporting.relay_once() == 1
    (entry,) = await world.pending()
    assert (entry.sequence, entry.delivered_sequence) == (2, 1)
    world.clock.advance(timedelta(seconds=3))
    await world.background.reporting.relay_once()
    (heard,) = world.orders.orders.values()
    assert (await world.pending(), status(heard)) == ([], "ACCEPTED")


async def test_shipments_are_parked_like_supplier_orders(world: World) -> None:
    (id,) = await placed(world, 1)
    world.orders.refused = {"S1"}
    await world.ship(items=[(id, "l1", 1)], id="S1")
    world.clock.advance(timedelta(seconds=3))
    await world.background.reporting.relay_once()
    assert [(e.kind, e.id) for e in await world.pending()] == [("shipment", "S1")]
    facts = [record async for record in world.app.inspected() if isinstance(record, Fact)]
    assert [(f.values["kind"], f.values["id"]) for f in facts if f.kind in ("parked", "unreported")] == [("shipment", "S1")]
    assert world.orders.received == [(id, 2)]
    world.orders.refused = set()
    await retry(world, "S1", "shipment")
    await world.background.reporting.relay_once()
    assert (await world.pending(), world.orders.received[-1][0]) == ([], "S1")


async def test_pending_changes_are_listed_in_pages(world: World) -> None:
    ids = await placed(world, 5)
    seen: list[str] = []
    token = ""
    while True:
        request = pb.ListOutboxEntriesRequest(page_size=2, page_token=token, order_by="id desc", contexts=["fulfillment"])
        answer = await world.outbox().ListOutboxEntries(request)
        assert len(answer.entries) <= 2
        seen += [entry.id for entry in answer.entries]
        token = answer.next_page_token
        if not token:
            break
    assert seen == sorted(ids, reverse=True)
    asked = pb.ListOutboxEntriesRequest(order_by="id desc", skip=3, include_total=True)
    answer = await world.outbox().ListOutboxEntries(asked)
    assert ([entry.id for entry in answer.entries], answer.total_size) == (seen[3:], 5)
    asked.skip = 9
    answer = await world.outbox().ListOutboxEntries(asked)
    assert (len(answer.entries), answer.total_size) == (0, 5)
    for wrong in ("fulfillment.x", "order.", "x"):
        with pytest.raises(WaybillError) as refused:
            await world.outbox().ListOutboxEntries(pb.ListOutboxEntriesRequest(page_token=wrong))
        assert refused.value.reason == "PAGE_TOKEN_INVALID"
    answer = await world.outbox().ListOutboxEntries(pb.ListOutboxEntriesRequest(contexts=["payment"]))
    assert not answer.entries


async def test_the_outbox_is_for_operators_of_the_marketplaces_owner(world: World) -> None:
    for caller in (seller(roles.INSPECTION_READER), buyer(roles.FULL_ACCESS)):
        with pytest.raises(WaybillError) as refused:
            await world.outbox(caller).ListOutboxEntries(pb.ListOutboxEntriesRequest())
        assert refused.value.metadata == refusal_of(caller, roles.OPERATIONS_ADMIN)[1]
        with pytest.raises(WaybillError) as refused:
            await world.outbox(caller).RetryOutboxEntry(pb.RetryOutboxEntryRequest())
        assert refused.value.metadata == refusal_of(caller, roles.OPERATIONS_ADMIN)[1]


async def test_a_relay_of_many_sends_the_same_statements_as_one_of_one(world: World) -> None:
    async def statements() -> int:
        before = world.served.statements
        await world.background.reporting.relay_once()
        return world.served.statements - before

    await world.stock(("a", "drill", "", 1_000))
    counts = []
    for many, number in ((1, 0), (20, 1)):
        for n in range(many):
            await world.placed(f"PO{number}-{n}", *(line(f"l{i}") for i in range(many)))
        world.clock.advance(timedelta(seconds=3))
        counts.append(await statements())
    assert counts[0] == counts[1]
