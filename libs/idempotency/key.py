"""Which request of whom: what a recorded outcome is found by. Knows no database, so that use cases can name it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from libs import failpoints
from libs.auth import Principal
from libs.errors import invalid
from waybill.type.v1 import reasons

ID_LENGTH = 100


@dataclass(frozen=True, slots=True)
class RequestKey:
    """One request of one caller."""

    company: str
    user_id: str
    method: str
    request_id: str
    digest: str


def key_of(principal: Principal, method: str, message: Any) -> RequestKey | None:
    """The key of a request; None when the caller gave no request id: then a retry is a new call."""
    return _key(_company(principal), principal.identity, method, message)


def key_of_open(scope: str, method: str, message: Any) -> RequestKey | None:
    """The key of a request that comes without a caller: `scope` is what it is about, so that nobody hits upon another's."""
    return _key("", hashlib.sha256(scope.encode()).hexdigest(), method, message)


def _key(company: str, user_id: str, method: str, message: Any) -> RequestKey | None:
    request_id: str = message.request_id
    if not request_id or (failpoints.WATCHED is not None and failpoints.WATCHED.idempotency_off):
        return None
    if len(request_id) > 100 or not request_id.isprintable():
        raise invalid("request_id", reasons.VALUE_OUT_OF_RANGE, "a request id is 1 to 100 printable characters")
    bare = type(message)()
    bare.CopyFrom(message)
    bare.request_id = ""
    digest = hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()
    return RequestKey(company, user_id, method, request_id, digest)


def _company(principal: Principal) -> str:
    """Kind and id of the caller's company. Together they may be longer than a column of ids: a digest then stands for the
    id, behind a sign that no id has."""
    kind, id = principal.party_kind.value, principal.party_id
    plain = f"{kind}:{id}"
    return plain if len(plain) <= ID_LENGTH else f"{kind}:#{hashlib.sha256(id.encode()).hexdigest()}"
