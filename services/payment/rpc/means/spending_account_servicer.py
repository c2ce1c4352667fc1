"""SpendingAccountService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.errors import Violations
from libs.idempotency.key import RequestKey, key_of
from libs.protoconv import currency_in, money_in, text_in
from libs.query.request import page_request
from libs.resource.contract import Items, Methods
from libs.rpc import current
from libs.rpc.call import calling_as
from services.payment.application.means.payer_groups import PayerGroups
from services.payment.application.means.spending_accounts import SpendingAccounts
from services.payment.application.ports import AssignmentLists, PaymentWork
from services.payment.domain.means import assignments
from services.payment.domain.money.ledger import Asked
from services.payment.domain.payments.units import MAX_DIGITS, is_currency, is_unit, smallest
from waybill.payment.v1 import reasons
from waybill.payment.v1 import spending_account_service_pb2 as pb
from waybill.payment.v1 import spending_account_service_pb2_grpc as pb_grpc


def _key(request: Any) -> RequestKey | None:
    return key_of(current().principal, current().method, request)


def _asked(request: Any) -> Asked:
    return Asked(current().principal.user_id, request.request_id)


class SpendingAccountServicer(pb_grpc.SpendingAccountServiceServicer):
    """Balances that buyers pay with."""

    def __init__(
        self, standard: Methods[PaymentWork], accounts: SpendingAccounts, groups: PayerGroups, lists: AssignmentLists
    ) -> None:
        self._standard = standard
        self._lists = lists
        self._accounts = accounts
        self._groups = groups

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

        opening: list[int] = []

        async def check(_: PaymentWork, found: Violations, items: Items) -> None:
            opening.clear()
            for (path, row), account in zip(items, accounts, strict=False):
                row |= {"balance": 0, "reserved": 0}
                opening.append(opening_in(found, path, account, row["currency"]))

        async def post(work: PaymentWork, rows: list[dict[str, Any]]) -> None:
            pairs = list(zip(rows, opening, strict=True))
            opened = [(row["id"], row["currency"], amount) for row, amount in pairs]
            await self._accounts.opened(work, opened, _asked(request))
            for row, amount in pairs:
                row["balance"] = amount

        return await self._standard.create(request, accounts, where, guard=check, then=post)

    async def GetSpendingAccount(self, request: pb.GetSpendingAccountRequest, context: Any) -> pb.GetSpendingAccountResponse:
        with calling_as(await self._groups.knowing(current().principal)):
            found = await self._standard.get(request.spending_account_id)
        return pb.GetSpendingAccountResponse(spending_account=found)

    async def ListSpendingAccounts(
        self, request: pb.ListSpendingAccountsRequest, context: Any
    ) -> pb.ListSpendingAccountsResponse:
        with calling_as(await self._groups.knowing(current().principal)):
            page = await self._standard.list(request)
        return pb.ListSpendingAccountsResponse(
            spending_accounts=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateSpendingAccount(
        self, request: pb.UpdateSpendingAccountRequest, context: Any
    ) -> pb.UpdateSpendingAccountResponse:
        made = await self._standard.update(request, request.spending_account, "spending_account")
        return pb.UpdateSpendingAccountResponse(spending_account=made)

    async def DeleteSpendingAccount(
        self, request: pb.DeleteSpendingAccountRequest, context: Any
    ) -> pb.DeleteSpendingAccountResponse:
        await self._standard.delete(request, request.spending_account_id)
        return pb.DeleteSpendingAccountResponse()

    async def AssignSpendingAccounts(
        self, request: pb.AssignSpendingAccountsRequest, context: Any
    ) -> pb.AssignSpendingAccountsResponse:
        items = request.assignments
        found = Violations()
        keys = [_assignment(a) for a in items]
        assignments.check(found, "spending_account_id", keys, each_once=True)
        found.raise_if_any()
        rows = {key: a.allow_exceed for key, a in zip(keys, items, strict=True)}
        unknown = set(await self._accounts.assign(rows, _key(request)))
        for i, item in enumerate(items):
            found.require(
                f"assignments[{i}].spending_account_id",
                item.spending_account_id not in unknown,
                reasons.SPENDING_ACCOUNT_NOT_FOUND,
                f"there is no account {item.spending_account_id!r}",
            )
        found.raise_if_any()
        return pb.AssignSpendingAccountsResponse()

    async def UnassignSpendingAccounts(
        self, request: pb.UnassignSpendingAccountsRequest, context: Any
    ) -> pb.UnassignSpendingAccountsResponse:
        found = Violations()
        keys = [_assignment(a) for a in request.assignments]
        assignments.check(found, "spending_account_id", keys, each_once=False)
        found.raise_if_any()
        await self._accounts.unassign(keys, _key(request))
        return pb.UnassignSpendingAccountsResponse()

    async def ListSpendingAccountAssignments(
        self, request: pb.ListSpendingAccountAssignmentsRequest, context: Any
    ) -> pb.ListSpendingAccountAssignmentsResponse:
        page = await self._lists.accounts(current().principal, page_request(request))
        return pb.ListSpendingAccountAssignmentsResponse(
            assignments=[
                pb.SpendingAccountAssignment(spending_account_id=id, user_id=user, user_group_id=group, allow_exceed=exceed)
                for (id, user, group), exceed in page.items
            ],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )

    async def AdjustSpendingAccount(
        self, request: pb.AdjustSpendingAccountRequest, context: Any
    ) -> pb.AdjustSpendingAccountResponse:
        found = Violations()
        amount, currency = adjustment_in(found, request)
        found.check_id("spending_account_id", request.spending_account_id)
        found.raise_if_any()
        id = request.spending_account_id
        await self._accounts.adjust(id, amount, currency, request.description, _asked(request), _key(request))
        return pb.AdjustSpendingAccountResponse(spending_account=await self._standard.get(id))


def opening_in(found: Violations, where: str, account: pb.SpendingAccount, currency: str) -> int:
    """What an account begins with."""
    if not account.HasField("opening_balance"):
        return 0
    amount = money_in(found, f"{where}.opening_balance", account.opening_balance, currency)
    if not is_currency(currency) and 0 <= account.unit_digits <= MAX_DIGITS:
        precise = amount % smallest(currency, account.unit_digits) == 0
        found.require(f"{where}.opening_balance", precise, reasons.AMOUNT_TOO_PRECISE, f"{currency} has no such amount")
    return amount


def adjustment_in(found: Violations, request: pb.AdjustSpendingAccountRequest) -> tuple[int, str]:
    """How much is added or taken, and in which unit; notes what is wrong with the description, too."""
    currency = request.amount.currency_code
    if not is_unit(currency):
        currency_in(found, "amount.currency_code", currency)
    amount = money_in(found, "amount", request.amount, currency, negative=True)
    found.require("amount", amount != 0, reasons.VALUE_OUT_OF_RANGE, "must be above or below zero")
    text_in(found, "description", request.description, 200)
    return amount, currency


def _assignment(item: pb.SpendingAccountAssignment) -> assignments.Key:
    return item.spending_account_id, item.user_id, item.user_group_id
