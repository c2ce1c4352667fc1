"""What may be changed of a payment, and when."""

from __future__ import annotations

import pytest

from libs.errors import Violations, WaybillError
from services.payment.domain.payments.editing import FIELDS, Edit, check, edited
from services.payment.domain.payments.states import State
from tests.unit.payment.builders import NOW, a_payment


def test_the_fields_that_are_named_are_changed_and_no_others() -> None:
    before = a_payment("p1", "spending_account", 30, spending_account_id="gift", resolved_amount=30, xp={"a": 1})
    values = {
        "amount": None,
        "spending_account_id": "bonus",
        "credit_card_id": "card",
        "purchase_order_number": "4711",
        "description": "fair",
        "xp": {"b": 2},
    }
    assert set(values) == set(FIELDS)
    for name in FIELDS:
        after = edited(before, Edit("p1", frozenset({name}), **values), NOW)
        assert getattr(after, name) == values[name]
        assert all(getattr(after, other) == getattr(before, other) for other in set(FIELDS) - {name})
        assert (after.resolved_amount, after.due, after.version) == (None, 0, 2)


@pytest.mark.parametrize("state", [state for state in State if state is not State.OPEN])
def test_what_holds_or_has_moved_money_is_not_changed(state: State) -> None:
    with pytest.raises(WaybillError) as error:
        edited(a_payment(state=state), Edit("p1", frozenset({"description"})), NOW)
    assert error.value.reason == "PAYMENT_STATE_CONFLICT"


@pytest.mark.parametrize(
    ("type", "field", "value", "reason"),
    [
        ("spending_account", "spending_account_id", "gift", ""),
        ("spending_account", "spending_account_id", "", "FIELD_REQUIRED"),
        ("spending_account", "credit_card_id", "card", "FIELD_INVALID"),
        ("credit_card", "credit_card_id", "", "FIELD_REQUIRED"),
        ("purchase_order", "credit_card_id", "card", "FIELD_INVALID"),
        ("purchase_order", "credit_card_id", "", ""),
    ],
)
def test_a_payment_keeps_the_means_of_its_type(type: str, field: str, value: str, reason: str) -> None:
    found = Violations()
    check(found, "payment", a_payment(type=type), Edit("p1", frozenset({field}), **{field: value}))
    assert [(v.field, v.reason) for v in found.items] == ([(f"payment.{field}", reason)] if reason else [])
