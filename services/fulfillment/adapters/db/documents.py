"""Values that are stored as JSON inside a row. Defaults are left out; readers supply them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from services.fulfillment.domain.shipments.shipment import Draw
from services.fulfillment.domain.sourcing.model import Assignment, Line
from services.fulfillment.domain.supplier_orders.supplier_order import SelectionItem, ShipSelection

_LINE = tuple(f for f in fields(Line) if f.name not in ("line_item_id", "product_id", "quantity"))


def lines_out(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Sourcing lines."""
    documents = []
    for line in lines:
        document: dict[str, Any] = {"l": line.line_item_id, "p": line.product_id, "q": line.quantity}
        for f in _LINE:
            value = getattr(line, f.name)
            if value != f.default:
                document[f.name] = list(value) if isinstance(value, tuple) else value
        documents.append(document)
    return documents


def lines_in(documents: Iterable[Mapping[str, Any]]) -> tuple[Line, ...]:
    """Sourcing lines."""
    found = []
    for document in documents:
        rest: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in document.items() if len(k) > 1}
        found.append(Line(document["l"], document["p"], document["q"], **rest))
    return tuple(found)


def assignments_out(items: Iterable[Assignment]) -> list[list[Any]]:
    """Assignments without the address of their origin: [line, product, quantity, supplier, origin, key, id], and the
    variant where there is one.
    """
    return [
        [
            a.line_item_id,
            a.product_id,
            a.quantity,
            a.supplier_id,
            a.ship_from_id,
            None if a.record_key is None else a.record_key.hex,
            a.record_id,
            *([a.variant_id] if a.variant_id else ()),
        ]
        for a in items
    ]


def assignments_in(documents: Iterable[list[Any]]) -> tuple[Assignment, ...]:
    """Assignments."""
    return tuple(
        Assignment(
            line_item_id=line,
            product_id=product,
            quantity=quantity,
            supplier_id=supplier,
            ship_from_id=origin,
            record_key=None if key is None else uuid.UUID(key),
            record_id=record_id,
            variant_id=variant[0] if variant else "",
        )
        for line, product, quantity, supplier, origin, key, record_id, *variant in documents
    )


def selections_out(selections: Iterable[ShipSelection]) -> list[dict[str, Any]]:
    """Chosen ship methods."""
    return [
        {
            "estimate": s.ship_estimate_id,
            "method": s.ship_method_id,
            "name": s.ship_method_name,
            "carrier": s.carrier_id,
            "cost": s.cost,
            "tax": s.tax,
            "pickup": s.pickup,
            "items": [[i.line_item_id, i.quantity, i.supplier_id] for i in s.items],
            **({"included_tax": s.included_tax} if s.included_tax else {}),
        }
        for s in selections
    ]


def selections_in(documents: Iterable[Mapping[str, Any]]) -> tuple[ShipSelection, ...]:
    """Chosen ship methods."""
    return tuple(
        ShipSelection(
            ship_estimate_id=d["estimate"],
            ship_method_id=d["method"],
            ship_method_name=d["name"],
            carrier_id=d["carrier"],
            cost=d["cost"],
            tax=d["tax"],
            pickup=d["pickup"],
            items=tuple(SelectionItem(*item) for item in d["items"]),
            included_tax=d.get("included_tax", 0),
        )
        for d in documents
    )


def draws_out(draws: Iterable[Draw]) -> list[list[Any]]:
    """Where shipped units come from."""
    return [[_hex(d.allocation_key), _hex(d.record_key), d.quantity] for d in draws]


def draws_in(documents: Iterable[list[Any]]) -> tuple[Draw, ...]:
    """Where shipped units come from."""
    return tuple(Draw(_key(allocation), _key(record), quantity) for allocation, record, quantity in documents)


def _hex(key: uuid.UUID | None) -> str | None:
    return None if key is None else key.hex


def _key(text: str | None) -> uuid.UUID | None:
    return None if text is None else uuid.UUID(text)
