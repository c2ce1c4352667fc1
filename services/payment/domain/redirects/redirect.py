"""A payment that waits for its buyer: an authorization that is begun before the submit, and that an attempt takes over."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from services.payment.domain.money.course import Change
from services.payment.domain.payments.payment import Payment, Problem
from services.payment.domain.payments.states import Event, State
from services.payment.domain.payments.transaction import Entry, Said, TransactionType
from waybill.payment.v1 import reasons


class RedirectState(StrEnum):
    """States of such an authorization, as its contract names them."""

    ASKED = "ASKED"
    ACTION_REQUIRED = "ACTION_REQUIRED"
    AUTHORIZED = "AUTHORIZED"
    ADOPTED = "ADOPTED"
    DECLINED = "DECLINED"
    ENDING = "ENDING"
    ENDED = "ENDED"


class RedirectEvent(StrEnum):
    """What happens to it."""

    WAIT = "WAIT"
    """The provider has a page for its buyer."""
    APPROVE = "APPROVE"
    DECLINE = "DECLINE"
    ADOPT = "ADOPT"
    """An attempt to submit takes it over."""
    LET_GO = "LET_GO"
    """That attempt was refused."""
    END = "END"
    """It is not wanted any more, or its time is over."""
    CLEAR = "CLEAR"
    """The provider says that nothing is held."""


_S, _E = RedirectState, RedirectEvent
TRANSITIONS: Final[Mapping[tuple[RedirectState, RedirectEvent], RedirectState]] = {
    (_S.ASKED, _E.WAIT): _S.ACTION_REQUIRED,
    (_S.ASKED, _E.APPROVE): _S.AUTHORIZED,
    (_S.ASKED, _E.DECLINE): _S.DECLINED,
    (_S.ASKED, _E.END): _S.ENDING,
    (_S.ACTION_REQUIRED, _E.APPROVE): _S.AUTHORIZED,
    (_S.ACTION_REQUIRED, _E.DECLINE): _S.DECLINED,
    (_S.ACTION_REQUIRED, _E.END): _S.ENDING,
    # The provider has let it go by itself.
    (_S.AUTHORIZED, _E.DECLINE): _S.DECLINED,
    (_S.AUTHORIZED, _E.ADOPT): _S.ADOPTED,
    (_S.AUTHORIZED, _E.END): _S.ENDING,
    (_S.ADOPTED, _E.LET_GO): _S.AUTHORIZED,
    (_S.ENDING, _E.CLEAR): _S.ENDED,
    # The buyer agreed to what was voided, or declined, before: nothing of it may be held.
    (_S.ENDED, _E.APPROVE): _S.ENDING,
    (_S.DECLINED, _E.APPROVE): _S.ENDING,
}
PREFIX: Final = "red"
"""What begins the id of one."""
LIVE: Final = frozenset({_S.ASKED, _S.ACTION_REQUIRED, _S.AUTHORIZED})
"""States of one that a submit may still take over."""
DUE: Final = LIVE | {_S.ENDING}
"""States of one that something is to be done about at its time."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """One authorization that waits for its buyer. The amount is in micros."""

    id: str
    order_key: uuid.UUID
    payment_id: str
    type: str
    credit_card_id: str
    amount: int
    currency: str
    return_url: str
    expire_time: datetime
    """Until when the buyer can act and a submit can take it over."""
    create_time: datetime
    update_time: datetime
    state: RedirectState = RedirectState.ASKED
    url: str = ""
    gateway_reference: str = ""
    message: str = ""
    attempt: int = 0
    """The attempt that has taken it over; 0 for none."""
    authorization_expire_time: datetime | None = None
    """When the provider lets lapse what it holds; None when it holds nothing, or does not say."""
    ask_time: datetime | None = None
    """When something is to be done about it next: the provider is asked again, or its time is over; None when nothing is."""

    @property
    def gateway_key(self) -> str:
        """Our key of it at the provider, the same on every call."""
        return f"{self.order_key}/{self.id}/{self.payment_id}"

    def matches(self, payment: Payment) -> bool:
        """Whether it is of what the payment stands for now, by the same means."""
        same = (self.amount, self.currency, self.credit_card_id, self.type)
        return same == (payment.due, payment.currency, payment.credit_card_id, payment.type)

    def moved(self, event: RedirectEvent, now: datetime, again: datetime) -> Redirect | None:
        """After an event; None when the table has no such move. `again` is when a provider is asked once more."""
        target = TRANSITIONS.get((self.state, event))
        if target is None:
            return None
        asks = {_S.ASKED: again, _S.ENDING: now, _S.ACTION_REQUIRED: self.expire_time, _S.AUTHORIZED: self.expire_time}
        return replace(self, state=target, ask_time=asks.get(target), update_time=now)


def standing(payment: Payment, redirects: Sequence[Redirect], now: datetime) -> Redirect | None:
    """The authorization of a payment that is not to be begun anew, if there is one."""
    mine = (r for r in redirects if r.payment_id == payment.id and r.state in LIVE)
    return next((r for r in mine if r.matches(payment) and r.expire_time > now), None)


def unready(
    payments: Sequence[Payment], waiting: Collection[str], redirects: Sequence[Redirect], now: datetime
) -> tuple[dict[str, Redirect], list[Problem]]:
    """The authorizations that an attempt takes over, by payment, and what lacks one. `waiting` are payments that wait for their
    buyer."""
    good: dict[str, Redirect] = {}
    problems: list[Problem] = []
    for p in payments:
        if p.id not in waiting or not p.due or p.state is not State.OPEN:
            continue
        found = standing(p, redirects, now)
        if found is not None and found.state is RedirectState.AUTHORIZED:
            good[p.id] = found
        else:
            text = "the buyer has not agreed to this payment on the provider's page"
            problems.append(Problem(p.id, reasons.PAYMENT_ACTION_REQUIRED, text))
    return good, problems


def adopt(reserved: Sequence[Change], good: Mapping[str, Redirect], now: datetime) -> list[Change]:
    """Payments that are reserved, with the authorizations that stand for those that would be asked for."""
    changes: list[Change] = []
    for change in reserved:
        redirect = good.get(change.payment.id)
        changes.append(change)
        if redirect is not None:
            lapse = redirect.authorization_expire_time
            asked = change.payment.moved(Event.ASK, now)
            payment = asked.moved(Event.APPROVE, now, accepted=True, authorization_expire_time=lapse)
            said = Said(redirect.gateway_key, redirect.gateway_reference, lapse)
            entry = Entry(TransactionType.AUTHORIZE, payment.due, authorization_key=redirect.gateway_key, said=said)
            changes.append(Change(payment, entry))
    return changes
