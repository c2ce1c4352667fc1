"""A service's numbers, as tests compare them."""

from __future__ import annotations

from libs.obs import metrics
from libs.service.app import ServiceApp


async def gauges(app: ServiceApp) -> dict[str, float]:
    """By name and labels, such as `waybill_reservations_outstanding/payment/RESERVED`; zeros are left out."""
    assert app.gauges is not None
    return {"/".join((r.gauge.name, *r.labels)): r.value for r in await app.gauges() if r.value}


def actions(service: str, loop: str, action: str) -> float:
    """What a background loop of this process has done so far."""
    labels = {"service": service, "loop": loop, "action": action}
    return metrics.REGISTRY.get_sample_value("waybill_actions_total", labels) or 0.0
