"""What spending accounts have beside the standard methods: who may use them, and money in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from libs.clock import Clock
from libs.errors import invalid, missing, precondition
from libs.idempotency.key import RequestKey
from libs.ids import IdSource
from services.payment.application.ports import PaymentWork, Units
from services.payment.domain.means.assignments import Key
from services.payment.domain.money.ledger import Asked, issued
from services.payment.domain.payments.units import smallest
from waybill.payment.v1 import reasons


class SpendingAccounts:
    """Assign, unassign, adjust; and the opening balance of new ones."""

    def __init__(self, units: Units, clock: Clock, ids: IdSource) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids

    async def opened(self, work: PaymentWork, accounts: Sequence[tuple[str, str, int]], asked: Asked) -> None:
        """Posts opening balances of new accounts: (id, currency, amount)."""
        movements = [
            issued(self._ids.public("mov"), id, currency, amount, "opening balance", asked)
            for id, currency, amount in accounts
            if amount
        ]
        await work.means.post(movements, self._clock.now())

    async def assign(self, rows: Mapping[Key, bool], request: RequestKey | None) -> list[str]:
        """Lets users pay: assignments with allow_exceed. Returns accounts that do not exist; then nothing is
        stored."""

        async def store(work: PaymentWork) -> list[str]:
            if await work.requests.claim(request, {}, self._clock.now()) is not None:
                return []
            unknown = await work.assignments.assign_accounts(rows, self._clock.now())
            if unknown:
                raise UnknownAccountsError(unknown)
            return []

        try:
            return await self._units.retrying(store)
        except UnknownAccountsError as error:
            return error.ids

    async def unassign(self, keys: Sequence[Key], request: RequestKey | None) -> None:
        """Takes it back; orders that are submitted keep what they hold."""

        async def take_back(work: PaymentWork) -> None:
            if await work.requests.claim(request, {}, self._clock.now()) is None:
                await work.assignments.unassign_accounts(keys, self._clock.now())

        await self._units.retrying(take_back)

    async def adjust(
        self, id: str, amount: int, currency: str, description: str, asked: Asked, request: RequestKey | None
    ) -> None:
        """Adds to a balance, or takes from what is not reserved."""
        made = self._ids.public("mov")

        async def post(work: PaymentWork) -> None:
            now = self._clock.now()
            recorded = await work.requests.claim(request, {"adjustments": [made]}, now)
            account = (await work.means.accounts([id], lock=True)).get(id)
            if account is None:
                raise missing("spending account", id)
            if recorded is not None:
                return
            if currency != account.currency:
                raise invalid("amount", reasons.CURRENCY_MISMATCH, f"must be in {account.currency}")
            if amount % smallest(account.currency, account.unit_digits):
                raise invalid("amount", reasons.AMOUNT_TOO_PRECISE, f"{account.currency} has no such amount")
            if amount < 0 and account.balance - account.reserved + amount < 0:
                raise precondition(reasons.BALANCE_EXCEEDED, f"account {id} has not that much", spending_account=id)
            movement = issued(made, id, currency, amount, description or "adjustment", asked)
            await work.means.post([movement], now)

        await self._units.retrying(post)


class UnknownAccountsError(Exception):
    """Undoes the transaction."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__()
        self.ids = ids
