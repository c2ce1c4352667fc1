"""`waybill payments`: money that may not be where it should be."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.host.remote.server_options import AsJson, Filter
from services.host.remote.session import Operator, both, command
from services.host.remote.showing import age, show, word
from waybill.payment.v1 import payment_pb2
from waybill.payment.v1 import reconciliation_service_pb2 as pb
from waybill_client import text

payments = typer.Typer(no_args_is_help=True, help="Payments whose money may not be where it should be.")
COLUMNS = {"payment": "bold", "order": "", "type": "", "state": "", "amount": "", "changed": "", "open": ""}
AT_ONCE = 50
PATIENCE = 120.0
"""Seconds for a gateway's answers about as many payments."""


@command(payments, "list")
async def list_payments(
    at: Operator,
    state: Annotated[str, typer.Option(help="AUTHORIZING, VOID_PENDING, ATTENTION or another state.")] = "",
    filter: Filter = "",
    json: AsJson = False,
) -> int:
    """Lists payments with an operation that the gateway has not answered, and those that need attention."""
    wanted = both(f"state = {state}" if state else "", filter)

    found = await _found(at, wanted)
    show(found, json, COLUMNS, map(_row, found), "every payment is settled")
    return 0


@command(payments, "reconcile")
async def reconcile_payments(
    at: Operator,
    payment: Annotated[list[str] | None, typer.Argument(help="Ids; everything that is listed when none is named.")] = None,
    json: AsJson = False,
) -> int:
    """Asks the gateway now what became of open operations. Exit code 1 when a payment is still not settled."""
    done: list[Any] = []
    ids = list(dict.fromkeys(payment or [one.id for one in await _found(at, "")]))
    for start in range(0, len(ids), AT_ONCE):
        request = pb.ReconcilePaymentsRequest(payment_ids=ids[start : start + AT_ONCE])
        answer = await at.ask(lambda client: client.reconciliation.ReconcilePayments(request, timeout=PATIENCE))  # noqa: B023
        done += answer.payments
    rows = ([*_row(one.payment), "yes" if one.settled else "no"] for one in done)
    show(done, json, {**COLUMNS, "settled": ""}, rows, "every payment is settled")
    return 1 if any(not one.settled for one in done) else 0


async def _found(at: Operator, filter: str) -> list[Any]:
    request = pb.ListUnsettledPaymentsRequest(filter=filter)
    return await at.every(lambda client, asked: client.reconciliation.ListUnsettledPayments(asked), request, "payments")


def _row(p: payment_pb2.Payment) -> list[str]:
    state = word(payment_pb2.PaymentState, p.state)
    amount = p.resolved_amount if p.HasField("resolved_amount") else p.amount
    pending = payment_pb2.PAYMENT_TRANSACTION_RESULT_PENDING
    waiting = [t for t in p.transactions if t.result == pending]
    open = (f"{word(payment_pb2.PaymentTransactionType, t.type)} for {age(t.create_time)}" for t in waiting)
    return [p.id, p.order_id, p.type, state, text(amount), age(p.update_time), ", ".join(open)]
