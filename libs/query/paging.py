"""Keyset pages: a page begins after the values of the last row of the one before.

Missing values come last in ascending order and first in descending order, which is PostgreSQL's own habit.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import sqlalchemy as sa

from libs.query.fields import checked

MAX_TOKEN = 100_000
"""Characters of a token; ordering by long texts makes long ones."""


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that rows are ordered by. `kind` is text, int, time, bool, uuid or number."""

    expression: sa.ColumnElement[Any]
    label: str
    kind: str
    descending: bool
    nullable: bool

    def sorted(self) -> Any:
        """The term of ORDER BY. Where nothing is missing it says nothing of nulls, so that an index serves it."""
        term = self.expression.desc() if self.descending else self.expression.asc()
        if not self.nullable:
            return term
        return term.nulls_first() if self.descending else term.nulls_last()

    def beyond(self, value: Any) -> sa.ColumnElement[bool]:
        """What comes later than the value."""
        if value is None:
            return self.expression.is_not(None) if self.descending else sa.false()
        later = self.expression < self._bound(value) if self.descending else self.expression > self._bound(value)
        return sa.or_(later, self.expression.is_(None)) if self.nullable and not self.descending else later

    def same(self, value: Any) -> sa.ColumnElement[bool]:
        """What stands at the value."""
        return self.expression.is_(None) if value is None else self.expression == self._bound(value)

    def reaches(self, value: Any) -> sa.ColumnElement[bool]:
        """At the value or later, for what is never missing: a range that an index can begin at."""
        bound = self._bound(value)
        return self.expression <= bound if self.descending else self.expression >= bound

    def _bound(self, value: Any) -> sa.ColumnElement[Any]:
        return sa.literal(value, sa.BigInteger() if self.kind == "int" else self.expression.type)


def beyond(orders: Sequence[Order], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """The rows after the one with these values."""
    alternatives: list[sa.ColumnElement[bool]] = []
    equal: list[sa.ColumnElement[bool]] = []
    for order, value in zip(orders, values, strict=True):
        alternatives.append(sa.and_(*equal, order.beyond(value)))
        equal.append(order.same(value))
    later = sa.or_(*alternatives)
    # Implied by the alternatives; said on its own because the planners do not see it.
    return later if orders[0].nullable else sa.and_(orders[0].reaches(values[0]), later)


def digest(filter: str, order_by: str, bound: Mapping[str, str]) -> str:
    """What a token is bound to."""
    text = orjson.dumps([filter, order_by, sorted(bound.items())])
    return hashlib.sha256(text).hexdigest()[:16]


def write_token(bound_to: str, orders: Sequence[Order], row: Any) -> str:
    """The token of what follows the row."""
    values = [_plain(getattr(row, order.label)) for order in orders]
    return base64.urlsafe_b64encode(orjson.dumps([bound_to, *values])).decode().rstrip("=")


def read_token(token: str, bound_to: str, orders: Sequence[Order]) -> list[Any]:
    """The values of a token. Raises ValueError: none of ours, made for other arguments, or tampered with."""
    try:
        if len(token) > MAX_TOKEN or not token.isascii():
            raise ValueError
        payload = orjson.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        if not isinstance(payload, list) or len(payload) != len(orders) + 1:
            raise ValueError
        if not hmac.compare_digest(str(payload[0]).encode(), bound_to.encode()):
            raise ValueError
        return [_value(order, value) for order, value in zip(orders, payload[1:], strict=True)]
    except (ValueError, ArithmeticError, binascii.Error):
        raise ValueError("the page token belongs to other arguments or is none of ours") from None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, uuid.UUID | Decimal):
        return str(value)
    return value


def _value(order: Order, plain: Any) -> Any:
    """A token's value in the type that the column is compared in. Raises ValueError or ArithmeticError."""
    if plain is None:
        if not order.nullable:
            raise ValueError
        return None
    match order.kind, plain:
        case "bool", bool():
            return plain
        case "int", int() if not isinstance(plain, bool):
            return checked(plain)
        case "number", str():
            number = Decimal(plain)
            if not number.is_finite() or abs(number.adjusted()) > 1_000 or len(plain) > 1_000:
                raise ValueError
            return number
        case "number", int() | float() if not isinstance(plain, bool):
            return plain
        case "time", str():
            moment = datetime.fromisoformat(plain)
            if moment.utcoffset() is None or not 1 < moment.year < 9999:
                raise ValueError
            return moment
        case "uuid", str():
            return uuid.UUID(plain)
        case "text", str() if "\0" not in plain:
            return plain
    raise ValueError
