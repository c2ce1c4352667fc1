"""What other services ask about parties, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.ids import valid_id
from services.directory.adapters.db.resources import assigned_to, charged_by, kept_for
from services.directory.adapters.db.tables import ADDRESS_ASSIGNMENTS, ADDRESSES, BUYERS, CLIENTS, COST_CENTERS, SELLERS, USERS
from services.directory.domain.address_book.addresses import Assignment, Fields, default_id, usable
from services.directory.domain.parties.ordering import OrderingBuyer, OrderingContext, OrderingUser

_USER_ID = sa.bindparam("user", type_=sa.String())
_ASSIGNED = (
    sa.select(ADDRESS_ASSIGNMENTS)
    .join(
        ADDRESSES, sa.and_(ADDRESSES.c.party == ADDRESS_ASSIGNMENTS.c.party, ADDRESSES.c.id == ADDRESS_ASSIGNMENTS.c.address_id)
    )
    .where(ADDRESS_ASSIGNMENTS.c.party == sa.bindparam("party"), assigned_to(_USER_ID), kept_for(_USER_ID))
)
"""What a colleague keeps for itself is nobody else's default, whoever assigned it."""
_ADDRESSES = sa.select(ADDRESSES.c.user_id, ADDRESSES.c.address).where(
    ADDRESSES.c.party == sa.bindparam("party"), ADDRESSES.c.id.in_(sa.bindparam("ids", expanding=True))
)
_WHO = ("id", "name", "active", "currency", "restrict_addresses", "tax_exemptions")
_USER = ("id", "username", "first_name", "last_name", "email", "active")
_CHANNEL = ("policy", "active", "allow_seller", "allow_any_buyer", "buyer_ids", "allowed_origins")
_ADMITTING = CLIENTS.alias("admitting")
_ADMITS = ("active", "allow_any_buyer", "buyer_ids")


def _named(table: sa.FromClause, names: Sequence[str], mark: str) -> list[sa.Label[Any]]:
    return [table.c[name].label(mark + name) for name in names]


_PEOPLE = (
    sa.select(
        *_named(BUYERS, _WHO, "b_"),
        *_named(USERS, _USER, "u_"),
        *_named(CLIENTS, _CHANNEL, "c_"),
        *_named(_ADMITTING, _ADMITS, "a_"),
        sa.exists().where(COST_CENTERS.c.buyer_id == sa.bindparam("buyer")).label("charges"),
    )
    .select_from(sa.select(sa.literal_column("1").label("one")).subquery("one"))
    .outerjoin(BUYERS, BUYERS.c.id == sa.bindparam("buyer"))
    .outerjoin(USERS, sa.and_(USERS.c.id == sa.bindparam("user"), USERS.c.party == sa.bindparam("party")))
    .outerjoin(CLIENTS, CLIENTS.c.id == sa.bindparam("client"))
    .outerjoin(_ADMITTING, _ADMITTING.c.id == sa.bindparam("admitting"))
)
"""Buyer, user and API client in one row, whichever of them there are, and whether the buyer has cost centers."""
_CHARGED = sa.select(COST_CENTERS.c.id).where(
    COST_CENTERS.c.id.in_(sa.bindparam("ids", expanding=True)),
    COST_CENTERS.c.buyer_id == sa.bindparam("buyer"),
    COST_CENTERS.c.active,
    charged_by(_USER_ID),
)
"""Cost centers that the user may name on a line."""


def _admits(people: sa.RowMapping, buyer_id: str) -> bool:
    """Whether the API client that is asked of lets users of the buyer come through it."""
    return bool(people["a_active"]) and (bool(people["a_allow_any_buyer"]) or buyer_id in (people["a_buyer_ids"] or ()))


