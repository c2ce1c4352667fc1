"""What the use cases on a whole order share: its supplier orders are locked, changed by one action, and stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from libs.clock import Clock
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.domain.stock.ledger import summed_by_record
from services.fulfillment.domain.supplier_orders.actions.change import Change
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder, by_id

Action = Callable[[Sequence[SupplierOrder], datetime], Change]


async def apply_action(work: FulfillmentWork, clock: Clock, order_key: str, action: Action) -> list[SupplierOrder]:
    """Every supplier order of the order as it is afterwards, by number.

    The caller has locked the order's reservation: it guards the set of supplier orders.
    """
    now = clock.now()
    orders = await work.orders.of_orders([order_key], lock=True)
    change = action(orders, now)
    await work.stock.book(change.movements, summed_by_record(change.movements), now)
    before = {o.key: o.lines for o in orders}
    # A freeze touches headers only; rewriting 5,000 lines for it would be waste.
    await work.orders.save([o for o in change.changed if o.lines is before[o.key]], now)
    await work.orders.replace([o for o in change.changed if o.lines is not before[o.key]], now)
    await work.orders.insert(change.created, now)
    after = {o.key: o for o in (*orders, *change.changed, *change.created)}
    return by_id(after.values())
