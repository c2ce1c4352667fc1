"""AssignPaymentTypes and UnassignPaymentTypes: who may pay with a declared type."""

from __future__ import annotations

from collections.abc import Sequence

from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from services.payment.application.ports import PaymentWork, Units
from services.payment.domain.means.declared import Key, check_assignments
from waybill.payment.v1 import reasons


class TypeAssignments:
    """The seller assigns them to buyers, to groups of their users, and to users."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def assign(self, keys: Sequence[Key], request: RequestKey | None) -> None:
        """Adds all or none; raises with everything that is wrong."""
        found = Violations()
        check_assignments(found, keys, each_once=True)
        found.raise_if_any()
        now = self._clock.now()

        async def do(work: PaymentWork) -> None:
            if await work.requests.claim(request, {}, now) is not None:
                return
            unknown = set(await work.types.assign(keys, now))
            wrong = Violations()
            for i, key in enumerate(keys):
                where = f"assignments[{i}].payment_type_id"
                wrong.require(where, key[0] not in unknown, reasons.PAYMENT_TYPE_NOT_FOUND, f"there is no type {key[0]!r}")
            wrong.raise_if_any()

        await self._units.retrying(do)

    async def unassign(self, keys: Sequence[Key], request: RequestKey | None) -> None:
        """Takes back those that stand."""
        found = Violations()
        check_assignments(found, keys, each_once=False)
        found.raise_if_any()
        now = self._clock.now()

        async def do(work: PaymentWork) -> None:
            if await work.requests.claim(request, {}, now) is None:
                await work.types.unassign(keys, now)

        await self._units.retrying(do)
