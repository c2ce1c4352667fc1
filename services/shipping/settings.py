"""The settings of the service."""

from __future__ import annotations

from dataclasses import dataclass

from libs.service.service_settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class Settings(ServiceSettings):
    """The settings that every service has, and no more."""
