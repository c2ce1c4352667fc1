"""What spending accounts and credit cards are, between their messages and the values that are kept."""

from __future__ import annotations

from typing import Any

from libs import protoconv
from libs.errors import Violations
from libs.resource.contract import Attribute, Shape, Storage, currency, flag, ref, text, time, xp
from services.payment.domain import cards, means
from waybill.payment.v1 import credit_card_service_pb2 as card_pb
from waybill.payment.v1 import spending_account_service_pb2 as account_pb


def _balances(row: Any) -> dict[str, Any]:
    unit = row["currency"]
    return {
        "balance": protoconv.money_out(row.get("balance") or 0, unit),
        "reserved": protoconv.money_out(row.get("reserved") or 0, unit),
    }


def _read_token(found: Violations, where: str, message: Any, _: dict[str, Any]) -> str:
    return protoconv.text_in(found, f"{where}.token", message.token, 200, required=True)


_ACCOUNT = (
    text("name", 100, required=True),
    ref("buyer_id", required=True, immutable=True),
    currency(),
    flag("active"),
    time("start_time"),
    time("end_time"),
    xp(),
)
ACCOUNT = Shape("spending account", account_pb.SpendingAccount, _ACCOUNT, prefix="spa", check=means.check, extra=_balances)
_CARD = (
    ref("buyer_id", immutable=True),
    ref("user_id", immutable=True),
    Attribute("token", Storage.TEXT, _read_token, lambda row: None, immutable=True, nullable=False, length=200),
    text("card_type", 40),
    text("partial_number", 40),
    text("cardholder_name", 100),
    text("expiration", 7),
    xp(),
)
CARD = Shape("credit card", card_pb.CreditCard, _CARD, prefix="crd", check=cards.check)
