"""Simulations of an order's sourcing as messages."""

from __future__ import annotations

from collections.abc import Sequence

from libs.protoconv import money_out
from services.order.application.checkout.simulate_order_sourcing import Simulation
from services.order.contract.problems import problem_out
from services.order.domain.checkout.freight import Plan, Shippable
from services.order.rpc.checkout.convert_worksheet import assignment_out
from waybill.order.v1 import checkout_service_pb2 as pb


def simulation_out(made: Simulation) -> pb.SimulateOrderSourcingResponse:
    """The plans in the order in which fulfillment made them."""
    compared, currency = made.compared, made.order.currency
    shipped: Sequence[Shippable | None] = compared.shipped or [None] * len(compared.plans)
    return pb.SimulateOrderSourcingResponse(
        plans=[
            _plan(plan, found, currency, n == made.kept)
            for n, (plan, found) in enumerate(zip(compared.plans, shipped, strict=True))
        ],
        problems=[problem_out(p) for p in compared.problems],
    )


def _plan(plan: Plan, found: Shippable | None, currency: str, kept: bool) -> pb.SimulatedPlan:
    whole = found is not None and not found.problems
    return pb.SimulatedPlan(
        assignments=[assignment_out(a, with_origin=False) for a in plan],
        freight=money_out(found.freight, currency) if found is not None and whole else None,
        shipments=len(found.estimates) if found is not None and whole else 0,
        problems=[] if found is None else [problem_out(p) for p in found.problems],
        kept=kept,
    )
