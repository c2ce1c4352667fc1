"""Assignments between their messages and what they say, by field."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from services.catalog.domain.catalogs.assignment import BATCH, Kind, Row
from services.catalog.domain.suppliers.supply import REJECTED
from waybill.catalog.v1.product_proposal_pb2 import ProductProposal, ProposalState


def rows_in(kind: Kind, messages: Iterable[Any]) -> list[Row]:
    """What messages say. A batch that is too long is read as far as it shows that it is."""
    return [
        {**{name: getattr(m, name) for name in kind.fields}, **{name: _value(getattr(m, name)) for name in kind.said}}
        for m, _ in zip(messages, range(BATCH + 1), strict=False)
    ]


def keys_in(kind: Kind, messages: Iterable[Any]) -> list[Row]:
    """What they name."""
    return [{name: getattr(m, name) for name in kind.fields} for m, _ in zip(messages, range(BATCH + 1), strict=False)]


def rejections_in(messages: Iterable[Any]) -> list[Row]:
    """What is rejected, and why."""
    return [
        {"catalog_id": m.catalog_id, "product_id": m.product_id, "comment": m.comment, "state": REJECTED}
        for m, _ in zip(messages, range(BATCH + 1), strict=False)
    ]


def row_out(message: Callable[..., Any], row: Row) -> Any:
    """The message of one."""
    return message(**row)


def proposal_out(row: Row) -> ProductProposal:
    """The message of a proposal."""
    values: dict[str, Any] = {**row, "state": ProposalState.Value(f"PROPOSAL_STATE_{row['state']}")}
    return ProductProposal(**values)


def _value(value: Any) -> str | bool | int | list[str]:
    """A list of a message as a list of ours, anything else as it is."""
    return value if isinstance(value, str | bool | int) else list(value)
