"""What the service is told from outside."""

from __future__ import annotations

from dataclasses import dataclass

from libs.service.service_settings import ServiceSettings
from libs.service.settings import seconds


@dataclass(frozen=True, slots=True)
class Settings(ServiceSettings):
    """How often reservations are looked at. Times are in seconds."""

    expire_pause: float = seconds(5.0, "Between two looks for reservations past their time.", at_least=0.05)
