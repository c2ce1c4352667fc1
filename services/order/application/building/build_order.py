"""Makes an order and its lines from what a caller asks for and what directory and catalog say."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from libs.auth import PartyKind, Principal
from libs.clock import Clock
from libs.errors import Violations, denied, not_admitted
from libs.ids import IdSource, valid_id
from services import roles
from services.order.application.peers import Catalog, CatalogProduct, Directory, OrderingContext, Wanted
from services.order.domain.building.choices import chosen
from services.order.domain.building.cost_centers import check_cost_centers
from services.order.domain.building.drafts import LineDraft, OrderDraft, check_date_needed, check_lines
from services.order.domain.fees import fee_total
from services.order.domain.model import Address, Line, Order, OrderUser
from services.order.domain.status import OrderStatus
from services.order.domain.submission.readiness import Facts
from waybill.order.v1 import reasons

_ORDER_OVERRIDES = {"shipping_cost_override": roles.OVERRIDE_SHIPPING, "tax_override": roles.OVERRIDE_TAX}
_FEES = "fees"
_LINE_OVERRIDES = {"unit_price_override": roles.OVERRIDE_UNIT_PRICE, "discount_override": roles.OVERRIDE_DISCOUNT}


def require_override_roles(caller: Principal, fields: Collection[str]) -> None:
    """Overrides are for those who hold their roles, and fees for the seller's users among them. `fields` are those that a request
    sets or clears."""
    if _FEES in fields:
        if not caller.is_seller:
            raise not_admitted("order.fees", PartyKind.SELLER.value)
        caller.require(roles.OVERRIDE_FEES)
    for name, role in (_ORDER_OVERRIDES | _LINE_OVERRIDES).items():
        if name in fields:
            caller.require(role)


def overrides_of(order: OrderDraft | None, lines: Sequence[LineDraft]) -> set[str]:
    """Names of the overrides that something new is given."""
    given = {name for name in _ORDER_OVERRIDES if order is not None and getattr(order, name) is not None}
    if order is not None and order.fees:
        given.add(_FEES)
    return given | {name for name in _LINE_OVERRIDES if any(getattr(line, name) is not None for line in lines)}


class BuildOrder:
    """Used by CreateOrder and PlaceOrder; lines also by AddLineItems."""

    def __init__(self, directory: Directory, catalog: Catalog, clock: Clock, ids: IdSource) -> None:
        self._directory = directory
        self._catalog = catalog
        self._clock = clock
        self._ids = ids

    async def __call__(
        self, caller: Principal, draft: OrderDraft, drafts: Sequence[LineDraft], found: Violations
    ) -> tuple[Order, tuple[Line, ...], Facts]:
        """The order, UNSUBMITTED, with its lines; raises all violations at once."""
        draft = _of_guest(caller, draft, found)
        buyer_id, user_id = self._who(caller, draft, found)
        require_override_roles(caller, overrides_of(draft, drafts))
        check_lines(found, drafts)
        if draft.id:
            found.check_id("order.id", draft.id)
        wanted = address_ids(draft, drafts)
        products = {Wanted.by(line) for line in drafts}
        context, catalog = await asyncio.gather(
            self._context(caller, buyer_id, user_id, wanted, drafts), self._products(products, buyer_id, user_id)
        )
        now = self._clock.now()
        if context is None:
            # Nobody's addresses and no currency: the lines are judged by the rest.
            make_lines(found, drafts, catalog, None, 0, set(), now)
            text = f"there is no buyer {buyer_id!r}"
            found.require("order.from_party", not valid_id(buyer_id), reasons.BUYER_NOT_FOUND, text)
            raise found.error()
        self._check_context(found, draft, context)
        check_cost_centers(found, (d.cost_center for d in drafts), context.cost_centers)
        order = self._order(caller, draft, context, buyer_id, user_id, len(drafts), now, found)
        lines = make_lines(found, drafts, catalog, context, 0, set(), now)
        check_currencies(found, order.currency, [*draft.currencies, *(c for d in drafts for c in d.currencies)])
        found.raise_if_any()
        return order, lines, facts_of(context, catalog)

    def _who(self, caller: Principal, draft: OrderDraft, found: Violations) -> tuple[str, str]:
        if caller.party_kind is PartyKind.SUPPLIER:
            raise denied(roles.ORDER_ADMIN)
        if caller.party_kind is PartyKind.BUYER:
            if draft.buyer_id and draft.buyer_id != caller.party_id:
                found.add("order.from_party", reasons.BUYER_NOT_FOUND, f"there is no buyer {draft.buyer_id!r}")
            if draft.user_id and draft.user_id != caller.user_id:
                caller.require(roles.ORDER_ADMIN)
            else:
                caller.require(roles.SHOPPER, roles.ORDER_ADMIN)
            return caller.party_id, draft.user_id or caller.user_id
        caller.require(roles.ORDER_ADMIN)
        found.require("order.from_party.id", bool(draft.buyer_id), reasons.FIELD_REQUIRED, "is required")
        found.require("order.from_user.id", bool(draft.user_id), reasons.FIELD_REQUIRED, "is required")
        return draft.buyer_id, draft.user_id

    async def _products(self, wanted: Collection[Wanted], buyer_id: str, user_id: str) -> dict[str, CatalogProduct]:
        """What the buyer's user is shown. Where the seller names no buyer that can be, all that there is: the lines
        are judged by the rest."""
        if not valid_id(buyer_id):
            return await self._catalog.products(wanted, "", "")
        return await self._catalog.products(wanted, buyer_id, user_id if valid_id(user_id) else "")

    async def _context(
        self, caller: Principal, buyer_id: str, user_id: str, wanted: Collection[str], drafts: Sequence[LineDraft]
    ) -> OrderingContext | None:
        """What the directory says; None when there is no such buyer. Ids that are none are not asked about."""
        if not valid_id(buyer_id):
            return None
        user = user_id if valid_id(user_id) else ""
        named = {draft.cost_center for draft in drafts}
        context = await self._directory.ordering_context(
            buyer_id, user, caller.client_id, wanted, caller.is_guest, cost_centers=named
        )
        return context if context.buyer_exists else None

    def _check_context(self, found: Violations, draft: OrderDraft, context: OrderingContext) -> None:
        if not context.buyer_active:
            found.add("order.from_party", reasons.BUYER_INACTIVE, "the buyer may not order")
        if context.user is None:
            # What is no id has been reported already.
            if all(v.field != "order.from_user.id" for v in found.items):
                found.add("order.from_user", reasons.BUYER_NOT_FOUND, "the buyer has no such user")
        elif not context.user_active:
            found.add("order.from_user", reasons.BUYER_INACTIVE, "the user may not order")
        if draft.currency and draft.currency != context.currency:
            found.add("order.currency", reasons.CURRENCY_MISMATCH, f"this buyer orders in {context.currency}")

    def _order(
        self,
        caller: Principal,
        draft: OrderDraft,
        context: OrderingContext,
        buyer_id: str,
        user_id: str,
        lines: int,
        now: datetime,
        found: Violations,
    ) -> Order:
        shipping_id, shipping = resolve_address(
            found,
            "order.shipping_address",
            draft.shipping_address_id,
            draft.shipping_address,
            context,
            context.default_shipping_address,
        )
        billing_id, billing = resolve_address(
            found,
            "order.billing_address",
            draft.billing_address_id,
            draft.billing_address,
            context,
            context.default_billing_address,
            billing=True,
        )
        return Order(
            key=self._ids.key(),
            id=draft.id or self._ids.public("ord"),
            seller_id=context.seller_id,
            buyer_id=buyer_id,
            # Without a user a violation is noted, and the order is thrown away.
            user=_user(caller, draft, context.user or OrderUser(user_id)),
            guest=caller.is_guest,
            created_by=caller.user_id,
            client_id=caller.client_id,
            currency=draft.currency or context.currency,
            status=OrderStatus.UNSUBMITTED,
            policy=context.policy,
            create_time=now,
            update_time=now,
            line_item_count=lines,
            shipping_cost_override=draft.shipping_cost_override,
            tax_override=draft.tax_override,
            gratuity=draft.gratuity,
            fees=draft.fees,
            total=draft.gratuity + fee_total(draft.fees),
            shipping_address_id=shipping_id,
            shipping_address=shipping,
            billing_address_id=billing_id,
            billing_address=billing,
            comments=draft.comments,
            xp=draft.xp,
            tax_exemptions=context.tax_exemptions,
        )


def _of_guest(caller: Principal, draft: OrderDraft, found: Violations) -> OrderDraft:
    """A guest makes one order, the one that its token is for, whether it names it or not."""
    if not caller.is_guest:
        return draft
    text = f"the token is for the order {caller.order_id!r}"
    found.require("order.id", draft.id in ("", caller.order_id), reasons.OTHER_ORDER, text)
    return replace(draft, id=caller.order_id)


def _user(caller: Principal, draft: OrderDraft, user: OrderUser) -> OrderUser:
    """The user as the directory has it, or as a guest calls itself: of the user that guests share nothing but the id stands."""
    given = draft.guest
    return OrderUser(user.id, given.first_name, given.last_name, given.email) if caller.is_guest else user


def facts_of(context: OrderingContext, catalog: Mapping[str, CatalogProduct]) -> Facts:
    """What directory and catalog say of an order's parts, as a submit looks at it."""
    return Facts(
        buyer_active=context.buyer_active,
        user_active=context.user_active,
        policy=context.policy,
        products={p.id: p.article for p in catalog.values() if p.active},
        channel_active=context.channel_active,
        channel_admits=context.channel_admits,
        currency=context.currency,
        restrict_addresses=context.restrict_addresses,
        shipping_addresses=_with(context.default_shipping_address, context.shipping_addresses),
        billing_addresses=_with(context.default_billing_address, context.billing_addresses),
        tax_exemptions=context.tax_exemptions,
        cost_centers=context.cost_centers,
    )


