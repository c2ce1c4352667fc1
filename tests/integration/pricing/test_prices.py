"""QuoteLines and CalculateOrder."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from libs.errors import Kind, WaybillError
from libs.protoconv import time_out
from services.pricing.adapters.db import stores
from services.pricing.adapters.db.stores import SqlPriceStore
from services.pricing.adapters.db.tables import TAX_RATES
from services.pricing.domain.tax.rates import Destination
from tests.integration.pricing.conftest import NOW
from tests.integration.pricing.world import LA, line, rate, schedule, usd
from tests.support.principals import buyer, seller, supplier
from tests.support.problems import about
from waybill.pricing.v1 import order_pricing_service_pb2 as order_pb
from waybill.pricing.v1 import pricing_service_pb2 as pb
from waybill.pricing.v1 import redemption_service_pb2 as redemption_pb
from waybill.pricing.v1.order_pricing_service_pb2_grpc import OrderPricingServiceStub
from waybill.pricing.v1.redemption_service_pb2_grpc import RedemptionServiceStub
from waybill.type.v1.address_pb2 import Address

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def shipping(id, cost, **fields):
    return order_pb.PricingShipment(ship_estimate_id=id, cost=usd(cost), **fields)


async def quote(world, caller, *lines, **fields):
    asked = {"currency": "USD", **fields}
    return await world.pricing(caller).QuoteLines(pb.QuoteLinesRequest(lines=lines, **asked))


async def test_every_part_of_an_order_is_priced(world):
    await world.price("anvil", (1, "10.005"), (10, "9.99"))
    await world.price("soup", "3.33")
    await world.tax(
        rate("0.01"),
        rate("0.0725", region="CA"),
        rate("0.095", region="CA", postal_prefix="900"),
        rate("0", region="CA", tax_class="food"),
        rate("0.05", tax_class="shipping"),
    )
    nevada = Address(city="Reno", region="NV", postal_code="89501", country="US")
    berlin = Address(city="Berlin", country="DE")
    found = await world.calculate(
        line("l1", quantity=3),
        line("l2", quantity=10, destination=nevada),
        line("l3", "soup", 2, tax_class="food"),
        line("l4", "gift", unit_price_override=usd("5"), discount_override=usd("1.01")),
        line("l5", "soup", destination=berlin),
        shipments=[shipping("e1", "7.77"), shipping("e2", "10", destination=berlin)],
    )
    assert list(found.problems) == []
    assert found.price_time.ToDatetime(tzinfo=NOW.tzinfo) == NOW
    assert [
        (p.line_item_id, p.unit_price, p.subtotal, p.discount, p.tax, p.tax_rate.value, p.price_schedule_id) for p in found.lines
    ] == [
        ("l1", usd("10.005"), usd("30.02"), usd("0"), usd("2.85"), "0.095", "anvil"),
        ("l2", usd("9.99"), usd("99.90"), usd("0"), usd("1.00"), "0.01", "anvil"),
        ("l3", usd("3.33"), usd("6.66"), usd("0"), usd("0"), "0", "soup"),
        ("l4", usd("5"), usd("5"), usd("1.01"), usd("0.38"), "0.095", ""),
        ("l5", usd("3.33"), usd("3.33"), usd("0"), usd("0"), "0", "soup"),
    ]
    assert [(d.WhichOneof("source"), d.amount) for d in found.lines[3].discounts] == [("override", usd("1.01"))]
    assert [p.price_overridden for p in found.lines] == [False, False, False, True, False]
    assert [(s.ship_estimate_id, s.cost, s.discount, s.tax, s.tax_rate.value) for s in found.shipments] == [
        ("e1", usd("7.77"), usd("0"), usd("0.39"), "0.05"),
        ("e2", usd("10"), usd("0"), usd("0"), "0"),
    ]


async def test_a_currency_without_minor_unit_is_rounded_to_whole_units(world):
    await world.price("anvil", "99.5", currency="JPY")
    found = await world.calculate(line("l1", quantity=3), currency="JPY")
    assert found.lines[0].subtotal == usd("299", "JPY")


async def test_a_buyers_own_schedule_beats_the_default_and_nobody_elses(world):
    await world.add(schedule("list", "10"), schedule("deal", "8"), schedule("euro", "7", currency="EUR"))
    await world.assign(("anvil", "", "list"), ("anvil", "acme", "deal"), ("anvil", "globex", "euro"), ("odd", "acme", "deal"))

    async def price(buyer_id, product="anvil"):
        found = await world.calculate(line("l1", product), buyer_id=buyer_id)
        return found.lines[0].price_schedule_id if found.lines else found.problems[0].reason

    assert await price("acme") == "deal"
    assert await price("other") == "list"
    assert await price("") == "list"
    assert await price("globex") == "CURRENCY_MISMATCH"
    assert await price("acme", "odd") == "deal"
    assert await price("other", "odd") == "PRICE_MISSING"


async def test_all_problems_are_reported_with_their_lines_and_the_other_lines_are_priced(world):
    await world.price("limited", "1", min_quantity=2, max_quantity=5)
    await world.price("boxed", (6, "1"), (12, "1"), restricted_quantity=True)
    found = await world.calculate(
        line("low", "limited", 1),
        line("high", "limited", 6),
        line("box", "boxed", 7),
        line("lost", "unicorn"),
        line("gift", "unicorn", unit_price_override=usd("1"), discount_override=usd("1.01")),
        line("fine", "limited", 3),
        line("free", "limited", 6, unit_price_override=usd("0")),
    )
    assert [(about(p), p.reason) for p in found.problems] == [
        ("low", "QUANTITY_BELOW_MINIMUM"),
        ("high", "QUANTITY_ABOVE_MAXIMUM"),
        ("box", "QUANTITY_NOT_ALLOWED"),
        ("lost", "PRICE_MISSING"),
        ("gift", "DISCOUNT_ABOVE_SUBTOTAL"),
    ]
    assert [p.line_item_id for p in found.lines] == ["fine", "free"]


async def test_quantities_of_a_product_count_together_where_its_schedule_says_so(world):
    await world.price("nail", (1, "1"), (10, "0.5"), use_cumulative_quantity=True, min_quantity=5)
    found = await world.calculate(line("a", "nail", 4), line("b", "nail", 6))
    assert [p.unit_price for p in found.lines] == [usd("0.5")] * 2
    alone = await world.calculate(line("a", "nail", 4))
    assert [p.reason for p in alone.problems] == ["QUANTITY_BELOW_MINIMUM"]


async def test_a_change_of_price_holds_in_the_next_calculation(world):
    await world.price("anvil", "10")
    await world.add(schedule("new", "11"))
    assert (await world.calculate(line("l1"))).lines[0].unit_price == usd("10")
    await world.assign(("anvil", "", "new"))
    assert (await world.calculate(line("l1"))).lines[0].unit_price == usd("11")


async def test_sale_prices_and_tax_rates_hold_within_their_times(world):
    await world.price("anvil", (1, "10", "5"), sale_start_time=time_out(NOW + HOUR), sale_end_time=time_out(NOW + 2 * HOUR))
    await world.tax(rate("0.1", end_time=time_out(NOW + HOUR)), rate("0.2", start_time=time_out(NOW + HOUR)))
    seen = []
    for _ in range(3):
        (found,) = (await world.calculate(line("l1"))).lines
        seen.append((found.unit_price.units, found.on_sale, found.tax_rate.value))
        world.clock.advance(HOUR)
    assert seen == [(10, False, "0.1"), (5, True, "0.2"), (10, False, "0.2")]


async def test_an_order_beyond_the_largest_amount_is_a_problem_and_no_overflow(world):
    huge = Money(currency_code="USD", units=10**12)
    too_much = line("l1", quantity=1_000_000, unit_price_override=huge)
    found = await world.calculate(too_much, line("l2", unit_price_override=usd("1")))
    assert [(about(p), p.reason) for p in found.problems] == [("l1", "AMOUNT_TOO_LARGE")]
    assert [p.line_item_id for p in found.lines] == ["l2"]


async def test_a_thousand_lines_take_as_many_statements_as_one(world):
    ids = [f"p{i}" for i in range(1_000)]
    await world.add(*(schedule(id, "1.25") for id in ids))
    await world.assign(*((id, "", id) for id in ids))
    await world.tax(rate("0.1"), rate("0.05", tax_class="shipping"))

    def to(i):
        return Address(city="X", country="US", region="CA", postal_code=str(10_000 + i))

    async def statements(count):
        lines = [line(f"l{i}", id, destination=to(i)) for i, id in enumerate(ids[:count])]
        before = world.served.statements
        found = await world.calculate(*lines, shipments=[shipping(f"e{i}", "1") for i in range(count)])
        assert (len(found.lines), len(found.problems)) == (count, 0)
        calculated, before = world.served.statements - before, world.served.statements
        assert await world.reserve(*lines, attempt=count, expected={f"l{i}": "1.25" for i in range(count)}) == ("RESERVED", [])
        return calculated, world.served.statements - before

    assert await statements(1) == await statements(1_000) == (2, 2)


async def test_five_thousand_lines_are_priced_and_one_more_is_refused(world):
    await world.price("anvil", "1")
    found = await world.calculate(*(line(f"l{i}") for i in range(5_000)))
    assert len(found.lines) == 5_000
    with pytest.raises(WaybillError) as refused:
        await world.calculate(*(line(f"l{i}") for i in range(5_001)))
    assert [(f.field, f.reason) for f in refused.value.fields] == [("lines", "TOO_MANY_ITEMS")]


async def test_rates_of_other_places_classes_and_times_are_not_read(world, monkeypatch):
    await world.tax(
        *(rate("0.01", id=f"z{i}", postal_prefix=str(i)) for i in range(90_000, 90_500)),
        rate("0.02", id="us"),
        rate("0.03", id="ca", region="CA"),
        rate("0.04", id="food", tax_class="food"),
        rate("0.05", id="past", end_time=time_out(NOW)),
        rate("0.06", id="next", start_time=time_out(NOW + DAY)),
        rate("0.07", "CA", id="canada"),
    )
    read = []

    class Counting(stores.Rates):
        def __init__(self, rates):
            made = list(rates)
            read.append(sorted(r.id for r in made))
            super().__init__(made)

    monkeypatch.setattr(stores, "Rates", Counting)
    place = Destination("US", "CA", LA.postal_code)
    async with world.database.reading() as tx:
        rates = await SqlPriceStore(tx).rates([place], ["standard"], NOW)
        monkeypatch.setattr(stores, "MAX_PREFIXES", 3)
        all_rates = await SqlPriceStore(tx).rates([place], ["standard"], NOW)
        count = (await tx.execute(sa.select(sa.func.count()).select_from(TAX_RATES))).scalar_one()
    assert read[0] == ["ca", "us", "z90012"]
    assert len(read[1]) == count - 4
    assert rates.rate(place, "") == all_rates.rate(place, "")


@pytest.mark.parametrize("caller", [seller(), seller("OrderReader"), buyer(), supplier()])
async def test_anyone_signed_in_gets_a_quote_without_tax(world, caller):
    await world.price("anvil", "10")
    await world.tax(rate("0.1"))
    found = await quote(world, caller, line("l1", quantity=2, destination=LA), line("l2", "unicorn"))
    assert [(p.subtotal, p.price_schedule_id) for p in found.lines] == [(usd("20"), "anvil")]
    assert [(about(p), p.reason) for p in found.problems] == [("l2", "PRICE_MISSING")]


async def test_what_a_buyer_negotiated_is_seen_by_him_and_the_seller_only(world):
    await world.add(schedule("list", "10"), schedule("deal", "8"))
    await world.assign(("anvil", "", "list"), ("anvil", "acme", "deal"))

    async def seen(caller, buyer_id=""):
        return (await quote(world, caller, line("l1"), buyer_id=buyer_id)).lines[0].price_schedule_id

    assert await seen(buyer()) == await seen(buyer(), "acme") == await seen(seller(), "acme") == "deal"
    assert await seen(buyer(party="globex")) == await seen(supplier()) == await seen(seller()) == "list"
    for caller in (buyer(party="globex"), supplier(), supplier("FullAccess", party="acme")):
        with pytest.raises(WaybillError) as refused:
            await seen(caller, "acme")
        assert refused.value.kind is Kind.MISSING


async def test_everything_that_is_wrong_with_a_request_is_reported_at_once(world):
    with pytest.raises(WaybillError) as refused:
        await quote(
            world,
            seller(),
            line("", "a b", 0),
            line("l1", "a\0b", 1_000_001, tax_class="x" * 101),
            line("l2", unit_price_override=usd("-1"), discount_override=usd("1", "EUR")),
            line("l2", unit_price_override=Money(currency_code="USD", nanos=1)),
            buyer_id="a\0",
            currency="USD",
        )
    assert sorted((f.field, f.reason) for f in refused.value.fields) == [
        ("buyer_id", "ID_INVALID"),
        ("lines[0].line_item_id", "FIELD_REQUIRED"),
        ("lines[0].product_id", "ID_INVALID"),
        ("lines[0].quantity", "VALUE_OUT_OF_RANGE"),
        ("lines[1].product_id", "ID_INVALID"),
        ("lines[1].quantity", "VALUE_OUT_OF_RANGE"),
        ("lines[1].tax_class", "VALUE_OUT_OF_RANGE"),
        ("lines[2].discount_override", "CURRENCY_MISMATCH"),
        ("lines[2].unit_price_override", "AMOUNT_NEGATIVE"),
        ("lines[3].line_item_id", "DUPLICATE_ITEM"),
        ("lines[3].unit_price_override", "AMOUNT_TOO_PRECISE"),
    ]
    with pytest.raises(WaybillError) as currency:
        await quote(world, seller(), currency="XXQ")
    assert [(f.field, f.reason) for f in currency.value.fields] == [("currency", "FIELD_INVALID")]


@pytest.mark.parametrize("caller", [seller(), buyer()])
async def test_only_the_order_service_calculates_and_reserves(world, caller):
    made: list[tuple[Callable[[Any], Any], str]] = [
        (lambda kind: world.served.stub(kind, caller), "SERVICE_ONLY"),
        (lambda kind: world.served.service_stub(kind, "payment", caller), "SERVICE_NOT_ADMITTED"),
    ]
    for stub, reason in made:
        redemptions = stub(RedemptionServiceStub)
        for calling in (
            stub(OrderPricingServiceStub).CalculateOrder(order_pb.CalculateOrderRequest()),
            redemptions.ReserveRedemptions(redemption_pb.ReserveRedemptionsRequest()),
            redemptions.ConfirmRedemptions(redemption_pb.ConfirmRedemptionsRequest()),
            redemptions.ReleaseRedemptions(redemption_pb.ReleaseRedemptionsRequest()),
        ):
            with pytest.raises(WaybillError) as refused:
                await calling
            assert (refused.value.kind, refused.value.reason) == (Kind.DENIED, reason)


async def test_a_rate_holds_however_its_region_and_class_are_typed(world):
    await world.tax(rate("0.09975", "CA", region="Québec", tax_class="Livres É", postal_prefix="Ｇ1a"))
    typed = Address(city="Québec", region="QUE\u0301BEC", postal_code="g1a 0a2", country="CA")
    found = await world.calculate(
        line("l1", tax_class="livres e\u0301", unit_price_override=usd("100"), destination=typed),
        line("l2", tax_class="livres e", unit_price_override=usd("100"), destination=typed),
    )
    assert [priced.tax_rate.value for priced in found.lines] == ["0.09975", "0"]


async def test_an_order_that_is_taxed_nowhere_is_refused_once_there_is_any_rate(world):
    lost = line("l1", unit_price_override=usd("5"))

    async def reasons(**fields):
        found = await world.calculate(lost, shipments=[shipping("e1", "3")], destination=None, **fields)
        return [(p.subject, p.reason) for p in found.problems]

    zero = [redemption_pb.ExpectedPrice(line_item_id="l1", tax_rate=Decimal(value="0"))]
    assert await reasons() == []
    assert await world.reserve(lost, validate_only=True, expected_prices=zero) == ("UNSPECIFIED", [])
    await world.tax(rate("0.2", "FR"))
    missing = "TAX_DESTINATION_MISSING"
    assert await reasons() == [("line_items[l1]", missing), ("ship_estimates[e1]", missing)]
    assert await reasons(tax_overridden=True) == []
    assert await world.reserve(lost, validate_only=True, expected_prices=zero) == ("UNSPECIFIED", [("l1", missing)])
    assert not (await quote(world, seller(), lost)).problems
