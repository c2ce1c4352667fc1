"""How often a server looks at the health of what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass

from libs.service.settings import seconds


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """How often health is looked at, and how long an answer may take."""

    health_pause: float = seconds(2.0, "Between two looks whether a database answers.", at_least=0.1)
    health_dependency_pause: float = seconds(5.0, "Between two looks whether the other services serve.", at_least=0.1)
    health_patience: float = seconds(2.0, "How long a database or a service may take to answer such a look.", at_least=0.1)


DEFAULT = HealthLimits()
