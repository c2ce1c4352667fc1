"""Gateways by type of payment and name. A provider of your own is an adapter of the `Gateway` port and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from libs.clock import Clock
from libs.db import Database
from services.payment.adapters.gateways.testing import TestGateway
from services.payment.application.gateway.gateways import Gateways
from services.payment.application.gateway.ports import Gateway
from services.payment.domain.payments.types import CREDIT_CARD
from services.payment.settings import Settings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a gateway is made in. The adapter of a provider opens its client session when it is made, and ends it in
    `close`."""

    settings: Settings
    database: Database
    clock: Clock


Make = Callable[[Surroundings], Gateway]


def _test(made_in: Surroundings) -> Gateway:
    lifetime = timedelta(seconds=made_in.settings.test_gateway_lifetime)
    settings = made_in.settings
    return TestGateway(
        made_in.database,
        settings.test_gateway_delay,
        made_in.clock,
        lifetime,
        settings.test_gateway_pages,
        settings.test_gateway_secret,
    )


GATEWAYS: Final[Mapping[tuple[str, str], Make]] = {(CREDIT_CARD, "test"): _test}
"""By type of payment and name."""


def gateways(made_in: Surroundings) -> Gateways:
    """The gateways that the settings name, each made once, and kept open by their sessions until they are closed.

    Raises ValueError for one that does not exist.
    """
    makers: dict[str, Make] = {}
    for type, name in _chosen(made_in.settings).items():
        if (type, name) not in GATEWAYS:
            known = ", ".join(name for its, name in GATEWAYS if its == type)
            raise ValueError(f"there is no gateway {name!r} for payments of type {type!r}: one of {known}")
        makers[type] = GATEWAYS[type, name]
    # Types with the same maker share what it makes, and its session.
    made = {make: make(made_in) for make in dict.fromkeys(makers.values())}
    return Gateways({type: made[make] for type, make in makers.items()})


def _chosen(settings: Settings) -> Mapping[str, str]:
    """Names by type: one for every type of payment whose money a gateway holds."""
    return {CREDIT_CARD: settings.credit_card_gateway}
