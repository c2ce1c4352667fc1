"""Gateways by name. A provider of your own is an adapter of the `Gateway` port and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from libs.clock import Clock
from libs.db import Database
from services.payment.adapters.gateways.testing import TestGateway
from services.payment.application.ports import Gateway
from services.payment.settings import Settings

Make = Callable[[Settings, Database, Clock], Gateway]


def _test(settings: Settings, database: Database, clock: Clock) -> Gateway:
    lifetime = timedelta(seconds=settings.test_gateway_lifetime)
    return TestGateway(database, settings.test_gateway_delay, clock, lifetime)


GATEWAYS: Final[Mapping[str, Make]] = {"test": _test}


def gateway(settings: Settings, database: Database, clock: Clock) -> Gateway:
    """The gateway of credit cards that the settings name; raises ValueError for an unknown one."""
    make = GATEWAYS.get(settings.credit_card_gateway)
    if make is None:
        raise ValueError(f"there is no gateway {settings.credit_card_gateway!r}: one of {', '.join(GATEWAYS)}")
    return make(settings, database, clock)
