"""What its people change of a payment while nothing is held of it: how much it pays, with what, and their own texts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from libs.errors import Violations
from libs.json_value import JsonObject
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import State, conflict
from services.payment.domain.payments.types import CREDIT_CARD, SPENDING_ACCOUNT
from waybill.payment.v1 import reasons

MEANS: Final = {"spending_account_id": SPENDING_ACCOUNT, "credit_card_id": CREDIT_CARD}
FIELDS: Final = ("amount", *MEANS, "purchase_order_number", "description", "xp")
"""What may be changed. Another type, or another currency, is another payment."""


@dataclass(frozen=True, slots=True)
class Edit:
    """New values of one payment; those that `fields` names count."""

    payment_id: str
    fields: frozenset[str]
    etag: str = ""
    amount: int | None = None
    """None is the rest of the total."""
    spending_account_id: str = ""
    credit_card_id: str = ""
    purchase_order_number: str = ""
    description: str = ""
    xp: JsonObject = field(default_factory=dict)


def check(found: Violations, where: str, payment: Payment, edit: Edit) -> None:
    """A payment keeps a card or an account, as its type says, and gets no other means."""
    for name in edit.fields & MEANS.keys():
        value, type = getattr(edit, name), MEANS[name]
        if payment.type != type:
            found.require(f"{where}.{name}", not value, reasons.FIELD_INVALID, f"is for payments of type {type}")
        else:
            found.require(f"{where}.{name}", bool(value), reasons.FIELD_REQUIRED, "is required")


def edited(payment: Payment, edit: Edit, now: datetime) -> Payment:
    """The payment with the new values. Raises `PAYMENT_STATE_CONFLICT` when it holds, or has moved, money.

    What an earlier attempt resolved it to is forgotten: the next one says what it stands for.
    """
    if payment.state is not State.OPEN:
        raise conflict(payment.id, payment.state, "be changed")
    return replace(
        payment,
        amount=edit.amount if "amount" in edit.fields else payment.amount,
        spending_account_id=edit.spending_account_id if "spending_account_id" in edit.fields else payment.spending_account_id,
        credit_card_id=edit.credit_card_id if "credit_card_id" in edit.fields else payment.credit_card_id,
        purchase_order_number=(
            edit.purchase_order_number if "purchase_order_number" in edit.fields else payment.purchase_order_number
        ),
        description=edit.description if "description" in edit.fields else payment.description,
        xp=edit.xp if "xp" in edit.fields else payment.xp,
        resolved_amount=None,
        due=0,
        surplus=0,
        version=payment.version + 1,
        update_time=now,
    )
