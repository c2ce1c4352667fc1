"""SpendingAccountService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs import idempotency
from libs.auth import PartyKind, roles
from libs.clock import Clock
from libs.db import Database, Tx
from libs.errors import Violations, missing, precondition
from libs.ids import IdSource
from libs.protoconv import money_in, text_in
from libs.resource import StandardMethods
from libs.rpc import current
from services.payment.adapters.db.payment_store import SqlPaymentStore
from services.payment.adapters.db.tables import ACCOUNT, ACCOUNT_ASSIGNMENTS, ACCOUNTS, REQUESTS
from services.payment.domain.ledger import Movement, issued
from waybill.payment.v1 import spending_account_service_pb2 as pb
from waybill.payment.v1 import spending_account_service_pb2_grpc as pb_grpc

BATCH = 1_000


def _admin() -> None:
    current().principal.require(roles.SPENDING_ACCOUNT_ADMIN)


def _visible() -> sa.ColumnElement[bool] | None:
    """Buyers see accounts assigned to them; the seller all; suppliers none."""
    caller = current().principal
    if caller.party_kind is PartyKind.SELLER:
        return None
    if caller.party_kind is not PartyKind.BUYER:
        return sa.false()
    a = ACCOUNT_ASSIGNMENTS.c
    mine = sa.select(a.spending_account_id).where(a.user_id.in_(["", caller.user_id]))
    return sa.and_(ACCOUNTS.c.buyer_id == caller.party_id, ACCOUNTS.c.id.in_(mine))


class SpendingAccountServicer(pb_grpc.SpendingAccountServiceServicer):
    """Balances that buyers pay with."""

    def __init__(
        self, accounts: StandardMethods, store: SqlPaymentStore, database: Database, clock: Clock, ids: IdSource
    ) -> None:
        self._accounts = accounts
        self._store = store
        self._db = database
        self._clock = clock
        self._ids = ids

    async def CreateSpendingAccount(
        self, request: pb.CreateSpendingAccountRequest, context: Any
    ) -> pb.CreateSpendingAccountResponse:
        (made,) = await self._create(request, [request.spending_account], "spending_account")
        return pb.CreateSpendingAccountResponse(spending_account=made)

    async def BatchCreateSpendingAccounts(
        self, request: pb.BatchCreateSpendingAccountsRequest, context: Any
    ) -> pb.BatchCreateSpendingAccountsResponse:
        made = await self._create(request, request.spending_accounts, "spending_accounts")
        return pb.BatchCreateSpendingAccountsResponse(spending_accounts=made)

    async def _create(self, request: Any, accounts: Sequence[pb.SpendingAccount], where: str) -> list[Any]:
        _admin()
        found = Violations()
        opening: list[int] = []
        for i, account in enumerate(accounts):
            path = f"{where}[{i}].opening_balance" if where.endswith("s") else f"{where}.opening_balance"
            given = account.HasField("opening_balance")
            opening.append(money_in(found, path, account.opening_balance, account.currency) if given else 0)
        found.raise_if_any()

        async def post(tx: Tx, rows: list[dict[str, Any]]) -> None:
            movements: list[Movement] = []
            for row, amount in zip(rows, opening, strict=True):
                row["balance"] = amount
                if amount:
                    movements.append(
                        issued(f"{row['id']}/opening", row["id"], row["currency"], amount, "opening balance")
                    )
            await self._store.post(tx, movements, self._clock.now())

        return await self._accounts.create(request, accounts, where, then=post)

    async def GetSpendingAccount(
        self, request: pb.GetSpendingAccountRequest, context: Any
    ) -> pb.GetSpendingAccountResponse:
        found = await self._accounts.get(request.spending_account_id, _visible())
        return pb.GetSpendingAccountResponse(spending_account=found)

    async def ListSpendingAccounts(
        self, request: pb.ListSpendingAccountsRequest, context: Any
    ) -> pb.ListSpendingAccountsResponse:
        page, token = await self._accounts.list(request, _visible())
        return pb.ListSpendingAccountsResponse(spending_accounts=page, next_page_token=token)

    async def UpdateSpendingAccount(
        self, request: pb.UpdateSpendingAccountRequest, context: Any
    ) -> pb.UpdateSpendingAccountResponse:
        _admin()
        made = await self._accounts.update(request, request.spending_account, "spending_account")
        return pb.UpdateSpendingAccountResponse(spending_account=made)

    async def AssignSpendingAccounts(
        self, request: pb.AssignSpendingAccountsRequest, context: Any
    ) -> pb.AssignSpendingAccountsResponse:
        _admin()
        found = Violations()
        few = 0 < len(request.assignments) <= BATCH
        found.require("assignments", few, "TOO_MANY_ITEMS", f"1 to {BATCH:,}")
        for i, item in enumerate(request.assignments):
            found.check_id(f"assignments[{i}].spending_account_id", item.spending_account_id)
            found.check_id(f"assignments[{i}].user_id", item.user_id, required=False)
        found.raise_if_any()
        key = idempotency.key_of(current().principal, current().method, request)
        rows = {
            (a.spending_account_id, a.user_id): {
                "spending_account_id": a.spending_account_id, "user_id": a.user_id, "allow_exceed": a.allow_exceed,
            }
            for a in request.assignments
        }  # fmt: skip

        async def work(tx: Tx) -> None:
            if await idempotency.claim(tx, REQUESTS, key, {}, self._clock.now()) is not None:
                return
            ids = sorted({id for id, _ in rows})
            known = set((await tx.execute(sa.select(ACCOUNTS.c.id).where(ACCOUNTS.c.id.in_(ids)))).scalars())
            for i, item in enumerate(request.assignments):
                found.require(
                    f"assignments[{i}].spending_account_id", item.spending_account_id in known,
                    "SPENDING_ACCOUNT_NOT_FOUND", f"there is no account {item.spending_account_id!r}",
                )  # fmt: skip
            found.raise_if_any()
            insert = tx.insert(ACCOUNT_ASSIGNMENTS)
            await tx.execute(
                insert.on_conflict_do_update(
                    index_elements=["spending_account_id", "user_id"],
                    set_={"allow_exceed": insert.excluded.allow_exceed},
                ),
                [rows[pair] for pair in sorted(rows)],
            )

        await self._db.retrying(work)
        return pb.AssignSpendingAccountsResponse()

    async def AdjustSpendingAccount(
        self, request: pb.AdjustSpendingAccountRequest, context: Any
    ) -> pb.AdjustSpendingAccountResponse:
        _admin()
        found = Violations()
        amount = money_in(found, "amount", request.amount, negative=True)
        description = text_in(found, "description", request.description, 200)
        found.check_id("spending_account_id", request.spending_account_id)
        found.raise_if_any()
        key = idempotency.key_of(current().principal, current().method, request)
        id = request.spending_account_id

        async def work(tx: Tx) -> Any:
            now = self._clock.now()
            recorded = await idempotency.claim(tx, REQUESTS, key, {}, now)
            account = (await self._store.accounts(tx, [id], lock=True)).get(id)
            if account is None:
                raise missing("spending account", id)
            if recorded is None:
                if request.amount.currency_code != account.currency:
                    found.add("amount", "CURRENCY_MISMATCH", f"must be in {account.currency}")
                    found.raise_if_any()
                if account.balance - account.reserved + amount < 0:
                    raise precondition("BALANCE_EXCEEDED", f"account {id} has not that much", account=id)
                movement = issued(
                    self._ids.public("adj"), id, account.currency, amount, description or "adjustment"
                )
                await self._store.post(tx, [movement], now)
            row = (await tx.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.id == id))).mappings().one()
            return ACCOUNT.write(row)

        return pb.AdjustSpendingAccountResponse(spending_account=await self._db.retrying(work))
