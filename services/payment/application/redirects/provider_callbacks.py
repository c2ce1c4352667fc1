"""HandleProviderCallback: a provider says that there is something to ask about, and is asked."""

from __future__ import annotations

from collections.abc import Mapping

from libs.clock import Clock
from libs.errors import Kind, WaybillError
from libs.obs import get_logger
from services.payment.application.gateway.gateways import Gateways
from services.payment.application.ports import Units
from services.payment.application.redirects.settle_redirects import SettleRedirects
from waybill.payment.v1 import reasons

_LOG = get_logger("payment.callbacks")
MAX_KEYS = 10
"""Most operations that one call-back is about; a provider that names more has the rest asked about in its time."""


class HandleProviderCallback:
    """What is not signed costs no statement. What is signed is asked about: its words change nothing by themselves, so that a
    call-back that comes twice, late, or about what has ended does no harm."""

    def __init__(self, units: Units, gateways: Gateways, settle: SettleRedirects, clock: Clock) -> None:
        self._units = units
        self._gateways = gateways
        self._settle = settle
        self._clock = clock

    async def __call__(self, provider: str, headers: Mapping[str, str], body: bytes) -> None:
        """`headers` by their names in small letters. Raises PROVIDER_NOT_FOUND and CALLBACK_REFUSED; and GATEWAY_SILENT when the
        provider does not answer what it is asked, so that it calls again."""
        gateway = self._gateways.named(provider)
        if gateway is None:
            raise WaybillError(Kind.MISSING, reasons.PROVIDER_NOT_FOUND, "no such provider calls back here")
        keys = gateway.callback(headers, body, self._clock.now())
        if keys is None:
            _LOG.warning("callback_refused", gateway=gateway.name)
            raise WaybillError(Kind.DENIED, reasons.CALLBACK_REFUSED, "the provider has not signed this")
        async with self._units.reading() as work:
            found = [await work.redirects.by_gateway_key(key) for key in list(dict.fromkeys(keys))[:MAX_KEYS]]
        # Only what this gateway was asked for: another one's word about it is nothing.
        mine = [row for row in found if row is not None and self._gateways.name_of(row.type) == gateway.name]
        looked = await self._settle.look(mine)
        for row, answered in zip(mine, looked, strict=True):
            if answered is None:
                text = "the provider has not answered what became of it"
                raise WaybillError(Kind.UNAVAILABLE, reasons.GATEWAY_SILENT, text, metadata={"payment": row.payment_id})
