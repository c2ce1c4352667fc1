"""Price schedules are deleted while they price nothing."""

from __future__ import annotations

import asyncio

import pytest

from libs.errors import Kind, WaybillError
from tests.integration.pricing.world import rate, schedule
from tests.support.principals import seller
from waybill.pricing.v1 import price_schedule_service_pb2 as pb
from waybill.pricing.v1 import tax_rate_service_pb2 as rates_pb


async def goes(world, id="s", caller=None, **more):
    await world.schedules(caller).DeletePriceSchedule(pb.DeletePriceScheduleRequest(price_schedule_id=id, **more))


async def test_a_schedule_that_prices_products_is_refused_and_goes_once_it_prices_none(world):
    await world.add(schedule("s", "1"))
    await world.assign(("anvil", "", "s"), ("anvil", "acme", "s"), ("lamp", "", "s"))

    with pytest.raises(WaybillError) as refused:
        await goes(world)
    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "RESOURCE_IN_USE")
    assert refused.value.metadata["used_by"] == "product: 3 (anvil, anvil, lamp)"

    keys = [pb.PriceAssignmentKey(product_id=p, buyer_id=b) for p, b in (("anvil", ""), ("anvil", "acme"), ("lamp", ""))]
    await world.schedules().UnassignPriceSchedules(pb.UnassignPriceSchedulesRequest(assignments=keys))
    await goes(world, etag="1")
    with pytest.raises(WaybillError) as gone:
        await world.schedules().GetPriceSchedule(pb.GetPriceScheduleRequest(price_schedule_id="s"))
    assert gone.value.kind is Kind.MISSING


async def test_only_schedule_administrators_delete_schedules(world):
    with pytest.raises(WaybillError) as refused:
        await goes(world, caller=seller("TaxRateAdmin"))
    assert refused.value.metadata == {"role": "PriceScheduleAdmin"}


async def test_a_repeat_of_the_create_of_a_deleted_rate_is_not_found(world):
    request = rates_pb.CreateTaxRateRequest(tax_rate=rate("0.1", id="us"), request_id="c1")
    await world.rates().CreateTaxRate(request)
    await world.rates().DeleteTaxRate(rates_pb.DeleteTaxRateRequest(tax_rate_id="us", etag="1"))
    with pytest.raises(WaybillError) as gone:
        await world.rates().CreateTaxRate(request)
    assert gone.value.kind is Kind.MISSING


async def test_an_assignment_made_while_the_schedule_is_deleted_leads_nowhere_never(world):
    ids = [f"s{i}" for i in range(10)]
    await world.add(*(schedule(id, "1") for id in ids))
    for id in ids:
        found = await asyncio.gather(goes(world, id), world.assign((f"p-{id}", "", id)), return_exceptions=True)
        assert [getattr(one, "reason", "") for one in found] in (["RESOURCE_IN_USE", ""], ["", "PRICE_SCHEDULE_NOT_FOUND"])
