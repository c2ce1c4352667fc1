"""What spending accounts and credit cards are, between their messages and the values that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
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


def _check_account(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    means.check(found, where, row["start_time"], row["end_time"])


def _check_card(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    cards.check(found, where, cards.StatedCard(*(row[one.name] for one in fields(cards.StatedCard))))


_ACCOUNT = (
    text("name", 100, required=True),
    ref("buyer_id", required=True, immutable=True),
    currency(),
    flag("active"),
    time("start_time"),
    time("end_time"),
    xp(),
)
ACCOUNT = Shape("spending account", account_pb.SpendingAccount, _ACCOUNT, prefix="spa", check=_check_account, extra=_balances)
_CARD = (
    ref("buyer_id", immutable=True),
    ref("user_id", immutable=True),
    ref("order_id", immutable=True),
    Attribute("token", Storage.TEXT, _read_token, lambda row: None, immutable=True, nullable=False, length=200),
    text("card_type", 40),
    text("partial_number", 40),
    text("cardholder_name", 100),
    text("expiration", 7),
    xp(),
)
CARD = Shape("credit card", card_pb.CreditCard, _CARD, prefix="crd", check=_check_card)
