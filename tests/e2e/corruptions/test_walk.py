"""Whatever is changed or deleted behind a service's back, `waybill check` reports it: column by column, table by table.

It reports as well what it cannot make sense of: neither names nor documents that nobody knows end it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.db.watched import Register, rules_of
from services.catalog.adapters.db.invariants.watched import WATCHED as CATALOG
from services.directory.adapters.db.invariants.watched import WATCHED as DIRECTORY
from services.fulfillment.adapters.db.invariants.watched import WATCHED as FULFILLMENT
from services.order.adapters.db.invariants.watched import WATCHED as ORDER
from services.payment.adapters.db.invariants.watched import WATCHED as PAYMENT
from services.pricing.adapters.db.invariants.watched import WATCHED as PRICING
from services.shipping.adapters.db.invariants.watched import WATCHED as SHIPPING
from tests.e2e.corruptions import places, places_of_goods, setup_places
from tests.e2e.corruptions.books import books
from tests.e2e.corruptions.nonsense import unreported
from tests.e2e.corruptions.walk import Places, Walk, unseen
from tests.support.prepared import Prepared

SERVICES: dict[str, tuple[Register, Places]] = {
    "directory": (DIRECTORY, setup_places.DIRECTORY),
    "catalog": (CATALOG, setup_places.CATALOG),
    "pricing": (PRICING, setup_places.PRICING),
    "shipping": (SHIPPING, setup_places.SHIPPING),
    "order": (ORDER, places.ORDER),
    "payment": (PAYMENT, places.PAYMENT),
    "fulfillment": (FULFILLMENT, places_of_goods.FULFILLMENT),
}
SETUP = ("directory", "catalog", "pricing", "shipping")


@pytest.mark.on_sqlite
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "contexts",
    [*(pytest.param(c, marks=pytest.mark.long) for c in (SETUP, ("order",), ("payment",), ("fulfillment",))), ("catalog",)],
    ids=" ".join,
)
async def test_every_watched_column_is_seen_to(tmp_path: Path, prepared: Prepared, contexts: tuple[str, ...]) -> None:
    async with books(tmp_path, prepared) as made:
        walk = Walk(made)
        await walk.begin()
        missed = [text for context in contexts for text in await unseen(walk, context, *SERVICES[context])]
        assert not missed, "\n".join(missed)
        missed = [text for context in contexts for text in await unreported(walk, context, *SERVICES[context])]
        assert not missed, "\n".join(missed)
        named = set().union(*(rules_of(SERVICES[context][0]) for context in contexts))
        assert sorted(named - walk.reporting) == []
        await walk.begin()
