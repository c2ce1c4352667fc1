"""Authorizations that wait for their buyers, as their messages."""

from __future__ import annotations

from libs.protoconv import money_out, time_out
from services.payment.domain.redirects.redirect import Redirect
from waybill.payment.v1 import payment_redirect_pb2 as pb


def redirect_out(r: Redirect) -> pb.PaymentRedirect:
    """One of them."""
    return pb.PaymentRedirect(
        payment_id=r.payment_id,
        state=pb.PaymentRedirectState.Value(f"PAYMENT_REDIRECT_STATE_{r.state}"),
        url=r.url,
        expire_time=time_out(r.expire_time),
        amount=money_out(r.amount, r.currency),
        return_url=r.return_url,
        message=r.message,
    )
