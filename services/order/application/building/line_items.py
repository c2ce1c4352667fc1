"""AddLineItems, UpdateLineItems, RemoveLineItems: batches, all or none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from libs.protoconv import merge_xp, xp_size_ok
from services.order.application.access import locked, require_writable, writable
from services.order.application.building.build_order import (
    check_currencies,
    make_lines,
    overrides_of,
    require_override_roles,
    resolve_address,
)
from services.order.application.peers import Catalog, Directory, OrderingContext
from services.order.application.ports import Outcome, Units
from services.order.domain.building.drafts import (
    LineDraft,
    check_count,
    check_date_needed,
    check_ids,
    check_lines,
    check_quantity,
)
from services.order.domain.history import changed, placed
from services.order.domain.model import Line, Order
from services.order.domain.status import Trigger
from waybill.order.v1 import reasons

_AS_GIVEN = (
    "pickup_location_id",
    "inventory_record_id",
    "unit_price_override",
    "discount_override",
    "date_needed",
    "cost_center",
    "shipping_account",
    "comments",
)
"""Fields that stand as a caller gives them: see `_changed`."""
PATHS = frozenset({"quantity", "shipping_address_id", "shipping_address", "xp", *_AS_GIVEN})


class LineItems:
    """Changes of an UNSUBMITTED order's lines."""

    def __init__(self, units: Units, directory: Directory, catalog: Catalog, clock: Clock) -> None:
        self._units = units
        self._directory = directory
        self._catalog = catalog
        self._clock = clock

    async def _context(self, caller: Principal, order: Order, drafts: Sequence[LineDraft]) -> OrderingContext:
        wanted = {draft.shipping_address_id for draft in drafts} - {""}
        return await self._directory.ordering_context(order.buyer_id, order.user.id, caller.client_id, wanted, order.guest)

    async def _seen(self, caller: Principal, order_id: str, request: RequestKey | None) -> tuple[Order, Outcome | None]:
        async with self._units.reading() as work:
            recorded = await work.requests.find(request)
            trigger = Trigger.EDIT if recorded is None else Trigger.MARK
            return await writable(work.orders, caller, order_id, self._clock.now(), trigger, lock=False), recorded

    async def add(
        self,
        caller: Principal,
        order_id: str,
        drafts: Sequence[LineDraft],
        etag: str,
        found: Violations,
        request: RequestKey | None,
    ) -> tuple[Order, tuple[Line, ...]]:
        """The order and the added lines."""
        seen, recorded = await self._seen(caller, order_id, request)
        if recorded is not None:
            return await self._again(caller, order_id, recorded)
        require_override_roles(caller, overrides_of(None, drafts))
        found.require("line_items", bool(drafts), reasons.FIELD_REQUIRED, "at least one line")
        check_lines(found, drafts)
        context, catalog = await asyncio.gather(
            self._context(caller, seen, drafts),
            self._catalog.products({d.product_id for d in drafts}, seen.buyer_id, seen.user.id),
        )
        async with self._units.transaction() as work:
            now = self._clock.now()
            # The lock comes first: the ids that are recorded are those that are given.
            order = await locked(work.orders, caller, order_id)
            existing = await work.orders.lines(order.key)
            last = max((line.position for line in existing), default=0)
            lines = make_lines(found, drafts, catalog, context, last, {line.id for line in existing}, now)
            outcome: Outcome = {"order": order_id, "line_items": [line.id for line in lines]}
            recorded = await work.requests.claim(request, outcome, now)
            if recorded is not None:
                require_writable(caller, order, now, Trigger.MARK)
                return order, _those(existing, recorded)
            require_writable(caller, order, now, Trigger.EDIT, etag)
            check_count(found, len(existing) + len(drafts))
            check_currencies(found, order.currency, [c for d in drafts for c in d.currencies])
            found.raise_if_any()
            after, event = changed(
                replace(order, line_item_count=order.line_item_count + len(lines)),
                "line_items_added",
                caller.user_id,
                caller.party_id,
                now,
                content=True,
                data={"count": len(lines)},
                ship_to=placed(lines),
            )
            await work.orders.insert_lines(order.key, lines)
            await work.orders.save(order, after, [event])
        return after, lines

    async def _again(self, caller: Principal, order_id: str, recorded: Outcome) -> tuple[Order, tuple[Line, ...]]:
        async with self._units.reading(snapshot=True) as work:
            order = await writable(work.orders, caller, order_id, self._clock.now(), Trigger.MARK, lock=False)
            return order, _those(await work.orders.lines(order.key), recorded)

    async def update(
        self,
        caller: Principal,
        order_id: str,
        drafts: Sequence[LineDraft],
        paths: Sequence[str],
        etag: str,
        found: Violations,
        request: RequestKey | None,
    ) -> tuple[Order, tuple[Line, ...]]:
        """The order and the changed lines."""
        seen, recorded = await self._seen(caller, order_id, request)
        if recorded is not None:
            return await self._again(caller, order_id, recorded)
        require_override_roles(caller, paths)
        found.require("line_items", bool(drafts), reasons.FIELD_REQUIRED, "at least one line")
        check_ids(found, drafts)
        context = None
        if any("address" in path for path in paths):
            context = await self._context(caller, seen, drafts)
        async with self._units.transaction() as work:
            now = self._clock.now()
            outcome: Outcome = {"order": order_id, "line_items": [draft.id for draft in drafts]}
            recorded = await work.requests.claim(request, outcome, now)
            if recorded is not None:
                order = await writable(work.orders, caller, order_id, now, Trigger.MARK)
                return order, _those(await work.orders.lines(order.key), recorded)
            order = await writable(work.orders, caller, order_id, now, Trigger.EDIT, etag)
            existing = {line.id: line for line in await work.orders.lines(order.key)}
            lines = [
                made
                for i, draft in enumerate(drafts)
                if (made := _changed(found, i, draft, existing, paths, context, now)) is not None
            ]
            check_currencies(found, order.currency, [c for d in drafts for c in d.currencies])
            found.raise_if_any()
            after, event = changed(
                order,
                "line_items_updated",
                caller.user_id,
                caller.party_id,
                now,
                content=True,
                data={"line_items": [line.id for line in lines][:100], "fields": sorted(paths)},
                ship_to=placed(lines, all=True) if any("address" in path for path in paths) else None,
            )
            await work.orders.update_lines(order.key, lines)
            await work.orders.save(order, after, [event])
        return after, tuple(lines)

    async def remove(
        self, caller: Principal, order_id: str, line_ids: Sequence[str], etag: str, request: RequestKey | None
    ) -> Order:
        """The order without the lines."""
        async with self._units.transaction() as work:
            now = self._clock.now()
            if await work.requests.claim(request, {"order": order_id}, now) is not None:
                return await writable(work.orders, caller, order_id, now, Trigger.MARK)
            order = await writable(work.orders, caller, order_id, now, Trigger.EDIT, etag)
            known = {line.id: line for line in await work.orders.lines(order.key)}
            found = Violations()
            found.require("line_item_ids", bool(line_ids), reasons.FIELD_REQUIRED, "at least one line")
            for i, id in enumerate(line_ids):
                found.require(f"line_item_ids[{i}]", id in known, reasons.LINE_ITEM_NOT_FOUND, f"the order has no line {id!r}")
            found.raise_if_any()
            gone = set(line_ids)
            after, event = changed(
                replace(order, line_item_count=order.line_item_count - len(gone)),
                "line_items_removed",
                caller.user_id,
                caller.party_id,
                now,
                content=True,
                data={"line_items": sorted(gone)[:100]},
                ship_to=dict.fromkeys(placed(known[id] for id in gone), ""),
            )
            await work.orders.delete_lines(order.key, sorted(gone))
            await work.orders.save(order, after, [event])
        return after


