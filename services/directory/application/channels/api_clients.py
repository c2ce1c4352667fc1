"""What API clients must obey: whoever commands a client could act as its default user, so it must hold those roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.auth import Principal
from libs.errors import Violations, precondition
from services.directory.application.bootstrap import ADMIN_CLIENT
from services.directory.application.ports import DirectoryWork, KnownUser
from services.directory.domain.access import beyond_anonymous, commands, token_roles
from waybill.directory.v1 import reasons


def own_roles(user: KnownUser | None, most: Sequence[str]) -> frozenset[str]:
    """What a token of the client itself carries."""
    return frozenset() if user is None else token_roles(user.held, most, ()) or frozenset()


@dataclass(frozen=True, slots=True)
class ClientValues:
    """An API client as it would become, and the field of the request that says so."""

    where: str
    default_user_id: str
    roles: Sequence[str]
    buyer_ids: Sequence[str]
    supplier_ids: Sequence[str]
    any_buyer: bool
    anonymous_user_id: str
    registration_buyer_id: str

    def users(self) -> list[str]:
        """All that it names."""
        return [id for id in (self.default_user_id, self.anonymous_user_id) if id]

    def admits(self, party: str) -> bool:
        """Whether users of a buyer may come through it."""
        kind, _, id = party.partition(":")
        return kind == "BUYER" and (self.any_buyer or id in self.buyer_ids)

    def companies(self) -> list[tuple[str, str]]:
        """(field, company) of all that it admits by name."""
        return [
            (f"{self.where}.{field}[{i}]", f"{kind}:{id}")
            for field, kind, ids in (("buyer_ids", "BUYER", self.buyer_ids), ("supplier_ids", "SUPPLIER", self.supplier_ids))
            for i, id in enumerate(ids)
        ] + [(f"{self.where}.registration_buyer_id", f"BUYER:{id}") for id in (self.registration_buyer_id,) if id]


async def check_clients(work: DirectoryWork, found: Violations, caller: Principal, clients: Sequence[ClientValues]) -> None:
    """Users and companies exist; the caller holds what the clients' own tokens carry."""
    known = await work.users.known({id for client in clients for id in client.users()})
    existing = await work.parties.existing({company for client in clients for _, company in client.companies()})
    for client in clients:
        where, user = f"{client.where}.default_user_id", known.get(client.default_user_id)
        there = user is not None or not client.default_user_id
        found.require(where, there, reasons.USER_NOT_FOUND, "there is no such user")
        commands(found, where, caller, own_roles(user, client.roles))
        for field, company in client.companies():
            found.require(field, company in existing, reasons.PARTY_NOT_FOUND, "the company does not exist")
        _check_visitors(found, caller, client, known)
        if client.registration_buyer_id:
            admitted = client.admits(f"BUYER:{client.registration_buyer_id}")
            where = f"{client.where}.registration_buyer_id"
            found.require(where, admitted, reasons.BUYER_NOT_ADMITTED, "the API client does not admit this buyer")


def _check_visitors(found: Violations, caller: Principal, client: ClientValues, known: Mapping[str, KnownUser]) -> None:
    """Whoever acts as this user has proven nothing: it is a buyer's, and can do no more than shop."""
    if not client.anonymous_user_id:
        return
    where, user = f"{client.where}.anonymous_user_id", known.get(client.anonymous_user_id)
    if user is None:
        found.add(where, reasons.USER_NOT_FOUND, "there is no such user")
        return
    admitted = client.admits(user.party)
    found.require(where, admitted, reasons.BUYER_NOT_ADMITTED, "is no user of a buyer that the API client admits")
    carried = own_roles(user, client.roles)
    if beyond := beyond_anonymous(carried):
        found.add(where, reasons.ROLE_NOT_AVAILABLE, f"whom everybody can be must not hold {', '.join(beyond)}")
    else:
        commands(found, where, caller, carried)


def client_may_go(caller: Principal, id: str) -> None:
    """Raises `CANNOT_BE_DELETED` for the client that makes the call, and for the owner's: by that one a marketplace whose
    secrets are lost is opened again."""
    if id in (ADMIN_CLIENT, caller.client_id):
        raise precondition(reasons.CANNOT_BE_DELETED, f"API client {id!r} stays", resource="API client", id=id)