def _with(default: Address | None, named: Mapping[str, Address]) -> Mapping[str, Address]:
    return named if default is None else {str(default.get("id", "")): default, **named}


def address_ids(draft: OrderDraft, drafts: Sequence[LineDraft]) -> set[str]:
    """Ids of the addresses that a request names."""
    return {draft.shipping_address_id, draft.billing_address_id, *(d.shipping_address_id for d in drafts)} - {""}


def resolve_address(
    found: Violations,
    field: str,
    id: str,
    given: Address | None,
    context: OrderingContext | None,
    default: Address | None = None,
    *,
    billing: bool = False,
) -> tuple[str, Address | None]:
    """The address meant, to ship to or else to bill to: one of the book by its id, a one-time one, or the default. No
    context judges none."""
    if context is None:
        return id, given
    if id:
        known = (context.billing_addresses if billing else context.shipping_addresses).get(id)
        if known is None and valid_id(id):
            use = "bill" if billing else "ship"
            found.add(f"{field}_id", reasons.ADDRESS_NOT_FOUND, f"there is no address {id!r} that this user may {use} to")
        return id, known
    if given is not None:
        if context.restrict_addresses:
            found.add(field, reasons.ADDRESS_RESTRICTED, "this buyer ships to assigned addresses of its book only")
        return "", given
    return ("", None) if default is None else (str(default.get("id", "")), default)


