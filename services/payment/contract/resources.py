"""What spending accounts, credit cards and declared types of payment are, between their messages and the values that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from libs import protoconv
from libs.errors import Violations
from libs.money import MoneyError, parse_micros
from libs.resource.contract import Attribute, Shape, Storage, enum, flag, integer, ref, text, time, xp
from services.payment.domain.means import cards, means
from services.payment.domain.payments import units
from waybill.payment.v1 import credit_card_service_pb2 as card_pb
from waybill.payment.v1 import payment_type_service_pb2 as type_pb
from waybill.payment.v1 import reasons
from waybill.payment.v1 import spending_account_service_pb2 as account_pb


def _balances(row: Any) -> dict[str, Any]:
    unit = row["currency"]
    return {
        "balance": protoconv.money_out(row.get("balance") or 0, unit),
        "reserved": protoconv.money_out(row.get("reserved") or 0, unit),
    }


def _read_token(found: Violations, where: str, message: Any, _: dict[str, Any]) -> str:
    return protoconv.text_in(found, f"{where}.token", message.token, 200, required=True)


def _unit() -> Attribute:
    """What a balance is counted in. Whether there is such a unit, the account's other attributes say."""
    return Attribute(
        name="currency",
        storage=Storage.TEXT,
        length=units.MAX_CODE,
        read=lambda found, where, message, _: protoconv.text_in(found, f"{where}.currency", message.currency, units.MAX_CODE),
        write=lambda row: row["currency"],
        kind="text",
        immutable=True,
        nullable=False,
    )


def _rate() -> Attribute:
    """Order money per unit, kept in micros; 0 for none."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> int:
        value = protoconv.decimal_in(found, f"{where}.rate", message.rate, Decimal(0), Decimal(1_000_000))
        try:
            return parse_micros(value)
        except MoneyError:
            found.add(f"{where}.rate", reasons.AMOUNT_TOO_PRECISE, "a rate has at most six digits after the point")
            return 1

    def write(row: dict[str, Any]) -> Any:
        return protoconv.decimal_out(Decimal(row["rate"]).scaleb(-6)) if row["rate"] else None

    return Attribute("rate", Storage.MICROS, read, write, nullable=False)


def _check_account(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    units.check(found, where, row["currency"], row["unit_digits"], row["rate"], row["order_currency"])
    means.check(found, where, row["start_time"], row["end_time"])


def _check_card(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    cards.check(found, where, cards.StatedCard(*(row[one.name] for one in fields(cards.StatedCard))))


_ACCOUNT = (
    text("name", 100, required=True),
    ref("buyer_id", required=True, immutable=True),
    _unit(),
    flag("active"),
    time("start_time"),
    time("end_time"),
    xp(),
    replace(integer("unit_digits", 0, units.MAX_DIGITS), immutable=True),
    _rate(),
    text("order_currency", 3, immutable=True),
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


_TYPE = (
    text("name", 100, required=True),
    text("description", 2_000),
    enum("acceptance", type_pb.PaymentAcceptance, "PAYMENT_ACCEPTANCE_"),
    flag("active"),
    xp(),
)
TYPE = Shape("payment type", type_pb.PaymentType, _TYPE, prefix="pty")
