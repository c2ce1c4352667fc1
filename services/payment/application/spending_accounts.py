"""What spending accounts have beside the standard methods: who may use them, and money in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from libs.clock import Clock
from libs.errors import invalid, missing, precondition
from libs.ids import IdSource
from services.payment.application.ports import MeansStore, Request, RequestStore, Transactions, Tx
from services.payment.domain.ledger import issued


class SpendingAccounts:
    """Assign, unassign, adjust; and the opening balance of new ones."""

    def __init__(self, database: Transactions, means: MeansStore, requests: RequestStore, clock: Clock, ids: IdSource) -> None:
        self._db = database
        self._means = means
        self._requests = requests
        self._clock = clock
        self._ids = ids

    async def opened(self, tx: Tx, accounts: Sequence[tuple[str, str, int]]) -> None:
        """Posts opening balances of new accounts: (id, currency, amount)."""
        movements = [
            issued(self._ids.public("mov"), id, currency, amount, "opening balance")
            for id, currency, amount in accounts
            if amount
        ]
        await self._means.post(tx, movements, self._clock.now())

    async def assign(self, rows: Mapping[tuple[str, str], bool], request: Request) -> list[str]:
        """Lets users pay: (account, user) with allow_exceed. Returns accounts that do not exist; then nothing is
        stored."""

        async def work(tx: Tx) -> list[str]:
            if await self._requests.claim(tx, request, {}, self._clock.now()) is not None:
                return []
            unknown = await self._means.assign(tx, rows)
            if unknown:
                raise UnknownAccountsError(unknown)
            return []

        try:
            return await self._db.retrying(work)
        except UnknownAccountsError as error:
            return error.ids

    async def unassign(self, pairs: Sequence[tuple[str, str]], request: Request) -> None:
        """Takes it back; orders that are submitted keep what they hold."""

        async def work(tx: Tx) -> None:
            if await self._requests.claim(tx, request, {}, self._clock.now()) is None:
                await self._means.unassign(tx, pairs)

        await self._db.retrying(work)

    async def adjust(self, id: str, amount: int, currency: str, description: str, request: Request) -> None:
        """Adds to a balance, or takes from what is not reserved."""

        async def work(tx: Tx) -> None:
            now = self._clock.now()
            recorded = await self._requests.claim(tx, request, {}, now)
            account = (await self._means.accounts(tx, [id], lock=True)).get(id)
            if account is None:
                raise missing("spending account", id)
            if recorded is not None:
                return
            if currency != account.currency:
                raise invalid("amount", "CURRENCY_MISMATCH", f"must be in {account.currency}")
            if amount < 0 and account.balance - account.reserved + amount < 0:
                raise precondition("BALANCE_EXCEEDED", f"account {id} has not that much", spending_account=id)
            movement = issued(self._ids.public("mov"), id, currency, amount, description or "adjustment")
            await self._means.post(tx, [movement], now)

        await self._db.retrying(work)


class UnknownAccountsError(Exception):
    """Undoes the transaction."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__()
        self.ids = ids
