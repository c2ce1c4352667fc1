"""The settings of the service."""

from __future__ import annotations

from dataclasses import dataclass

from libs.relay.limits import DEFAULT, RelayLimits
from libs.service.service_settings import ServiceSettings
from libs.service.settings import seconds, setting


@dataclass(frozen=True, slots=True)
class Settings(ServiceSettings):
    """How often its loops look, and how long they wait. Times are in seconds."""

    relay: RelayLimits = DEFAULT
    relay_pause: float = seconds(
        1.0, "Between two looks of the relay for reports that the order service has not acknowledged.", at_least=0.05
    )
    report_wait: float = seconds(
        2.0,
        "How long the caller of a change waits for the order service to take its report; else the relay sends it.",
        at_least=0.1,
        at_most=60.0,
    )
    relay_delay: float = seconds(2.0, "How long a change waits for its acknowledgement before the relay sends it.")
    delivery_pause: float = seconds(
        5.0, "Between two looks for what needs no shipment and can be delivered by now.", at_least=0.05
    )
    delivery_batch: int = setting(
        100, "Supplier orders that one look delivers from, in one transaction.", at_least=1, at_most=1_000
    )
    waiting_pause: float = seconds(
        1.0, "Between two looks for stock that has moved, so that orders show which of their units wait for it.", at_least=0.05
    )
    waiting_batch: int = setting(
        100, "Records, and supplier orders, that one transaction of such a look takes.", at_least=1, at_most=1_000
    )
    answer_pause: float = seconds(5.0, "Between two looks for what suppliers have not answered in time.", at_least=0.05)
    answer_batch: int = setting(100, "Supplier orders that one look rejects because nobody answered.", at_least=1, at_most=1_000)
    expiry_pause: float = seconds(5.0, "Between two looks for overdue reservations.", at_least=0.05)
    expiry_batch: int = setting(100, "Overdue reservations that one look takes up.", at_least=1, at_most=10_000)
    expiry_grace: float = seconds(
        30.0, "How long past an attempt's deadline the order service is asked what became of it.", at_least=1.0
    )
    expiry_again: float = seconds(
        30.0, "How long until it is asked again when the attempt is not decided or confirmed.", at_least=1.0
    )
