"""What supplier orders are made of is what the buyer was charged with."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from libs.protoconv import money_micros
from services.order.adapters.clients.fulfillment import FulfillmentClient
from services.order.domain.checkout.amounts import charged, totals
from services.order.domain.checkout.worksheet import Estimate, Method, ShippingPart, Worksheet
from tests.unit.order.builders import line, order
from waybill.fulfillment.v1 import reservation_service_pb2 as pb

RATE = Decimal("0.1")


class Stub:
    """Keeps the order that it is asked to confirm."""

    kept = pb.OrderSnapshot()

    async def ConfirmReservation(self, request: pb.ConfirmReservationRequest) -> pb.ConfirmReservationResponse:
        self.kept = request.order
        return pb.ConfirmReservationResponse()


@pytest.mark.parametrize("own", [None, 0, 5_000_000, 900_000_000])
async def test_the_freight_of_the_estimates_is_the_orders_also_where_it_was_set(own: int | None) -> None:
    stub = Stub()
    peers: Any = SimpleNamespace(stub=lambda *_: stub)
    method = Method("ground", "Ground", "swift", 1_230_000, 1, 2)
    estimates = tuple(
        Estimate(f"e{n}", "", "", ((f"l{n}", 1),), (method,), "line", selected_method_id="ground") for n in range(3)
    )
    lines, sheet = [line(f"l{n}") for n in range(3)], Worksheet(estimates=estimates)
    wanted = order(shipping_cost_override=own, estimated_version=1)
    parts = tuple(
        ShippingPart(f.ship_estimate_id, f.cost, 10_000, RATE, (), True, f.cost // 7) for f in charged(wanted, lines, sheet)
    )
    sums = totals((), parts)
    wanted = order(shipping_cost_override=own, estimated_version=1, shipping_cost=sums.shipping_cost, tax=sums.tax)
    await FulfillmentClient(peers).confirm(wanted, lines, Worksheet(estimates=estimates, shipments=parts), 1)
    assert sum(money_micros(s.cost) for s in stub.kept.shipping) == money_micros(stub.kept.shipping_cost) == sums.shipping_cost
    assert sum(money_micros(s.tax) for s in stub.kept.shipping) == money_micros(stub.kept.tax)
    assert sum(money_micros(s.included_tax) for s in stub.kept.shipping) == sums.included_tax
    assert sums.shipping_cost == (3 * 1_230_000 if own is None else own)
