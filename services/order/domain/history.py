"""Every change of an order bumps its version by one and leaves one event of that number: history, watch and version
tag are one thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from libs.json_value import JsonObject
from services.order.domain.fees import listed
from services.order.domain.model import Event, Line, Order
from services.order.domain.sub_statuses import after_status


def stated(order: Order) -> JsonObject:
    """What an event keeps of the order that it leaves behind: a second witness of what is stored nowhere else."""
    return {
        "created_by": order.created_by,
        "client_id": order.client_id,
        "currency": order.currency,
        "content_version": order.content_version,
        "shipping_address_id": order.shipping_address_id,
        "billing_address_id": order.billing_address_id,
        "line_items": order.line_item_count,
        "total": order.total,
        "must_cover_total": order.policy.must_cover_total,
        "guest": order.guest,
        "fees": listed(order.fees),
        "sub_status": order.sub_status,
        "sub_status_time": order.sub_status_time.isoformat() if order.sub_status_time else None,
    }


def placed(lines: Iterable[Line], *, all: bool = False) -> dict[str, str]:
    """Where lines go, by the id in the address book; lines that name none are left out unless `all` are asked for."""
    return {line.id: line.shipping_address_id for line in lines if all or line.shipping_address_id}


def changed(
    order: Order,
    type: str,
    user_id: str,
    party_id: str,
    now: datetime,
    *,
    content: bool = False,
    data: JsonObject | None = None,
    ship_to: Mapping[str, str] | None = None,
) -> tuple[Order, Event]:
    """The order, which holds what is new of it, at its next version, and the event. `content` stales estimates and
    calculation; `ship_to` are lines whose place in the address book was changed by it."""
    order, left = after_status(order, now)
    version = order.version + 1
    content_version = version if content else order.content_version
    after = replace(order, version=version, update_time=now, content_version=content_version)
    return after, Event(
        order_key=order.key,
        sequence=version,
        type=type,
        status=after.status.value,
        user_id=user_id,
        party_id=party_id,
        time=now,
        data={**(data or {}), **left},
        facts={**stated(after), **({"ship_to": dict(ship_to)} if ship_to else {})},
    )
