"""Who plays: every party with a token of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.host.sample.marketplace import PASSWORD, PORTAL, SHOP, SUPPLIERS
from waybill_client import AsyncWaybill


@dataclass(slots=True)
class People:
    """Clients, each signed in as somebody else."""

    owner: AsyncWaybill
    ada: AsyncWaybill
    bob: AsyncWaybill
    gil: AsyncWaybill
    sam: AsyncWaybill
    clerks: dict[str, AsyncWaybill]
    addresses: dict[str, str] = field(default_factory=dict)
    """Where single contexts are served, if not all at one address."""

    async def close(self) -> None:
        """Everyone goes home."""
        for client in (self.owner, self.ada, self.bob, self.gil, self.sam, *self.clerks.values()):
            await client.close()


async def sign_in(address: str, owner: AsyncWaybill, addresses: Mapping[str, str] | None = None) -> People:
    """Password grants for everyone. `addresses` says where single contexts are served."""

    async def person(client_id: str, username: str) -> AsyncWaybill:
        return await AsyncWaybill.connect(address, client_id, username=username, password=PASSWORD, addresses=addresses)

    return People(
        owner,
        await person(SHOP, "ada"),
        await person(SHOP, "bob"),
        await person(SHOP, "gil"),
        await person(PORTAL, "sam"),
        {supplier: await person(PORTAL, f"clerk-{supplier}") for supplier in SUPPLIERS},
        dict(addresses or {}),
    )
