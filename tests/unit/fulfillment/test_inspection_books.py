"""What ledger, attempts, allocations and shipments of an order say of each other; what only looks different is no finding."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.fulfillment.adapters.db.invariants.books import RULES, Books

RECORD, ALLOCATION, SUPPLIER_ORDER = (uuid.UUID(int=n) for n in (1, 2, 3))
LEFT = datetime(2026, 1, 2, tzinfo=UTC)


def attempt(state: str = "CONFIRMED", units: int = 3, variant: str = "", taken: str | None = None) -> Any:
    """Of lamps of a variant; what is `taken` for it is of the same unless it says otherwise."""
    of = variant if taken is None else taken
    assigned = [["l1", "lamp", units, "north", "dock", RECORD.hex, "lamp-north", *([of] if of else [])]]
    lines = [{"l": "l1", "p": "lamp", "q": units, **({"variant_id": variant} if variant else {})}]
    return SimpleNamespace(attempt=1, kind="SUBMIT", state=state, lines=lines, assignments=assigned)


def movement(kind: str, on_hand: int = 0, reserved: int = 0, allocated: int = 0, **values: Any) -> Any:
    its = {"attempt": 1, "line_item_id": "l1", "record_key": RECORD, "shipment_id": "", **values}
    return SimpleNamespace(kind=kind, on_hand=on_hand, reserved=reserved, allocated=allocated, **its)


def allocation(quantity: int = 3, packed: int = 0, shipped: int = 0, shippable: bool = True, variant: str = "") -> Any:
    units = {"quantity": quantity, "packed": packed, "shipped": shipped, "shippable": shippable}
    its = {"key": ALLOCATION, "supplier_order_key": SUPPLIER_ORDER, "line_item_id": "l1", "record_key": RECORD}
    return SimpleNamespace(**units, **its, variant_id=variant)


def item(quantity: int, drawn: int | None = None, **values: Any) -> Any:
    its = {"supplier_order_key": SUPPLIER_ORDER, "line_item_id": "l1", "status": "OPEN", "ship_time": None, "void_time": None}
    draws = [[ALLOCATION.hex, RECORD.hex, drawn or quantity]]
    return SimpleNamespace(**{"id": "parcel", "quantity": quantity, "draws": draws, **its, **values})


def supplier_order(number: int = 1, shipping: int = 0, tax: int = 0, chosen: tuple[int, int] | None = None, **values: Any) -> Any:
    """With one chosen method of this cost and tax, or none."""
    method = {"estimate": "e", "method": "m", "name": "", "carrier": "", "pickup": False, "items": []}
    selections = [] if chosen is None else [{**method, "cost": chosen[0], "tax": chosen[1]}]
    its = {"key": SUPPLIER_ORDER if number == 1 else uuid.UUID(int=99), "id": f"PO1-{number}"}
    return SimpleNamespace(**its, shipping_cost=shipping, tax=tax, selections=selections, **values)


def ordered(variant: str = "") -> Any:
    its = {"supplier_order_key": SUPPLIER_ORDER, "line_item_id": "l1", "product_id": "lamp", "variant_id": variant}
    return SimpleNamespace(**its, quantity=3, tax=0)


def books(**values: Any) -> Books:
    """An order of three lamps, confirmed; of its rows what is not given."""
    values.setdefault("orders", [supplier_order()])
    held = [movement("RESERVE", reserved=3), movement("ALLOCATE", reserved=-3, allocated=3)]
    return Books(**{"attempts": [attempt()], "movements": held, "allocations": [allocation()], "lines": [ordered()], **values})


def broken(of: Books) -> set[str]:
    return {name for name, rule in RULES.items() if any(rule(of))}


ONE_LEFT = movement("SHIP", on_hand=-1, allocated=-1, attempt=0, shipment_id="parcel")
TWO = [supplier_order(shipping=5, tax=1, chosen=(5, 1)), supplier_order(2, shipping=7, tax=2, chosen=(7, 2))]
LEGAL = {
    "freight and tax of its own": books(orders=TWO),
    "freight that was set by hand without a method": books(orders=[supplier_order(shipping=4), supplier_order(2, shipping=2)]),
    "confirmed": books(),
    "of a variant": books(attempts=[attempt(variant="red")], allocations=[allocation(variant="red")], lines=[ordered("red")]),
    "of a variant whose stock is not counted by variant": books(lines=[ordered("red")]),
    "still tried": books(attempts=[attempt("RESERVED")], movements=[movement("RESERVE", reserved=3)], allocations=[], lines=[]),
    "refused": books(
        attempts=[attempt("RELEASED")],
        movements=[movement("RESERVE", reserved=3), movement("RELEASE", reserved=-3)],
        allocations=[],
        lines=[],
    ),
    "refused, and the record was deleted": books(
        attempts=[attempt("RELEASED")], movements=[], allocations=[], lines=[], gone={RECORD}
    ),
    "packed": books(allocations=[allocation(packed=2)], items=[item(2)]),
    "shipped": books(
        movements=[*books().movements, ONE_LEFT], allocations=[allocation(shipped=1)], items=[item(1, ship_time=LEFT)]
    ),
    "canceled with a parcel that is void": books(
        movements=[*books().movements, movement("DEALLOCATE", allocated=-3, attempt=0)],
        allocations=[],
        items=[item(2, void_time=LEFT, status="CANCELED")],
    ),
    "delivered without a shipment": books(
        movements=[*books().movements, movement("SHIP", on_hand=-2, allocated=-2, attempt=0)],
        allocations=[allocation(shipped=2, shippable=False)],
    ),
}


@pytest.mark.parametrize("state", LEGAL)
def test_a_state_that_an_order_may_be_in_breaks_no_rule(state: str) -> None:
    assert broken(LEGAL[state]) == set()


@pytest.mark.parametrize(
    ("wrong", "rules"),
    [
        (
            books(orders=[supplier_order(shipping=6, chosen=(5, 0)), supplier_order(2, shipping=6, chosen=(7, 0))]),
            {"supplier_order_charges_its_own_parts"},
        ),
        (
            books(orders=[supplier_order(tax=2, chosen=(0, 1)), supplier_order(2, tax=1, chosen=(0, 2))]),
            {"supplier_order_charges_its_own_parts"},
        ),
        (books(movements=[*books().movements, movement("DEALLOCATE", allocated=-1)]), {"ledger_agrees_with_allocations"}),
        (books(movements=[*books().movements, movement("RESERVE", attempt=2, reserved=1)]), {"reserved_as_assigned"}),
        (books(movements=[*books().movements, movement("DEALLOCATE", attempt=9)]), {"reserved_as_assigned"}),
        (books(attempts=[attempt(units=2)]), {"reserved_as_assigned", "attempt_is_of_its_lines"}),
        (books(attempts=[attempt("RELEASED")], movements=[], allocations=[], lines=[]), {"reserved_as_assigned"}),
        (books(attempts=[attempt("RESERVED")], movements=[], allocations=[], lines=[], gone={RECORD}), {"reserved_as_assigned"}),
        (books(lines=[]), {"attempt_is_of_its_lines"}),
        (books(allocations=[allocation(variant="red")], lines=[ordered("red")]), {"attempt_is_of_its_lines"}),
        (books(attempts=[attempt(variant="red")], lines=[ordered("red")]), {"attempt_is_of_its_lines"}),
        (
            books(
                attempts=[attempt(variant="red", taken="blue")], allocations=[allocation(variant="red")], lines=[ordered("red")]
            ),
            {"attempt_is_of_its_lines"},
        ),
        (
            books(attempts=[attempt(variant="red")], allocations=[allocation(variant="red")], lines=[ordered("blue")]),
            {"attempt_is_of_its_lines"},
        ),
        (books(items=[item(2)]), {"shipment_draws_on_allocations"}),
        (books(allocations=[allocation(packed=2)], items=[item(1, drawn=2)]), {"shipment_draws_on_allocations"}),
        (
            books(
                movements=[*books().movements, ONE_LEFT],
                allocations=[allocation(shipped=1)],
                items=[item(1, id="another", ship_time=LEFT)],
            ),
            {"ledger_agrees_with_allocations"},
        ),
    ],
    ids=[
        "freight of another supplier order",
        "tax of another supplier order",
        "freed and still allocated",
        "reserved by no attempt",
        "moved by no attempt",
        "assigned other units",
        "released without a movement, of a record that is there",
        "still tried without a movement, of a record that is not there",
        "in no supplier order",
        "taken from stock of a variant, asked for of none",
        "taken from stock of no variant",
        "assigned another variant",
        "of another variant in the supplier order",
        "packed and not counted",
        "drawn more than it holds",
        "left on another shipment",
    ],
)
def test_units_that_no_other_row_accounts_for_are_reported(wrong: Books, rules: set[str]) -> None:
    assert broken(wrong) == rules
