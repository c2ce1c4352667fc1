"""The life of an order's units: moved to another supplier by hand, or since theirs did not answer in time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import rule

from services.fulfillment.adapters.db.tables import supplier_orders
from tests.chaos.shop import Life, Shop
from tests.support.loops import steps
from tests.support.order_model import LIVE, RECORDS
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so_service

INDEX = st.integers(0, 1_000)


class UnitRules:
    """Rules of the machine about who has the units."""

    shop: Shop
    life: Life
    run: Any
    part: Any

    @rule(
        index=INDEX, which=INDEX, quantity=st.integers(0, 7), taker=st.sampled_from(["", "", "wh-east", "wh-west", "northforge"])
    )
    def move_units(self, index: int, which: int, quantity: int, taker: str) -> None:
        """Units of a line to a supplier or to the seller; 0 stands for all that are open."""
        if (found := self.part(index, *LIVE) if index % 4 else self.part(index)) is None:
            return
        order, id, part = found
        line_id, line = sorted(part.lines.items())[which % len(part.lines)]
        quantity = quantity or line.unpacked or 1
        product = order.lines[line_id].product
        least, most = self.life.model.room(taker, product)
        why = {
            "SUPPLIER_ORDER_STATUS_CONFLICT": part.status not in LIVE or part.implicit,
            "MOVE_EXCEEDS_OPEN": quantity > line.unpacked,
            "PRODUCT_NOT_FULFILLED": bool(taker) and taker not in RECORDS[product],
            "FIELD_INVALID": taker == part.supplier,
        }
        request = so_service.MoveSupplierOrderUnitsRequest(supplier_order_id=id, supplier_id=taker)
        request.units.add(line_item_id=line_id, quantity=quantity)
        call = self.shop.market.people.sam.supplier_orders.MoveSupplierOrderUnits
        if any(why.values()):
            assert self.run(self.life.refused(call, request))
            return
        if taker and quantity > most:
            assert self.run(self.life.refused(call, request)) == "TARGET_OUT_OF_STOCK"
            return
        if taker and quantity > least:
            return  # It depends on where units are from that an order holds which was not forwarded.
        self.run(self.life.send(call, request))
        self.life.model.split(order, self.run(self.life.parts(order)), leaving=id)

    @rule(index=INDEX)
    def time_to_answer_ends(self, index: int) -> None:
        """Of one supplier order: what is not accepted by then is sourced again."""
        if (found := self.part(index)) is None:
            return
        order, id, part = found
        if not part.supplier:
            return
        self.run(self._time_out(id, part.status == "OPEN"))
        if part.status == "OPEN":
            self.life.model.split(order, self.run(self.life.parts(order)))
            assert not order.parts[id].lines
            self.shop.seen["times to answer that ended"] += 1

    async def _time_out(self, id: str, waits: bool) -> None:
        """Of one that has been answered nobody waits for the time: that it has passed is then nothing to store."""
        fulfillment = self.shop.market.host.apps["fulfillment"]
        assert fulfillment.database is not None
        if waits:
            async with fulfillment.database.transaction() as tx:
                late = supplier_orders.c.create_time
                await tx.execute(sa.update(supplier_orders).where(supplier_orders.c.id == id).values(accept_by=late))
        await steps(fulfillment)["RejectUnanswered"]()
