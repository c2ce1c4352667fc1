"""Cost schedules: what the seller pays suppliers, and who may know it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from libs.protoconv import time_out
from tests.integration.pricing.world import World, line, rate, schedule, usd
from tests.support.principals import buyer, supplier
from waybill.pricing.v1 import cost_schedule_service_pb2 as pb
from waybill.pricing.v1 import price_schedule_service_pb2 as schedules_pb
from waybill.pricing.v1 import pricing_service_pb2 as quotes_pb
from waybill.type.v1.tax_exemption_pb2 import TaxExemption

BOLT = supplier("PriceScheduleReader")
NUT = supplier("PriceScheduleReader", party="nut", user="nora")


def cost(id: str, supplier_id: str, product: str, *breaks: tuple[int, str], **fields: Any) -> pb.CostSchedule:
    """Breaks are (quantity, cost)."""
    currency = fields.pop("currency", "USD")
    made = [schedules_pb.PriceBreak(quantity=quantity, price=usd(price, currency)) for quantity, price in breaks]
    return pb.CostSchedule(id=id, supplier_id=supplier_id, product_id=product, currency=currency, price_breaks=made, **fields)


async def add(world: World, *made: pb.CostSchedule) -> None:
    await world.costs().BatchCreateCostSchedules(pb.BatchCreateCostSchedulesRequest(cost_schedules=made))


async def costs(world: World, *lines: Any, **fields: Any) -> list[tuple[str, str, int, int]]:
    found = await world.calculate(*lines, **fields)
    assert not found.problems
    return [(c.line_item_id, c.supplier_id, c.unit_cost.units, c.unit_cost.nanos) for c in found.costs]


async def refused(call: Any) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await call
    return error.value


async def test_a_calculation_has_the_costs_of_the_suppliers_that_its_lines_name(world: World) -> None:
    await world.price("anvil", (1, "10"))
    await add(
        world,
        cost("a", "bolt", "anvil", (1, "6"), (10, "5.125")),
        cost("b", "nut", "anvil", (1, "7")),
        cost("c", "gear", "anvil", (1, "8")),
        cost("e", "bolt", "anvil", (1, "9"), currency="EUR"),
    )
    asked = [
        line("l1", quantity=9, supplier_ids=["bolt", "nut"]),
        line("l2", quantity=10, supplier_ids=["bolt", "new"]),
        line("l3"),
    ]
    assert await costs(world, *asked) == [("l1", "bolt", 6, 0), ("l1", "nut", 7, 0), ("l2", "bolt", 5, 125_000_000)]
    by_hand = line("l1", unit_price_override=usd("1"), supplier_ids=["nut"])
    assert await costs(world, by_hand) == [("l1", "nut", 7, 0)]
    await add(world, cost("d", "bolt", "never-priced", (1, "2")))
    by_hand = line("l1", "never-priced", unit_price_override=usd("1"), supplier_ids=["bolt"])
    assert await costs(world, by_hand) == [("l1", "bolt", 2, 0)]


async def test_a_sale_lowers_a_cost_while_it_lasts(world: World) -> None:
    await world.price("anvil", (1, "10"))
    on_sale = cost("a", "bolt", "anvil", (1, "6"), sale_end_time=time_out(datetime(2000, 1, 1, tzinfo=UTC)))
    on_sale.price_breaks[0].sale_price.CopyFrom(usd("4"))
    await add(world, on_sale)
    assert await costs(world, line("l1", supplier_ids=["bolt"])) == [("l1", "bolt", 6, 0)]
    request = pb.UpdateCostScheduleRequest(cost_schedule=pb.CostSchedule(id="a"), update_mask=FieldMask(paths=["sale_end_time"]))
    await world.costs().UpdateCostSchedule(request)
    assert await costs(world, line("l1", supplier_ids=["bolt"])) == [("l1", "bolt", 4, 0)]


async def test_costs_take_a_statement_where_there_are_any_and_none_where_not(world: World) -> None:
    await world.price("anvil", (1, "10"))

    async def counted(*suppliers: str) -> int:
        before = world.served.statements
        await world.calculate(line("l1", supplier_ids=suppliers), line("l2", supplier_ids=suppliers))
        return world.served.statements - before

    without = await counted()
    assert await counted("bolt", "nut") == without
    await add(world, cost("a", "bolt", "anvil", (1, "6")), cost("b", "nut", "anvil", (1, "6")))
    assert (await counted("bolt", "nut"), await counted()) == (without + 1, without)


async def test_a_supplier_reads_its_own_and_nobody_else_but_the_seller_any(world: World) -> None:
    await add(world, cost("a", "bolt", "anvil", (1, "6")), cost("b", "nut", "anvil", (1, "7")))
    own = await world.costs(BOLT).ListCostSchedules(pb.ListCostSchedulesRequest(include_total=True))
    assert ([c.id for c in own.cost_schedules], own.total_size) == (["a"], 1)
    got = await world.costs(BOLT).GetCostSchedule(pb.GetCostScheduleRequest(cost_schedule_id="a"))
    assert got.cost_schedule.price_breaks[0].price == usd("6")
    foreign = await refused(world.costs(NUT).GetCostSchedule(pb.GetCostScheduleRequest(cost_schedule_id="a")))
    assert foreign.kind is Kind.MISSING
    shopper = buyer("PriceScheduleAdmin")
    for call in (
        world.costs(shopper).ListCostSchedules(pb.ListCostSchedulesRequest()),
        world.costs(supplier("PriceScheduleAdmin")).DeleteCostSchedule(pb.DeleteCostScheduleRequest(cost_schedule_id="a")),
    ):
        assert (await refused(call)).reason == "PARTY_NOT_ADMITTED"
    assert len((await world.costs().ListCostSchedules(pb.ListCostSchedulesRequest())).cost_schedules) == 2


async def test_what_is_wrong_with_a_cost_schedule_is_said_at_once(world: World) -> None:
    await add(world, cost("a", "bolt", "anvil", (1, "6")))
    made = [cost("b", "bolt", "anvil", (1, "5")), cost("c", "nut", "anvil", (2, "5")), cost("d", "", "anvil", (1, "-1"))]
    wrong = await refused(world.costs().BatchCreateCostSchedules(pb.BatchCreateCostSchedulesRequest(cost_schedules=made)))
    assert {(f.field, f.reason) for f in wrong.fields} >= {
        ("cost_schedules[0].product_id", "COST_SCHEDULE_EXISTS"),
        ("cost_schedules[1].price_breaks", "FIELD_INVALID"),
    }
    assert any(f.field == "cost_schedules[2].supplier_id" for f in wrong.fields)


async def test_quotes_show_no_cost_and_a_supplier_no_price_of_what_it_is_paid_for(world: World) -> None:
    await world.price("anvil", (1, "10"))
    await add(world, cost("a", "bolt", "anvil", (1, "6")))
    asked = quotes_pb.QuoteLinesRequest(currency="USD", lines=[line("l1", supplier_ids=["bolt"])])
    sold = await world.pricing(buyer()).QuoteLines(asked)
    assert [p.unit_price for p in sold.lines] == [usd("10")]
    assert "cost" not in str(sold)
    own = await world.pricing(BOLT).QuoteLines(asked)
    assert (list(own.lines), [p.reason for p in own.problems]) == ([], ["PRICE_MISSING"])
    assert [p.unit_price for p in (await world.pricing(NUT).QuoteLines(asked)).lines] == [usd("10")]


async def test_costs_of_a_thousand_lines_of_an_exempt_buyer_take_as_many_statements_as_those_of_one(world: World) -> None:
    ids = [f"p{n}" for n in range(1_000)]
    await world.add(*(schedule(id, "1.25") for id in ids))
    await world.assign(*((id, "", id) for id in ids))
    await add(world, *(cost(f"c{n}", "bolt", id, (1, "0.5")) for n, id in enumerate(ids)))
    await world.tax(rate("0.1"))
    counts = []
    for size in (1, 1_000):
        lines = [line(f"l{n}", id, supplier_ids=["bolt"]) for n, id in enumerate(ids[:size])]
        before = world.served.statements
        found = await world.calculate(*lines, tax_exemptions=[TaxExemption(country="US", certificate_id="C-1")])
        counts.append(world.served.statements - before)
        assert (len(found.lines), len(found.costs), len(found.problems)) == (size, size, 0)
    assert counts[0] == counts[1]
