"""Northwind paid by card and captured on shipment: what each order's card was charged, beside what the files make of what left.

The files are summed up here from their own columns, and share no code with the marketplace's own calculation.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.host.northwind.files import Northwind, Row
from waybill.order.v1 import checkout_service_pb2
from waybill_client import AsyncWaybill
from waybill_client.money import decimal

LOOK = 0.2
"""Seconds between two looks at what is not charged yet."""
PATIENCE = 60.0
"""Seconds that the last charges may take."""


@dataclass(frozen=True, slots=True)
class Captured:
    """The orders that were compared, what their cards are to be charged by the files, and what is wrong of the marketplace's."""

    orders: int
    total: Decimal
    differences: tuple[str, ...]


def expected(data: Northwind, orders: Sequence[Row]) -> Mapping[str, Decimal]:
    """What left of each order: all of it, with its freight, or nothing."""

    def left(order: Row) -> Decimal:
        if not order["shipped_date"]:
            return Decimal(0)
        lines = data.lines[order["order_id"]]
        return sum((x.unit_price * x.quantity - x.discount for x in lines), Decimal(0)) + Decimal(order["freight"])

    return {order["order_id"]: left(order) for order in orders}


async def compared(owner: AsyncWaybill, data: Northwind, orders: Sequence[Row]) -> Captured:
    """Every order of the marketplace beside what the files make it; charges that are under way are waited for."""
    wanted = expected(data, orders)
    wrong, until = dict(wanted), time.monotonic() + PATIENCE
    while True:
        charged = {id: await _charged(owner, id) for id in wrong}
        wrong = {id: amount for id, amount in charged.items() if amount != wanted[id]}
        if not wrong or time.monotonic() > until:
            texts = tuple(f"order {id}: {amount} charged, by the files {wanted[id]}" for id, amount in wrong.items())
            return Captured(len(wanted), sum(wanted.values(), Decimal(0)), texts)
        await asyncio.sleep(LOOK)


async def _charged(owner: AsyncWaybill, id: str) -> Decimal:
    found = await owner.checkout.ListPayments(checkout_service_pb2.ListPaymentsRequest(order_id=id))
    return sum((decimal(p.captured_amount) for p in found.payments), Decimal(0))
