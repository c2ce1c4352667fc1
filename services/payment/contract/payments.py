"""Payments as their messages."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from libs.protoconv import decimal_out, money_out, time_out, xp_out
from services.payment.contract.redirects import redirect_out
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import State
from services.payment.domain.payments.transaction import Transaction
from services.payment.domain.redirects.redirect import Redirect
from waybill.payment.v1 import payment_pb2 as pb

_HELD = (State.AUTHORIZED, State.CONFIRMED, State.CAPTURED, State.ATTENTION)


def payment_out(p: Payment, transactions: Sequence[Transaction] = (), redirect: Redirect | None = None) -> pb.Payment:
    """A payment with its transactions, and with the authorization that waits for its buyer."""
    cur = p.currency
    made = pb.Payment(
        id=p.id,
        order_id=p.order_id,
        type=p.type,
        spending_account_id=p.spending_account_id,
        credit_card_id=p.credit_card_id,
        purchase_order_number=p.purchase_order_number,
        description=p.description,
        accepted=p.accepted,
        state=pb.PaymentState.Value(f"PAYMENT_STATE_{p.state.value}"),
        transactions=[_transaction(t, p) for t in transactions],
        xp=xp_out(p.xp),
        etag=str(p.version),
        create_time=time_out(p.create_time),
        update_time=time_out(p.update_time),
        unit=p.unit,
        captured_amount=money_out(p.captured, cur),
        refunded_amount=money_out(p.refunded, cur),
        authorization_expire_time=time_out(p.authorization_expire_time if p.state in _HELD else None),
    )
    if p.amount is not None:
        made.amount.CopyFrom(money_out(p.amount, cur))
    if p.resolved_amount is not None:
        made.resolved_amount.CopyFrom(money_out(p.resolved_amount, cur))
        made.due_amount.CopyFrom(money_out(p.due, cur))
    if p.unit:
        made.rate.CopyFrom(decimal_out(Decimal(p.rate).scaleb(-6)))
        made.debited_units.CopyFrom(money_out(p.debited_units, p.unit))
        made.refunded_units.CopyFrom(money_out(p.refunded_units, p.unit))
    if p.to_refund:
        made.to_refund_amount.CopyFrom(money_out(p.to_refund, cur))
    if redirect is not None:
        made.redirect.CopyFrom(redirect_out(redirect))
    return made


def _transaction(t: Transaction, p: Payment) -> pb.PaymentTransaction:
    return pb.PaymentTransaction(
        id=t.id,
        type=pb.PaymentTransactionType.Value(f"PAYMENT_TRANSACTION_TYPE_{t.type}"),
        result=pb.PaymentTransactionResult.Value(f"PAYMENT_TRANSACTION_RESULT_{t.result}"),
        amount=money_out(t.amount, p.currency),
        attempt=t.attempt,
        gateway_reference=t.gateway_reference,
        message=t.message,
        create_time=time_out(t.create_time),
        result_time=time_out(t.result_time),
        units=money_out(t.units, p.unit) if p.unit else None,
        recorded=pb.RecordedTransaction(recorded_by=t.recorded_by, occur_time=time_out(t.occur_time)) if t.recorded_by else None,
    )
