"""AddLineItems, UpdateLineItems, RemoveLineItems: batches, all or none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations, stale
from libs.idempotency.key import RequestKey
from services.order.application.access import locked, require_writable, writable
from services.order.application.building.build_order import check_currencies, make_lines, overrides_of, require_override_roles
from services.order.application.building.changed_lines import CHOICES, asked_of, changed_line, rechosen_lines
from services.order.application.building.quoted import Outdated, Priced, Quoted, again
from services.order.application.peers import Catalog, Directory, OrderingContext, Pricing, Wanted
from services.order.application.ports import Units
from services.order.application.records import Outcome
from services.order.domain.building.cost_centers import check_cost_centers
from services.order.domain.building.drafts import LineDraft, check_count, check_ids, check_lines, check_quantity
from services.order.domain.building.products import Article
from services.order.domain.checkout.quotes import Asked, Quote, asked, asked_anew, with_sums
from services.order.domain.history import changed, placed
from services.order.domain.model import MAX_LINES, Line, Order
from services.order.domain.status import Trigger
from waybill.order.v1 import reasons

TRIES = 5
"""How often prices are asked for, while others change lines of the same products."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """An order as it is before the remote calls, or what its request has been answered with before."""

    order: Order
    lines: Sequence[Line]
    recorded: Outcome | None


class LineItems:
    """Changes of an UNSUBMITTED order's lines. Prices are asked for before the transaction, which takes them if the lines of the
    products are still what was asked with; else all is asked again."""

    def __init__(self, units: Units, directory: Directory, catalog: Catalog, pricing: Pricing, clock: Clock) -> None:
        self._units = units
        self._directory = directory
        self._catalog = catalog
        self._pricing = pricing
        self._clock = clock

    async def _context(self, caller: Principal, order: Order, drafts: Sequence[LineDraft]) -> OrderingContext:
        wanted = {draft.shipping_address_id for draft in drafts} - {""}
        named = {draft.cost_center for draft in drafts}
        return await self._directory.ordering_context(
            order.buyer_id, order.user.id, caller.client_id, wanted, order.guest, cost_centers=named
        )

    async def _seen(self, caller: Principal, order_id: str, request: RequestKey | None) -> _Seen:
        async with self._units.reading() as work:
            recorded = await work.requests.find(request)
            trigger = Trigger.EDIT if recorded is None else Trigger.MARK
            order = await writable(work.orders, caller, order_id, self._clock.now(), trigger, lock=False)
            return _Seen(order, () if recorded else await work.orders.lines(order.key), recorded)

    async def _quote(self, seen: _Seen, lines: Sequence[Asked], found: Violations) -> Quote | None:
        """Prices; None where the request is refused anyway. Nobody is asked about what cannot be."""
        return None if found or len(lines) > MAX_LINES else await self._pricing.quote(seen.order, lines)

    async def _while_outdated(self, found: Violations, attempt: Callable[[Violations], Awaitable[Quoted]]) -> Quoted:
        """What an attempt makes whose prices are of the lines as they are. Each finds what is wrong by itself."""
        for last in (*(False,) * (TRIES - 1), True):
            wrong = Violations()
            wrong.also(found)
            try:
                return await attempt(wrong)
            except Outdated as outdated:
                if last:
                    raise stale("order", outdated.order.id, str(outdated.order.version)) from None
        raise AssertionError("the last try returns or raises")

    async def add(
        self,
        caller: Principal,
        order_id: str,
        drafts: Sequence[LineDraft],
        etag: str,
        found: Violations,
        request: RequestKey | None,
    ) -> Quoted:
        """The order and the added lines."""
        return await self._while_outdated(found, lambda wrong: self._add(caller, order_id, drafts, etag, wrong, request))

    async def _add(
        self,
        caller: Principal,
        order_id: str,
        drafts: Sequence[LineDraft],
        etag: str,
        found: Violations,
        request: RequestKey | None,
    ) -> Quoted:
        seen = await self._seen(caller, order_id, request)
        if seen.recorded is not None:
            return await self._again(caller, order_id, seen.recorded)
        require_override_roles(caller, overrides_of(None, drafts))
        found.require("line_items", bool(drafts), reasons.FIELD_REQUIRED, "at least one line")
        check_lines(found, drafts)
        products = {draft.product_id for draft in drafts}
        siblings = [line for line in seen.lines if line.product_id in products]
        context, catalog = await asyncio.gather(
            self._context(caller, seen.order, drafts),
            self._catalog.products({Wanted.by(draft) for draft in drafts}, seen.order.buyer_id, seen.order.user.id),
        )
        check_cost_centers(found, (draft.cost_center for draft in drafts), context.cost_centers)
        # What is chosen adds to the price: the catalog is asked first.
        quote = await self._quote(seen, [*map(asked, siblings), *(asked_of(draft, catalog) for draft in drafts)], found)
        async with self._units.transaction() as work:
            now = self._clock.now()
            # The lock comes first: the ids that are recorded are those that are given.
            order = await locked(work.orders, caller, order_id)
            existing = await work.orders.lines(order.key)
            last = max((line.position for line in existing), default=0)
            lines = make_lines(found, drafts, catalog, context, last, {line.id for line in existing}, now)
            priced = Priced.by(quote, (*existing, *lines))
            recorded = await work.requests.claim(request, priced.outcome(order_id, [line.id for line in lines]), now)
            if recorded is not None:
                require_writable(caller, order, now, Trigger.MARK)
                return again(order, existing, recorded)
            require_writable(caller, order, now, Trigger.EDIT, etag)
            check_count(found, len(existing) + len(drafts))
            check_currencies(found, order.currency, [c for d in drafts for c in d.currencies])
            found.raise_if_any()
            priced.require_of(order)
            lines = priced.lines[len(existing) :]
            more = replace(order, line_item_count=order.line_item_count + len(lines), tax_exemptions=context.tax_exemptions)
            after, event = changed(
                with_sums(more, priced.lines),
                "line_items_added",
                caller.user_id,
                caller.party_id,
                now,
                content=True,
                data={"count": len(lines)},
                ship_to=placed(lines),
            )
            await work.orders.update_lines(order.key, priced.other_than(existing))
            await work.orders.insert_lines(order.key, lines)
            await work.orders.save(order, after, [event])
        return Quoted(after, lines, priced.problems)

    async def _again(self, caller: Principal, order_id: str, recorded: Outcome) -> Quoted:
        async with self._units.reading(snapshot=True) as work:
            order = await writable(work.orders, caller, order_id, self._clock.now(), Trigger.MARK, lock=False)
            return again(order, await work.orders.lines(order.key), recorded)

    async def update(
        self,
        caller: Principal,
        order_id: str,
        drafts: Sequence[LineDraft],
        paths: Sequence[str],
        etag: str,
        found: Violations,
        request: RequestKey | None,
    ) -> Quoted:
        """The order and the changed lines."""
        return await self._while_outdated(
            found, lambda wrong: self._update(caller, order_id, drafts, paths, etag, wrong, request)
        )

    async def _update(
        self,
        caller: Principal,
        order_id: str,
        drafts: Sequence[LineDraft],
        paths: Sequence[str],
        etag: str,
        found: Violations,
        request: RequestKey | None,
    ) -> Quoted:
        seen = await self._seen(caller, order_id, request)
        if seen.recorded is not None:
            return await self._again(caller, order_id, seen.recorded)
        require_override_roles(caller, paths)
        found.require("line_items", bool(drafts), reasons.FIELD_REQUIRED, "at least one line")
        check_ids(found, drafts)
        if "quantity" in paths:
            for i, draft in enumerate(drafts):
                check_quantity(found, f"line_items[{i}].quantity", draft.quantity)
        context = places = None
        moved = any("address" in path for path in paths)
        if moved or "cost_center" in paths:
            context = await self._context(caller, seen.order, drafts)
            places = context if moved else None
            if "cost_center" in paths:
                check_cost_centers(found, (draft.cost_center for draft in drafts), context.cost_centers)
        articles = await self._articles(seen, drafts) if CHOICES & set(paths) else {}
        lines = rechosen_lines(seen.lines, drafts, paths, articles) if articles else seen.lines
        quote = await self._quote(seen, asked_anew(lines, drafts, paths, [draft.id for draft in drafts if articles]), found)
        async with self._units.transaction() as work:
            now = self._clock.now()
            order = await locked(work.orders, caller, order_id)
            existing = await work.orders.lines(order.key)
            known = {line.id: line for line in existing}
            for i, draft in enumerate(drafts):
                if (made := changed_line(found, i, draft, known, paths, places, articles, now)) is not None:
                    known[made.id] = made
            priced = Priced.by(quote, tuple(known.values()))
            recorded = await work.requests.claim(request, priced.outcome(order_id, [draft.id for draft in drafts]), now)
            if recorded is not None:
                require_writable(caller, order, now, Trigger.MARK)
                return again(order, existing, recorded)
            require_writable(caller, order, now, Trigger.EDIT, etag)
            check_currencies(found, order.currency, [c for d in drafts for c in d.currencies])
            found.raise_if_any()
            priced.require_of(order)
            known = {line.id: line for line in priced.lines}
            after, event = changed(
                with_sums(order, priced.lines),
                "line_items_updated",
                caller.user_id,
                caller.party_id,
                now,
                content=True,
                data={"line_items": [draft.id for draft in drafts][:100], "fields": sorted(paths)},
                ship_to=placed((known[draft.id] for draft in drafts), all=True) if moved else None,
            )
            await work.orders.update_lines(order.key, priced.other_than(existing))
            await work.orders.save(order, after, [event])
        return Quoted(after, tuple(known[draft.id] for draft in drafts), priced.problems)

    async def _articles(self, seen: _Seen, drafts: Sequence[LineDraft]) -> dict[str, Article]:
        """The products of the lines, with the variants that they have and that are asked for."""
        lines = {line.id: line for line in seen.lines}
        known = [(lines[draft.id], draft) for draft in drafts if draft.id in lines]
        wanted = {Wanted.of(line) for line, _ in known}
        wanted |= {Wanted.by(replace(draft, product_id=line.product_id)) for line, draft in known}
        found = await self._catalog.products(wanted, seen.order.buyer_id, seen.order.user.id)
        return {product.id: product.article for product in found.values()}

    async def remove(
        self, caller: Principal, order_id: str, line_ids: Sequence[str], etag: str, request: RequestKey | None
    ) -> Quoted:
        """The order without the lines, which it names none of."""
        return await self._while_outdated(
            Violations(), lambda found: self._remove(caller, order_id, line_ids, etag, found, request)
        )

    async def _remove(
        self, caller: Principal, order_id: str, line_ids: Sequence[str], etag: str, found: Violations, request: RequestKey | None
    ) -> Quoted:
        seen = await self._seen(caller, order_id, request)
        if seen.recorded is not None:
            return await self._again(caller, order_id, seen.recorded)
        gone = set(line_ids)
        touched = {line.product_id for line in seen.lines if line.id in gone}
        left = [asked(line) for line in seen.lines if line.product_id in touched and line.id not in gone]
        quote = await self._quote(seen, left, found)
        async with self._units.transaction() as work:
            now = self._clock.now()
            order = await locked(work.orders, caller, order_id)
            existing = await work.orders.lines(order.key)
            priced = Priced.by(quote, tuple(line for line in existing if line.id not in gone))
            recorded = await work.requests.claim(request, priced.outcome(order_id, []), now)
            if recorded is not None:
                require_writable(caller, order, now, Trigger.MARK)
                return again(order, existing, recorded)
            require_writable(caller, order, now, Trigger.EDIT, etag)
            known = {line.id: line for line in existing}
            found.require("line_item_ids", bool(line_ids), reasons.FIELD_REQUIRED, "at least one line")
            for i, id in enumerate(line_ids):
                found.require(f"line_item_ids[{i}]", id in known, reasons.LINE_ITEM_NOT_FOUND, f"the order has no line {id!r}")
            found.raise_if_any()
            priced.require_of(order)
            after, event = changed(
                with_sums(replace(order, line_item_count=order.line_item_count - len(gone)), priced.lines),
                "line_items_removed",
                caller.user_id,
                caller.party_id,
                now,
                content=True,
                data={"line_items": sorted(gone)[:100]},
                ship_to=dict.fromkeys(placed(known[id] for id in gone), ""),
            )
            await work.orders.update_lines(order.key, priced.other_than(existing))
            await work.orders.delete_lines(order.key, sorted(gone))
            await work.orders.save(order, after, [event])
        return Quoted(after, (), priced.problems)
