"""The legs of an attempt to submit. A further one is a file beside these and an entry here."""

from __future__ import annotations

from services.order.application.peers import Peers
from services.order.application.submission.legs.carriage import Carriage
from services.order.application.submission.legs.leg import Leg
from services.order.application.submission.legs.money import Money
from services.order.application.submission.legs.prices import Prices
from services.order.application.submission.legs.readiness import Readiness
from services.order.application.submission.legs.stock import Stock


def legs_of_submit(peers: Peers) -> tuple[Leg, ...]:
    """In the order in which a refusal lists their reasons. They are tried, confirmed and released in parallel."""
    return (Readiness(), Carriage(peers.shipping), Prices(peers.pricing), Stock(peers.fulfillment), Money(peers.payments))