def _those(lines: Sequence[Line], recorded: Outcome) -> tuple[Line, ...]:
    """The lines that the first call added or changed, in its order, as far as they are still there."""
    by_id = {line.id: line for line in lines}
    # Requests recorded by an older version name none.
    return tuple(by_id[id] for id in recorded.get("line_items", by_id) if id in by_id)


def _changed(
    found: Violations,
    i: int,
    draft: LineDraft,
    existing: dict[str, Line],
    paths: Sequence[str],
    context: OrderingContext | None,
    now: datetime,
) -> Line | None:
    where = f"line_items[{i}]"
    line = existing.get(draft.id)
    if line is None:
        found.add(f"{where}.id", reasons.LINE_ITEM_NOT_FOUND, f"the order has no line {draft.id!r}")
        return None
    if "quantity" in paths:
        check_quantity(found, f"{where}.quantity", draft.quantity)
        line = replace(line, quantity=draft.quantity)
    if context is not None:
        id, address = resolve_address(
            found, f"{where}.shipping_address", draft.shipping_address_id, draft.shipping_address, context
        )
        line = replace(line, shipping_address_id=id, shipping_address=address)
    if "date_needed" in paths:
        check_date_needed(found, where, draft.date_needed, now)
    if "xp" in paths:
        line = replace(line, xp=merge_xp(line.xp, draft.xp))
        xp_size_ok(found, f"{where}.xp", line.xp)

    def given(name: str) -> LineDraft | Line:
        return draft if name in paths else line

    return replace(
        line,
        pickup_location_id=given("pickup_location_id").pickup_location_id,
        inventory_record_id=given("inventory_record_id").inventory_record_id,
        unit_price_override=given("unit_price_override").unit_price_override,
        discount_override=given("discount_override").discount_override,
        date_needed=given("date_needed").date_needed,
        cost_center=given("cost_center").cost_center,
        shipping_account=given("shipping_account").shipping_account,
        comments=given("comments").comments,
    )
