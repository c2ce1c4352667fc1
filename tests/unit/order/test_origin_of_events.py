"""Whom a stored event names beside its user."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from libs.auth import Principal
from libs.rpc.call import ACTING, CURRENT, Call
from services.order.adapters.db.rows import event_row
from services.order.domain.model import Event
from tests.support.principals import buyer, seller

ANNA = buyer()
STOOD_IN = replace(ANNA, impersonator_id="sam")


@pytest.mark.parametrize(
    ("calling", "acting", "user", "named"),
    [
        (STOOD_IN, None, "anna", "sam"),
        (ANNA, None, "anna", ""),
        (None, STOOD_IN, "anna", "sam"),
        (seller(), STOOD_IN, "anna", "sam"),
        (replace(ANNA, impersonator_id="sue"), ANNA, "anna", ""),
        (STOOD_IN, None, "", ""),
        (None, None, "anna", ""),
    ],
)
def test_the_impersonator_is_that_of_whoever_began_it(
    calling: Principal | None, acting: Principal | None, user: str, named: str
) -> None:
    event = Event(uuid.uuid4(), 1, "order_submitted", "OPEN", user, "acme", datetime(2026, 3, 2, tzinfo=UTC), {})
    call = CURRENT.set(None if calling is None else Call("/x/Y", "r1", calling, None, None))
    began = ACTING.set(acting)
    try:
        row = event_row(event)
    finally:
        ACTING.reset(began)
        CURRENT.reset(call)
    assert row["impersonator_id"] == named
    assert (row["request_id"], row["client_id"]) == (("r1", calling.client_id) if calling else ("", ""))
