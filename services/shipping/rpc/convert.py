"""Between the messages of ShippingService and the domain."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct

from libs import protoconv
from libs.errors import Violations
from libs.identify import folded
from services.shipping.application.estimate_shipping import Answer, Question
from services.shipping.domain.estimate import Estimate
from services.shipping.domain.estimate import Problem as Unshippable
from services.shipping.domain.grouping import Item
from services.shipping.domain.methods import Offer
from services.shipping.domain.rates import MAX_WEIGHT
from services.shipping.domain.selection import Selection
from services.shipping.domain.zones import Destination
from waybill.shipping.v1 import reasons
from waybill.shipping.v1 import shipping_service_pb2 as pb
from waybill.type.v1.address_pb2 import Address
from waybill.type.v1.problem_pb2 import Problem

MAX_ITEMS = 10_000
MAX_ALTERNATIVES = 7
MAX_QUANTITY = 10**12
_ZERO = Decimal(0)


def question_in(request: pb.EstimateShippingRequest) -> Question:
    """The order as the domain sees it. Raises with every violation at once."""
    found = Violations()
    found.check_id("buyer_id", request.buyer_id, required=False)
    found.check_id("client_id", request.client_id, required=False)
    protoconv.currency_in(found, "currency", request.currency)
    others = request.alternatives
    found.require("alternatives", len(others) <= MAX_ALTERNATIVES, reasons.TOO_MANY_ITEMS, f"at most {MAX_ALTERNATIVES}")
    count = len(request.items) + sum(len(plan.items) for plan in others)
    found.require("items", count <= MAX_ITEMS, reasons.TOO_MANY_ITEMS, f"at most {MAX_ITEMS:,} items at a time")
    if count > MAX_ITEMS:
        found.raise_if_any()
    known: dict[bytes, Destination] = {}
    ordered_to = _destination(request.ship_to, known) if request.HasField("ship_to") else None
    items = [_item(found, f"items[{i}]", item, ordered_to, known) for i, item in enumerate(request.items[:MAX_ITEMS])]
    alternatives = [
        [_item(found, f"alternatives[{n}].items[{i}]", item, ordered_to, known) for i, item in enumerate(plan.items)]
        for n, plan in enumerate(others[:MAX_ALTERNATIVES])
    ]
    found.raise_if_any()
    return Question(request.buyer_id, request.client_id, request.currency, ordered_to, items, alternatives)


def _item(
    found: Violations, where: str, item: pb.ShippingItem, ordered_to: Destination | None, known: dict[bytes, Destination]
) -> Item:
    found.check_id(f"{where}.line_item_id", item.line_item_id)
    found.require(f"{where}.quantity", 1 <= item.quantity <= MAX_QUANTITY, reasons.VALUE_OUT_OF_RANGE, "must be 1 or more")
    weight = _ZERO
    if item.weight_kg.value:
        weight = protoconv.decimal_in(found, f"{where}.weight_kg", item.weight_kg, _ZERO, MAX_WEIGHT)
    return Item(
        item.line_item_id,
        item.product_id,
        item.quantity,
        item.supplier_id,
        item.ship_from_id,
        weight,
        _destination(item.ship_to, known) if item.HasField("ship_to") else ordered_to,
        item.pickup_location_id,
    )


def _destination(address: Address, known: dict[bytes, Destination]) -> Destination:
    """The same for the same postal address, whichever address book it is from."""
    serialized = address.SerializeToString(deterministic=True)
    found = known.get(serialized)
    if found is None:
        texts = {k: v for k, v in protoconv.address_plain(address).items() if k not in ("id", "label", "phone")}
        key = repr(sorted((k, folded(v) if isinstance(v, str) else [folded(line) for line in v]) for k, v in texts.items()))
        found = known[serialized] = Destination(key, address.country, address.region, address.postal_code)
    return found


def selections_in(request: pb.CheckSelectionsRequest) -> list[Selection]:
    """What was selected. Raises with every violation at once."""
    found = Violations()
    found.check_id("buyer_id", request.buyer_id, required=False)
    found.check_id("client_id", request.client_id, required=False)
    asked = request.selections
    found.require("selections", len(asked) <= MAX_ITEMS, reasons.TOO_MANY_ITEMS, f"at most {MAX_ITEMS:,} at a time")
    for i, s in enumerate(asked[:MAX_ITEMS]):
        found.check_id(f"selections[{i}].ship_method_id", s.ship_method_id)
    found.raise_if_any()
    return [Selection(s.ship_estimate_id, s.ship_method_id, s.supplier_id, s.ship_from_id) for s in asked]


def _problem(reason: reasons.ReasonName, subject: str, description: str) -> Problem:
    return Problem(reason=reason, context="shipping", subject=subject, description=description)


def unavailable_out(found: Sequence[Selection]) -> pb.CheckSelectionsResponse:
    """The response: what may not be used any more."""
    return pb.CheckSelectionsResponse(
        problems=[
            _problem(
                reasons.SHIP_METHOD_UNAVAILABLE,
                f"ship_estimates[{s.estimate_id}]",
                f"ship method {s.method_id} may not be used any more",
            )
            for s in found
        ]
    )


def answer_out(answer: Answer, currency: str) -> pb.EstimateShippingResponse:
    """The response."""
    methods = _Methods(currency)
    return pb.EstimateShippingResponse(
        ship_estimates=[_estimate(found, methods) for found in answer.estimates],
        problems=_unshippable(answer.problems),
        rate_time=protoconv.time_out(answer.rate_time),
        alternatives=[
            pb.EstimatedPlan(ship_estimates=[_estimate(e, methods) for e in plan.estimates], problems=_unshippable(plan.problems))
            for plan in answer.alternatives
        ],
    )


def _unshippable(found: Sequence[Unshippable]) -> list[Problem]:
    return [_problem(p.reason, f"line_items[{p.line_item_id}]", p.description) for p in found]


def _estimate(estimate: Estimate, methods: _Methods) -> pb.ShipEstimate:
    group = estimate.group
    return pb.ShipEstimate(
        id=group.id,
        supplier_id=group.supplier_id or "",
        ship_from_id=group.ship_from_id or "",
        items=[pb.ShipEstimateItem(line_item_id=line, quantity=quantity) for line, quantity in group.lines],
        ship_methods=methods.of(estimate.offers),
        grouping=group.grouping.value.lower(),
        weight_kg=protoconv.decimal_out(group.weight),
    )


class _Methods:
    """Messages of offers, each made once: groups alike share their offers."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._made: dict[int, tuple[tuple[Offer, ...], list[pb.ShipEstimateMethod]]] = {}
        self._xp: dict[str, Struct | None] = {}

    def of(self, offers: tuple[Offer, ...]) -> list[pb.ShipEstimateMethod]:
        """In the same order. The offers are kept beside the messages, so that their identity stays theirs."""
        found = self._made.get(id(offers))
        if found is None:
            found = self._made[id(offers)] = (offers, [self._method(offer) for offer in offers])
        return found[1]

    def _method(self, offer: Offer) -> pb.ShipEstimateMethod:
        method = offer.method
        if method.id not in self._xp:
            self._xp[method.id] = protoconv.xp_out(method.xp)
        return pb.ShipEstimateMethod(
            id=method.id,
            name=method.name,
            carrier_id=method.carrier_id,
            pickup=method.pickup,
            cost=protoconv.money_out(offer.cost, self._currency),
            min_lead_time=Duration(seconds=offer.min_lead_time),
            max_lead_time=Duration(seconds=offer.max_lead_time),
            xp=self._xp[method.id],
            tax_included=offer.tax_included,
        )
