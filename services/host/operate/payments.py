"""`waybill payments`: money that may not be where it should be."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import typer

from services.host.operate.session import (
    DEFAULT_CLIENT,
    PAGE,
    AsJson,
    ClientId,
    ClientSecret,
    Filter,
    Operator,
    Server,
    age,
    both,
    operator,
    pages,
    run,
    show_json,
    show_table,
)
from waybill.payment.v1 import payment_pb2
from waybill.payment.v1 import reconciliation_service_pb2 as pb

payments = typer.Typer(no_args_is_help=True, help="Payments whose money may not be where it should be.")
COLUMNS = {"payment": "bold", "order": "", "type": "", "state": "", "amount": "", "changed": "", "open": ""}
AT_ONCE = 50
PATIENCE = 120.0
"""Seconds for a gateway's answers about as many payments."""


@payments.command("list")
def list_payments(
    state: Annotated[str, typer.Option(help="AUTHORIZING, VOID_PENDING, ATTENTION or another state.")] = "",
    filter: Filter = "",
    server: Server = None,
    client_id: ClientId = DEFAULT_CLIENT,
    client_secret: ClientSecret = "",
    json: AsJson = False,
) -> None:
    """Lists payments with an operation that the gateway has not answered, and those that need attention."""
    wanted = both(f"state = {state}" if state else "", filter)

    async def work() -> int:
        async with operator(server, client_id, client_secret) as at:
            found = await _found(at, wanted)
        if json:
            show_json(found)
        else:
            show_table(COLUMNS, (_row(one) for one in found), "every payment is settled")
        return 0

    run(work())


@payments.command("reconcile")
def reconcile_payments(
    payment: Annotated[list[str] | None, typer.Argument(help="Ids; everything that is listed when none is named.")] = None,
    server: Server = None,
    client_id: ClientId = DEFAULT_CLIENT,
    client_secret: ClientSecret = "",
    json: AsJson = False,
) -> None:
    """Asks the gateway now what became of open operations. Exit code 1 when a payment is still not settled."""

    async def work() -> int:
        done: list[Any] = []
        async with operator(server, client_id, client_secret) as at:
            ids = list(dict.fromkeys(payment or [one.id for one in await _found(at, "")]))
            for start in range(0, len(ids), AT_ONCE):
                request = pb.ReconcilePaymentsRequest(payment_ids=ids[start : start + AT_ONCE])
                answer = await at.ask(lambda client: client.reconciliation.ReconcilePayments(request, timeout=PATIENCE))  # noqa: B023
                done += answer.payments
        if json:
            show_json(done)
        else:
            columns = {**COLUMNS, "settled": ""}
            rows = ([*_row(one.payment), "yes" if one.settled else "no"] for one in done)
            show_table(columns, rows, "every payment is settled")
        return 1 if any(not one.settled for one in done) else 0

    run(work())


async def _found(at: Operator, filter: str) -> list[Any]:
    async def page(token: str) -> Any:
        request = pb.ListUnsettledPaymentsRequest(filter=filter, page_size=PAGE, page_token=token)
        return await at.ask(lambda client: client.reconciliation.ListUnsettledPayments(request))

    return await pages(page, "payments")


def _row(p: payment_pb2.Payment) -> list[str]:
    state = str(payment_pb2.PaymentState.Name(p.state)).removeprefix("PAYMENT_STATE_")
    amount = p.resolved_amount if p.HasField("resolved_amount") else p.amount
    pending = payment_pb2.PAYMENT_TRANSACTION_RESULT_PENDING
    waiting = [t for t in p.transactions if t.result == pending]
    names = (str(payment_pb2.PaymentTransactionType.Name(t.type)).removeprefix("PAYMENT_TRANSACTION_TYPE_") for t in waiting)
    return [
        p.id, p.order_id, p.type, state, f"{amount.units + Decimal(amount.nanos).scaleb(-9):.2f} {amount.currency_code}",
        age(p.update_time), ", ".join(f"{name} for {age(t.create_time)}" for name, t in zip(names, waiting, strict=True)),
    ]  # fmt: skip
