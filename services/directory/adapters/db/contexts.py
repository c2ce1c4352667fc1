"""What other services ask about parties, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.ids import valid_id
from services.directory.adapters.db.tables import ADDRESS_ASSIGNMENTS, ADDRESSES, BUYERS, CLIENTS, SELLERS, USERS
from services.directory.domain.addresses import Assignment, default_id, usable
from services.directory.domain.ordering import OrderingBuyer, OrderingContext, OrderingUser

_ASSIGNED = sa.select(ADDRESS_ASSIGNMENTS).where(
    ADDRESS_ASSIGNMENTS.c.party == sa.bindparam("party"), ADDRESS_ASSIGNMENTS.c.user_id.in_(("", sa.bindparam("user")))
)
_ADDRESSES = sa.select(ADDRESSES.c.address).where(
    ADDRESSES.c.party == sa.bindparam("party"), ADDRESSES.c.id.in_(sa.bindparam("ids", expanding=True))
)
_BUYER = sa.select(BUYERS).where(BUYERS.c.id == sa.bindparam("buyer"))
_USER = sa.select(USERS).where(USERS.c.id == sa.bindparam("user"), USERS.c.party == sa.bindparam("party"))
_POLICY = sa.select(CLIENTS.c.policy, CLIENTS.c.active).where(CLIENTS.c.id == sa.bindparam("client"))


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

    async def ordering(self, buyer_id: str, user_id: str, client_id: str, address_ids: Collection[str]) -> OrderingContext:
        """Seller, buyer, user, policy, assignments and addresses: one statement each, however many addresses."""
        party = f"BUYER:{buyer_id}"
        async with self._db.reading() as tx:
            self._seller = await self._seller_in(tx)
            buyer = (await tx.execute(_BUYER, {"buyer": buyer_id})).first()
            user = (await tx.execute(_USER, {"user": user_id, "party": party})).first()
            channel = (await tx.execute(_POLICY, {"client": client_id})).first()
            assigned = [
                Assignment(row.address_id, row.user_id, row.shipping, row.billing)
                for row in await tx.execute(_ASSIGNED, {"party": party, "user": user_id})
            ]
            ship_id, bill_id = default_id(assigned, user_id, False), default_id(assigned, user_id, True)
            wanted = {id for id in (*address_ids, ship_id, bill_id) if valid_id(id)}
            rows: Sequence[Any] = ()
            if wanted:
                rows = (await tx.execute(_ADDRESSES, {"party": party, "ids": sorted(wanted)})).scalars().all()
        restricted = bool(buyer and buyer.restrict_addresses)
        allowed = {u.address["id"]: u for u in usable(rows, assigned, user_id, restricted)}
        ship_to, bill_to = allowed.get(ship_id), allowed.get(bill_id)
        return OrderingContext(
            seller_id=self._seller,
            buyer=None if buyer is None else _buyer(buyer),
            user=None if user is None else _user(user),
            channel_active=channel is None or bool(channel.active),
            policy=None if channel is None else channel.policy,
            shipping=None if ship_to is None else ship_to.address,
            billing=None if bill_to is None else bill_to.address,
            addresses=[allowed[id] for id in dict.fromkeys(address_ids) if id in allowed],
            missing=[id for id in dict.fromkeys(address_ids) if id not in allowed],
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


def _buyer(row: Any) -> OrderingBuyer:
    return OrderingBuyer(row.id, row.name, row.active, row.currency, row.restrict_addresses)


def _user(row: Any) -> OrderingUser:
    return OrderingUser(row.id, row.username, row.first_name, row.last_name, row.email, row.active)
