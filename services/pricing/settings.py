"""The settings of the service."""

from __future__ import annotations

from dataclasses import dataclass

from libs.service.service_settings import ServiceSettings
from libs.service.settings import seconds, setting


@dataclass(frozen=True, slots=True)
class Settings(ServiceSettings):
    """How often reservations are looked at. Times are in seconds."""

    expiry_grace: float = seconds(
        120.0, "How much longer than its attempt's deadline a reservation lives before anyone asks about it.", at_least=1.0
    )
    expiry_batch: int = setting(1_000, "Reservations past their time that one look takes up.", at_least=1, at_most=100_000)
    expiry_pause: float = seconds(5.0, "Between two looks for reservations past their time.", at_least=0.05)
