"""A user of the seller acts in the place of a buyer's user."""

from __future__ import annotations

from collections.abc import Sequence

from libs.auth import PartyKind, Principal
from libs.clock import Clock
from libs.errors import Kind, Violations, WaybillError, missing
from services import roles
from services.directory.application.ports import Accounts, DirectoryWork, Units
from services.directory.application.tokens.access_tokens import AccessTokens, Issued
from services.directory.application.tokens.issue_token import require_served
from services.directory.domain.tokens.grants import Account, Client, admits_company
from waybill.directory.v1 import reasons
from waybill.type.v1 import reasons as common

USER, CLIENT = "impersonation.user_id", "client_id"


class Impersonate:
    """Checks who asks and for whom; the token itself is made as every other."""

    def __init__(self, accounts: Accounts, access: AccessTokens, units: Units, clock: Clock) -> None:
        self._accounts = accounts
        self._access = access
        self._units = units
        self._clock = clock

    async def __call__(
        self, caller: Principal, client_id: str, user_id: str, buyer_id: str, wanted: Sequence[str], page: str = ""
    ) -> Issued:
        """Raises PARTY_NOT_ADMITTED, ROLE_MISSING, NOT_FOUND, IMPERSONATION_REFUSED and ORIGIN_NOT_ALLOWED.

        Nothing is said that such a caller could not read: users of the seller see every user.
        """
        _require_impersonator(caller)
        client = await self._accounts.client(client_id)
        if client is None:
            raise missing("API client", client_id[:100])
        user = await self._accounts.user(user_id=user_id)
        if user is None or (buyer_id and (user.party_kind, user.party_id) != (PartyKind.BUYER.value, buyer_id)):
            raise missing("user", user_id[:100])
        _check(client, user)
        require_served(client, page)
        issued = await self._access.make(client, user, wanted, by=caller)
        await self._record(user.id)
        return issued

    async def _record(self, user_id: str) -> None:
        """No token is handed out that the log of administrative acts knows nothing of."""
        now = self._clock.now()

        async def do(work: DirectoryWork) -> None:
            work.trail.note("user", user_id, now, action="Impersonate")

        await self._units.retrying(do)


def _require_impersonator(caller: Principal) -> None:
    if not caller.is_seller:
        why = "only users of the seller act in the place of others"
        raise WaybillError(Kind.DENIED, common.PARTY_NOT_ADMITTED, why, metadata={"parties": PartyKind.SELLER.value})
    caller.require(roles.BUYER_IMPERSONATION)


def _check(client: Client, user: Account) -> None:
    """Raises IMPERSONATION_REFUSED with every rule that is broken."""
    found, refused = Violations(), reasons.IMPERSONATION_REFUSED
    of_buyer = user.party_kind == PartyKind.BUYER.value
    found.require(USER, of_buyer, refused, "only users of buyers are impersonated, none of the seller or of a supplier")
    found.require(USER, user.active, refused, "the user is not active")
    found.require(USER, user.party_active, refused, "the company of the user is not active")
    found.require(CLIENT, client.active, refused, "the API client is not active")
    if of_buyer:
        found.require(CLIENT, admits_company(client, user), refused, "the API client does not admit the buyer")
    found.raise_if_any()
