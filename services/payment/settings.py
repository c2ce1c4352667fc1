"""The settings of the service."""

from __future__ import annotations

from dataclasses import dataclass

from libs.relay.limits import DEFAULT, RelayLimits
from libs.service.service_settings import ServiceSettings
from libs.service.settings import HIDDEN, seconds, setting


@dataclass(frozen=True, slots=True)
class Settings(ServiceSettings):
    """Which gateways there are, and how long anything waits for them. Times are in seconds."""

    credit_card_gateway: str = setting("test", "The gateway of credit cards, by its name in the registry of gateways.")
    gateway_timeout: float = seconds(
        5.0, "How long a gateway is waited for; for an authorization also not beyond its attempt's deadline.", at_least=0.1
    )
    void_timeout: float = seconds(
        1.0, "How long the end of an attempt or order waits for voids and refunds; the rest is done beside."
    )
    test_gateway_delay: float = seconds(0.0, "How long the test gateway lets callers wait.")
    test_gateway_lifetime: float = seconds(604_800.0, "How long the test gateway holds an authorization.")
    test_gateway_pages: str = setting(
        "https://pay.example/test-gateway",
        "Where the pages of the test gateway are, which buyers approve payments on; the listener for call-backs serves them below"
        " /test-gateway.",
    )
    test_gateway_secret: str = setting(
        "", "What the test gateway signs its call-backs with; none of them is taken without it.", shown=HIDDEN
    )
    callback_bind: str = setting(
        "",
        "Where providers reach this process with their call-backs, and buyers the page of the test gateway, by HTTP: host:port,"
        " or :port on the loopback; else nowhere.",
    )
    callback_patience: float = seconds(10.0, "How long one call-back may take, from its first byte to its answer.", at_least=0.1)
    callback_connections: int = setting(
        100, "Connections of call-backs at the same time; more are closed at once.", at_least=1, at_most=10_000
    )
    redirect_lifetime: float = seconds(
        3_600.0,
        "How long a payment that waits for its buyer can be approved and taken over by a submit, before it is voided.",
        at_least=1.0,
    )
    renew_early: float = seconds(
        86_400.0, "How long before it lapses an authorization that is confirmed and not captured is renewed."
    )
    renew_pause: float = seconds(60.0, "Between two looks for authorizations that lapse.", at_least=0.05)
    renew_batch: int = setting(50, "Orders whose authorizations one look renews.", at_least=1, at_most=1_000)
    settle_pause: float = seconds(1.0, "Between two looks for gateway operations without an answer.", at_least=0.05)
    settle_batch: int = setting(
        50, "Gateway operations that one look asks about, all at the same time.", at_least=1, at_most=1_000
    )
    settle_again: float = seconds(10.0, "How long until a gateway is asked again.", at_least=0.1)
    relay: RelayLimits = DEFAULT
    relay_pause: float = seconds(
        1.0, "Between two looks for payments that need attention and that the order service does not know of.", at_least=0.05
    )
    guest_card_age: int = setting(
        30,
        "How long a card stays that a guest has noted, no payment names and nobody changes. One of an order goes with it.",
        unit="days",
        at_least=8,
        at_most=3_650,
    )
    expiry_pause: float = seconds(5.0, "Between two looks for reservations past their time.", at_least=0.05)
    expiry_batch: int = setting(100, "Reservations past their time that one look takes up.", at_least=1, at_most=10_000)
    expiry_grace: float = seconds(
        30.0, "How much longer than its attempt's deadline a reservation lives before anyone asks about it.", at_least=1.0
    )
    expiry_again: float = seconds(
        30.0, "How long until the order service is asked again about an attempt that is not decided.", at_least=1.0
    )
