"""How the test gateway signs its call-backs: an HMAC over the time and the body, as most providers do."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Final

HEADER: Final = "test-gateway-signature"
TOLERANCE: Final = timedelta(minutes=5)
"""How far the time of a signature may be from ours: one that was overheard is good for no longer."""
_FORM: Final = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def signature(secret: str, body: bytes, now: datetime) -> str:
    """The value of the header."""
    seconds = str(int(now.timestamp()))
    return f"t={seconds},v1={_digest(secret, seconds, body)}"


def signed(secret: str, value: str, body: bytes, now: datetime) -> bool:
    """Whether the value was made with the secret, for this body, just now. Without a secret nothing is."""
    form = _FORM.fullmatch(value)
    if not secret or form is None:
        return False
    good = hmac.compare_digest(_digest(secret, form[1], body), form[2])
    return good and abs(now.timestamp() - int(form[1])) <= TOLERANCE.total_seconds()


def _digest(secret: str, seconds: str, body: bytes) -> str:
    return hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
