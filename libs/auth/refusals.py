"""Why a token is refused."""

from __future__ import annotations

from libs.errors import Kind, WaybillError
from waybill.type.v1 import reasons


def token_invalid(why: str) -> WaybillError:
    """The token is forged, malformed or for another audience."""
    return WaybillError(Kind.UNAUTHENTICATED, reasons.TOKEN_INVALID, f"the token is not valid: {why}")


def token_revoked() -> WaybillError:
    """What the token was given for was taken away since."""
    return WaybillError(Kind.UNAUTHENTICATED, reasons.TOKEN_REVOKED, "what the token was given for was taken away; sign in again")


def token_expired() -> WaybillError:
    """The token was good once."""
    return WaybillError(Kind.UNAUTHENTICATED, reasons.TOKEN_EXPIRED, "the token's time is over")
