"""Shipping's stores in one transaction."""

from __future__ import annotations

from libs.db import Tx
from services.shipping.adapters.db.references import SqlReferences


class SqlShippingWork:
    """Fulfils `ShippingWork`. A store is made when it is asked for; that costs no statement."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    @property
    def references(self) -> SqlReferences:
        """What resources refer to."""
        return SqlReferences(self._tx)
