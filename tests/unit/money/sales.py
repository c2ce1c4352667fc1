"""Random orders, priced as a calculation prices them: pricing's rules first, then what the order service makes of the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import strategies as st

from libs.money import minor_unit
from services.fulfillment.domain.sourcing.model import Costs
from services.order.domain.checkout.amounts import freights, totals, with_gratuity, with_own_tax, with_totals
from services.order.domain.checkout.taxation import Places
from services.order.domain.checkout.worksheet import Estimate, LinePart, Method, ShippingPart
from services.order.domain.discounts import Discount, Override
from services.order.domain.fees import Fee, taxed
from services.order.domain.model import Order
from services.pricing.domain.calculation.calculate import Calculation, Shipment, calculate
from services.pricing.domain.calculation.costs import line_costs
from services.pricing.domain.calculation.fees import Fee as AskedFee
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.calculation.mark_ups import MarkUp, MarkUpType
from services.pricing.domain.schedules.schedule import Break, Schedule
from services.pricing.domain.tax.exemptions import Exemption, Exemptions
from services.pricing.domain.tax.rates import Destination, Rate, Rates
from tests.unit.order.builders import NOW, line, order

PRODUCTS = ("anvil", "bread", "course")
CLASSES = {"anvil": "standard", "bread": "food", "course": "standard"}
UNSHIPPED = "course"
"""It needs no shipment."""
SUPPLIERS = ("", "bolt", "nut")
"""The seller itself and two others."""
HERE = Destination("DE")


@dataclass(frozen=True, slots=True)
class Basket:
    """What is asked of pricing."""

    currency: str
    lines: tuple[Line, ...]
    schedules: Mapping[str, Sequence[Schedule]]
    rates: Rates
    exemptions: Exemptions

    def priced(self, shipments: Sequence[Shipment] = (), fees: Sequence[AskedFee] = ()) -> Calculation:
        """Its lines, with this shipping and these fees."""
        return calculate(
            self.currency, self.lines, shipments, HERE, self.schedules, self.rates, NOW, exemptions=self.exemptions, fees=fees
        )

    def exempt(self, tax_class: str) -> bool:
        """Whether the buyer is exempt from the tax on a class."""
        return self.exemptions.of(HERE, tax_class) is not None


@dataclass(frozen=True, slots=True)
class Sale:
    """An order with all its parts, as it is submitted."""

    basket: Basket
    calculation: Calculation
    order: Order
    lines: tuple[LinePart, ...]
    shipments: tuple[ShippingPart, ...]
    estimates: tuple[Estimate, ...]
    costs: Costs

    @property
    def with_seller(self) -> int:
        """What no supplier order has, but the seller: fees with their tax, and the gratuity."""
        return self.order.fee_total + self.order.fee_tax + self.order.gratuity


def amounts(currency: str, most: int = 5_000) -> st.SearchStrategy[int]:
    """Whole minor units, in micros."""
    return st.integers(0, most).map(lambda n: n * minor_unit(currency))


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    """Lines of one to four, whose prices include their tax or do not; the buyer may be exempt."""
    currency = draw(st.sampled_from(["EUR", "JPY", "KWD"]))
    schedules = {product: (draw(_schedules(product, currency)),) for product in PRODUCTS}
    rates = st.sampled_from(["0", "0.07", "0.19", "0.0825", "1"]).map(Decimal)
    taxes = Rates(Rate("DE", "", "", name, draw(rates)) for name in ("standard", "food", "shipping", "fees"))
    exempt = draw(st.sampled_from([None, None, "", "food", "standard", "shipping"]))
    exemptions = Exemptions([] if exempt is None else [Exemption("DE", "C-1", exempt)], NOW)
    lines = tuple(draw(_lines(f"l{n}", currency)) for n in range(draw(st.integers(1, 4))))
    plain = Basket(currency, lines, schedules, taxes, exemptions)
    # A discount by hand is at most what its line comes to, which is known once it is priced.
    parts = draw(st.lists(st.sampled_from([0, 0, 1, 33, 50, 99, 100]), min_size=len(lines), max_size=len(lines)))
    unit = minor_unit(currency)
    off = [p.subtotal // unit * part // 100 * unit for p, part in zip(plain.priced().lines, parts, strict=True)]
    return replace(plain, lines=tuple(replace(x, discount_override=d) for x, d in zip(lines, off, strict=True)))


@st.composite
def _schedules(draw: st.DrawFn, product: str, currency: str) -> Schedule:
    # Unit prices are exact to a micro: they may be finer than the currency.
    prices = st.integers(0, 9_999_999_999)
    breaks = [Break(1, draw(prices))]
    if draw(st.booleans()):
        breaks.append(Break(3, draw(prices)))
    return Schedule(product, currency, tuple(breaks), cumulative=draw(st.booleans()), tax_included=draw(st.booleans()))


@st.composite
def _lines(draw: st.DrawFn, id: str, currency: str) -> Line:
    product = draw(st.sampled_from(PRODUCTS))
    price = draw(st.none() | amounts(currency)) if draw(st.integers(0, 4)) == 0 else None
    marks = tuple(_mark_up(n, currency, *draw(_MARK_UPS)) for n in range(draw(st.integers(0, 2))))
    return Line(id, product, draw(st.integers(1, 7)), CLASSES[product], price, mark_ups=marks, supplier_ids=SUPPLIERS[1:])


_MARK_UPS = st.tuples(st.sampled_from(list(MarkUpType)), st.integers(0, 30_000_000))


def _mark_up(n: int, currency: str, type: MarkUpType, size: int) -> MarkUp:
    return MarkUp(f"spec{n}", "yes", type, {currency: size}, Decimal(size // 1_000).scaleb(-3))


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    """An order of a basket: shipping with and without methods, fees, what was set for the whole order, a gratuity."""
    basket = draw(baskets())
    rarely = st.none() | st.none() | amounts(basket.currency)
    made = order(
        currency=basket.currency,
        shipping_address={"country": "DE"},
        shipping_cost_override=draw(rarely),
        tax_override=draw(rarely),
        fees=draw(st.lists(amounts(basket.currency), max_size=2).map(_fees)),
    )
    shipped = [x for x in basket.lines if x.product_id != UNSHIPPED]
    estimates = draw(_estimates(shipped, basket.currency))
    chosen = [e for e in estimates if e.selected is not None]
    places = Places(made, [line(x.id, x.quantity, x in shipped) for x in basket.lines], ())
    charged = [Shipment(f.ship_estimate_id, f.cost, tax_included=f.tax_included) for f in freights(made, chosen, places)]
    calculation = basket.priced(charged, [AskedFee(f.id, f.amount, f.tax_class) for f in made.fees])
    assert not calculation.problems
    fees = taxed(made.fees, {f.id: (f.tax, f.tax_rate) for f in calculation.fees})
    lines, shipments, fees = with_own_tax(made, *_parts(calculation), fees)
    tipped = with_gratuity(replace(made, fees=fees), draw(amounts(basket.currency, 999)))
    summed = with_totals(tipped, totals(lines, shipments, fees))
    return Sale(basket, calculation, summed, lines, shipments, tuple(chosen), draw(_costs(basket)))


def _fees(sizes: Sequence[int]) -> tuple[Fee, ...]:
    return tuple(Fee(f"f{n}", "Handling", size, "food" if n else "fees") for n, size in enumerate(sizes))


def _parts(calculation: Calculation) -> tuple[list[LinePart], list[ShippingPart]]:
    """As the order service stores what pricing has answered."""
    lines = [
        LinePart(
            line_item_id=p.id,
            unit_price=p.price.unit,
            subtotal=p.subtotal,
            discounts=tuple(Discount(Override(), d.amount) for d in p.discounts),
            discount=p.discount,
            tax=p.tax,
            tax_rate=p.tax_rate,
            price_schedule_id="",
            line_mark_up=p.price.line,
            tax_included=p.price.tax_included,
            included_tax=p.included_tax,
        )
        for p in calculation.lines
    ]
    shipments = [
        ShippingPart(s.id, s.cost, s.tax, s.tax_rate, (), s.tax_included, s.included_tax, s.exempted_tax)
        for s in calculation.shipments
    ]
    return lines, shipments


@st.composite
def _estimates(draw: st.DrawFn, lines: Sequence[Line], currency: str) -> tuple[Estimate, ...]:
    """Every unit that is shipped is in one of two estimates at most, as often as not in none."""
    items: list[list[tuple[str, int]]] = [[], []]
    for one in lines:
        first = draw(st.integers(0, one.quantity))
        for which, units in enumerate((first, one.quantity - first)):
            if units:
                items[which].append((one.id, units))
    methods = [Method("m", "Ground", "ups", draw(amounts(currency)), 0, 0, tax_included=draw(st.booleans())) for _ in items]
    return tuple(
        Estimate(f"e{n}", "", "", tuple(mine), (method,), "", selected_method_id=draw(st.sampled_from(["m", "m", ""])))
        for n, (mine, method) in enumerate(zip(items, methods, strict=True))
        if mine
    )


@st.composite
def _costs(draw: st.DrawFn, basket: Basket) -> Costs:
    """What suppliers with cost schedules are paid for a unit of each line."""
    pairs = draw(st.sets(st.tuples(st.sampled_from(PRODUCTS), st.sampled_from(SUPPLIERS[1:]))))
    unit_costs = st.integers(0, 9_999_999)
    schedules = {
        pair: Schedule("cost", basket.currency, (Break(1, draw(unit_costs)), Break(4, draw(unit_costs))))
        for pair in sorted(pairs)
    }
    found: dict[str, dict[str, int]] = {}
    for cost in line_costs(basket.lines, schedules, NOW):
        found.setdefault(cost.line_id, {})[cost.supplier_id] = cost.unit
    return found