class SqlContexts:
    """Reads ordering contexts and address books."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._seller = ""

    async def seller_id(self) -> str:
        """The id of the seller; it never changes."""
        if not self._seller:
            async with self._db.reading() as tx:
                self._seller = await self._seller_in(tx)
        return self._seller

    async def _seller_in(self, tx: Tx) -> str:
        return self._seller or str((await tx.execute(sa.select(SELLERS.c.id))).scalar() or "")

    async def ordering(
        self,
        buyer_id: str,
        user_id: str,
        client_id: str,
        address_ids: Collection[str],
        guest: bool = False,
        admitting: str = "",
        cost_center_ids: Collection[str] = (),
    ) -> OrderingContext:
        """Four statements or less, however many addresses and cost centers: buyer, user and policy come as one row."""
        party = f"BUYER:{buyer_id}"
        async with self._db.reading() as tx:
            self._seller = await self._seller_in(tx)
            named = {"buyer": buyer_id, "user": user_id, "party": party, "client": client_id, "admitting": admitting or client_id}
            people = (await tx.execute(_PEOPLE, named)).mappings().one()
            assigned = [
                Assignment(row.address_id, row.user_id, row.shipping, row.billing, row.user_group_id)
                for row in await tx.execute(_ASSIGNED, {"party": party, "user": user_id})
            ]
            if guest:
                assigned = [one for one in assigned if not one.user_id and not one.group_id]
            ship_id, bill_id = default_id(assigned, user_id, False), default_id(assigned, user_id, True)
            wanted = {id for id in (*address_ids, ship_id, bill_id) if valid_id(id)}
            book: list[tuple[str, Fields]] = []
            if wanted:
                rows = await tx.execute(_ADDRESSES, {"party": party, "ids": sorted(wanted)})
                book = [(row.user_id, row.address) for row in rows]
            charged: list[str] = []
            if people["charges"] and (named_centers := sorted({id for id in cost_center_ids if valid_id(id)})):
                # What is assigned to the user that guests share is no guest's.
                who = {"buyer": buyer_id, "user": "" if guest else user_id, "ids": named_centers}
                charged = list((await tx.execute(_CHARGED, who)).scalars())
        restricted = bool(people["b_restrict_addresses"])
        # What the user keeps that guests share is no guest's.
        whose = "" if guest else user_id
        allowed = {u.address["id"]: u for u in usable(book, assigned, whose, restricted or guest)}
        ship_to, bill_to = allowed.get(ship_id), allowed.get(bill_id)
        return OrderingContext(
            seller_id=self._seller,
            buyer=None if people["b_id"] is None else OrderingBuyer(*(people[f"b_{name}"] for name in _WHO)),
            user=None if people["u_id"] is None else OrderingUser(*(people[f"u_{name}"] for name in _USER)),
            channel_active=people["c_active"] is None or bool(people["c_active"]),
            buyer_admitted=_admits(people, buyer_id),
            channel_admits=people["c_active"] is None
            or bool(people["c_allow_seller"] or people["c_allow_any_buyer"])
            or buyer_id in people["c_buyer_ids"],
            policy=None if people["c_active"] is None else people["c_policy"],
            shipping=None if ship_to is None else ship_to.address,
            billing=None if bill_to is None else bill_to.address,
            addresses=[allowed[id] for id in dict.fromkeys(address_ids) if id in allowed],
            missing=[id for id in dict.fromkeys(address_ids) if id not in allowed],
            allowed_origins=people["c_allowed_origins"] or (),
            has_cost_centers=bool(people["charges"]),
            cost_centers=charged,
        )

    async def addresses(self, refs: Collection[tuple[str, str]]) -> list[tuple[str, dict[str, Any]]]:
        """Addresses of any book by (company, id), in one statement."""
        a = ADDRESSES.c
        wanted = {(party, id) for party, id in refs if valid_id(id) and "\0" not in party}
        if not wanted:
            return []
        ids = sorted({id for _, id in wanted})
        parties = sorted({party for party, _ in wanted})
        statement = sa.select(a.party, a.id, a.address).where(a.party.in_(parties), a.id.in_(ids))
        async with self._db.reading() as tx:
            rows = (await tx.execute(statement)).all()
        return [(row.party, row.address) for row in rows if (row.party, row.id) in wanted]
