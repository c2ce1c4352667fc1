"""Whatever is sent to whatever method is answered: done, or refused with a reason; never by an internal error."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.message_factory import GetMessageClass

from tests.e2e.steps import card, promise, ready
from tests.support.contracts import invoke, services
from tests.support.garbage import filled
from tests.support.marketplace import Marketplace, marketplace
from tests.support.prepared import Prepared
from waybill_client import WaybillError

ROUNDS = int(os.environ.get("WAYBILL_TEST_GARBAGE_ROUNDS", "4"))
SEED = int(os.environ.get("WAYBILL_TEST_GARBAGE_SEED", "1"))
LOCK_OUT = {"RotateSecret", "SetPassword"}
"""Who these hit cannot go on."""


@pytest.fixture
async def hasty_market(tmp_path: Path, prepared: Prepared) -> AsyncIterator[Marketplace]:
    """One in which nobody waits long for a version that never comes."""
    soon = {"version_wait": 0.1}
    async with marketplace(tmp_path, prepared.database_url, secret=prepared.secret, order=soon) as made:
        yield made


@pytest.mark.on_sqlite
async def test_garbage_is_done_or_refused_with_a_reason(hasty_market: Marketplace) -> None:
    rng, codes, bad = random.Random(SEED), Counter[str](), list[str]()
    people, ada = hasty_market.people, hasty_market.people.ada
    await card(hasty_market, "visa", "tok_approve")
    await ada.place_order({"anvil": 2, "lamp": 1}, id="PO1")
    await ready(ada, "CART", promise(), anvil=1, lamp=2)
    methods = [m for s in services() for m in s.methods if not m.server_streaming and m.name not in LOCK_OUT]
    for method in methods * ROUNDS:
        # The owner may do everything: others are refused before anybody looks at what they sent.
        caller = rng.choice((people.owner, people.owner, ada, people.clerks["northforge"]))
        request = filled(rng, GetMessageClass(method.input_type))
        try:
            await invoke(caller.channel, method, request)
        except WaybillError as error:
            codes[error.code.name] += 1
            explained = bool(error.reason) and (error.code.name != "INVALID_ARGUMENT" or bool(error.fields))
            if not explained or error.code.name in ("INTERNAL", "UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED"):
                bad.append(f"{method.name}: {error} for {request}")
        else:
            codes["OK"] += 1
    assert bad == []
    assert codes["OK"] > ROUNDS, codes
    assert codes["INVALID_ARGUMENT"] > len(methods), codes