def check_currencies(found: Violations, currency: str, used: Collection[tuple[str, str]]) -> None:
    """Every amount of a request is in the order's currency."""
    for field, code in used:
        if code != currency:
            found.add(field, reasons.CURRENCY_MISMATCH, f"must be in {currency}, not {code or 'none'}")


def make_lines(
    found: Violations,
    drafts: Sequence[LineDraft],
    catalog: dict[str, CatalogProduct],
    context: OrderingContext | None,
    last_position: int,
    taken: set[str],
    now: datetime,
) -> tuple[Line, ...]:
    """Lines with a snapshot of their product; unknown and inactive products are violations."""
    used = taken | {draft.id for draft in drafts if draft.id}
    made: list[Line] = []
    for i, draft in enumerate(drafts):
        where = f"line_items[{i}]"
        product = catalog.get(draft.product_id)
        if product is None:
            if valid_id(draft.product_id):
                text = f"there is no product {draft.product_id!r}"
                found.add(f"{where}.product_id", reasons.PRODUCT_NOT_FOUND, text)
            continue
        if not product.active:
            text = f"product {draft.product_id!r} is not active"
            found.add(f"{where}.product_id", reasons.PRODUCT_INACTIVE, text)
        if draft.id in taken:
            found.add(f"{where}.id", reasons.DUPLICATE_ITEM, f"the order has a line {draft.id!r} already")
        address_id, address = resolve_address(
            found, f"{where}.shipping_address", draft.shipping_address_id, draft.shipping_address, context
        )
        check_date_needed(found, where, draft.date_needed, now)
        made_of = chosen(found, where, product.article.offered, draft.specs, draft.variant_id)
        position = last_position + i + 1
        made.append(
            Line(
                id=draft.id or _free_id(position, used),
                position=position,
                product_id=draft.product_id,
                quantity=draft.quantity,
                product=product.article.as_chosen(made_of.variant),
                variant_id=made_of.variant.id if made_of.variant else "",
                choices=made_of.choices,
                create_time=now,
                unit_price_override=draft.unit_price_override,
                discount_override=draft.discount_override,
                shipping_address_id=address_id,
                shipping_address=address,
                pickup_location_id=draft.pickup_location_id,
                inventory_record_id=draft.inventory_record_id,
                date_needed=draft.date_needed,
                cost_center=draft.cost_center,
                shipping_account=draft.shipping_account,
                comments=draft.comments,
                xp=draft.xp,
            )
        )
    return tuple(made)


def _free_id(position: int, used: set[str]) -> str:
    id = f"l{position}"
    while id in used:
        position += 1
        id = f"l{position}"
    used.add(id)
    return id
