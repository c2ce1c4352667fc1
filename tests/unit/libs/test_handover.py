"""Whether gRPC's server is as it is known."""

from __future__ import annotations

import pytest
from grpc._cython import cygrpc

from libs.rpc.fairness.handover import ASKS, difference


class Without:
    """Asks in another way."""


class More:
    """Asks for something else."""

    def _make_request_call_future(self, method: bytes, deadline: float) -> None:
        """Of a later release, say."""


class Unknown:
    """Does not say how it asks."""

    _make_request_call_future = type


@pytest.mark.parametrize(
    ("kind", "differs"),
    [
        (cygrpc.AioServer, None),
        (None, f"{ASKS} is missing"),
        (Without, f"{ASKS} is missing"),
        (More, f"{ASKS} takes (self, method: 'bytes', deadline: 'float') -> 'None'"),
        (Unknown, f"the signature of {ASKS} is not known"),
    ],
)
def test_what_differs_is_named(kind: object, differs: str | None) -> None:
    assert difference(kind) == differs
