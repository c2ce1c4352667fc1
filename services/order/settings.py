"""What the service is told from outside."""

from __future__ import annotations

from dataclasses import dataclass

from libs.service.service_settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class Settings(ServiceSettings):
    """What every service is told, and no more."""
