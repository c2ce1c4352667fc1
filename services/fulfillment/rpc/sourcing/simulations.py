"""Simulations of sourcing between messages and values."""

from __future__ import annotations

from collections.abc import Sequence

from libs.errors import Violations
from services.fulfillment.application.sourcing.simulate_sourcing import Simulated, Wanted
from services.fulfillment.domain.sourcing.explain import Explained
from services.fulfillment.domain.sourcing.model import MAX_QUANTITY
from services.fulfillment.rpc.sourcing.messages import assignment_out, problem_out
from waybill.fulfillment.v1 import inventory_service_pb2 as pb
from waybill.fulfillment.v1 import reasons, sourcing_pb2

MAX_SIMULATED = 100
"""Lines of a simulation."""
MAX_CANDIDATES = 100
"""Candidates of a line that are answered."""


def wanted_in(found: Violations, messages: Sequence[pb.SimulatedLine]) -> list[Wanted]:
    """The lines of a request; each is known by its place."""
    if not messages:
        found.add("lines", reasons.FIELD_REQUIRED, "at least one line")
    if len(messages) > MAX_SIMULATED:
        found.add("lines", reasons.TOO_MANY_ITEMS, f"at most {MAX_SIMULATED}")
    return [_line(found, n, m) for n, m in enumerate(messages[:MAX_SIMULATED])]


def _line(found: Violations, n: int, m: pb.SimulatedLine) -> Wanted:
    field = f"lines[{n}]"
    found.check_id(f"{field}.product_id", m.product_id)
    for name in ("variant_id", "pickup_location_id", "inventory_record_id"):
        found.check_id(f"{field}.{name}", getattr(m, name), required=False)
    whole = 1 <= m.quantity <= MAX_QUANTITY
    found.require(f"{field}.quantity", whole, reasons.VALUE_OUT_OF_RANGE, f"must be 1 to {MAX_QUANTITY:,}")
    return Wanted(field, str(n), m.product_id, m.quantity, m.variant_id, m.pickup_location_id, m.inventory_record_id)


def simulated_out(count: int, s: Simulated) -> pb.SimulateSourcingResponse:
    """The answer, in the order of the request."""
    lines = [pb.SourcingExplanation() for _ in range(count)]
    for n, line in enumerate(lines):
        line.candidates.extend(_candidate(e) for e in s.candidates.get(str(n), ())[:MAX_CANDIDATES])
    for a in s.outcome.assignments:
        lines[int(a.line_item_id)].assignments.append(assignment_out(a, with_origin=False))
    for p in s.outcome.problems:
        lines[int(p.line_item_id)].problems.append(problem_out(p))
    others = [
        sourcing_pb2.SourcingPlan(assignments=[assignment_out(a, with_origin=False) for a in plan])
        for plan in s.outcome.alternatives
    ]
    return pb.SimulateSourcingResponse(lines=lines, alternatives=others)


def _candidate(e: Explained) -> pb.SourcingCandidate:
    excluded = "UNSPECIFIED" if e.excluded is None else e.excluded.value
    return pb.SourcingCandidate(
        inventory_record_id=e.stock.id,
        supplier_id=e.stock.supplier_id,
        location_id=e.stock.location_id,
        available=e.stock.available,
        excluded_by=pb.SourcingExclusion.Value(f"SOURCING_EXCLUSION_{excluded}"),
        place=e.place,
        behind_by=e.behind_by,
        quantity=e.quantity,
        quantity_exceeding=e.exceeding,
    )
