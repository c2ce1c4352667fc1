"""AssignCreditCards and UnassignCreditCards: who may pay with a card of the company."""

from __future__ import annotations

from collections.abc import Sequence

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from services.payment.application.ports import PaymentWork, Units
from services.payment.domain.means.assignments import Key, check
from waybill.payment.v1 import reasons

_FIELD = "credit_card_id"


class CardAssignments:
    """The seller assigns cards of all buyers, a buyer's administrator those of its company."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def assign(self, caller: Principal, keys: Sequence[Key], request: RequestKey | None) -> None:
        """Adds all or none; raises with everything that is wrong."""
        found = Violations()
        check(found, _FIELD, keys, each_once=True)
        found.raise_if_any()
        now = self._clock.now()

        async def do(work: PaymentWork) -> None:
            if await work.requests.claim(request, {}, now) is not None:
                return
            wrong = Violations()
            owners = await work.assignments.owners([id for id, _, _ in keys])
            for i, (id, _, _) in enumerate(keys):
                buyer_id, user_id = owners.get(id, ("", ""))
                seen = id in owners and (caller.is_seller or buyer_id == caller.party_id)
                where = f"assignments[{i}].{_FIELD}"
                wrong.require(where, seen, reasons.CARD_NOT_FOUND, f"there is no card {id!r}")
                text = "is a user's own card, which is not assigned"
                wrong.require(where, not seen or not user_id, reasons.FIELD_INVALID, text)
            wrong.raise_if_any()
            await work.assignments.assign_cards(keys, now)

        await self._units.retrying(do)

    async def unassign(self, caller: Principal, keys: Sequence[Key], request: RequestKey | None) -> None:
        """Takes back those that stand, of cards that the caller sees."""
        found = Violations()
        check(found, _FIELD, keys, each_once=False)
        found.raise_if_any()
        now = self._clock.now()

        async def do(work: PaymentWork) -> None:
            if await work.requests.claim(request, {}, now) is None:
                await work.assignments.unassign_cards(keys, None if caller.is_seller else caller.party_id, now)

        await self._units.retrying(do)
