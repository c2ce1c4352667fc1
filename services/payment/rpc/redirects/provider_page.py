"""The page of the test gateway as a browser is sent it: an amount, and what the buyer may do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final
from urllib.parse import parse_qs

from libs.money import exact_text
from services.payment.application.redirects.play_provider import BuyerPage, PlayProvider

_PATH: Final = re.compile(r"/test-gateway/([A-Za-z0-9_-]{1,100})")
_DECISIONS: Final[Mapping[str, bool | None]] = {"approve": True, "decline": False, "leave": None}
_LOCATION: Final = re.compile(r"https?://[!-~]+")
_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    # Nothing is loaded, nobody frames it, and the shop does not learn the address by which a payment is approved. Where the form
    # leads is not restricted: the shop may be anywhere.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Test gateway</title></head>
<body>
<h1>Test gateway</h1>
<p>{sentence}</p>
<form method="post">
{buttons}
</form>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer by HTTP."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class ProviderPage:
    """Answers `GET /test-gateway/{reference}` with the page, and its form with the way back."""

    def __init__(self, play: PlayProvider) -> None:
        self._play = play

    def reference(self, path: str) -> str | None:
        """The reference in a path; None for a path of something else."""
        found = _PATH.fullmatch(path)
        return found and found[1]

    async def show(self, reference: str) -> Reply:
        """The page; 404 where there is none."""
        page = await self._play.page(reference)
        return Reply(404) if page is None else Reply(200, _HEADERS, _rendered(page).encode())

    async def submit(self, reference: str, body: bytes) -> Reply:
        """What the form sends: `decision` is approve, decline or leave, once. Leads the browser back to the shop."""
        decision = _decision(body)
        if decision not in _DECISIONS:
            return Reply(400)
        back = await self._play.decide(reference, _DECISIONS[decision])
        if back is None:
            return Reply(404)
        # What the order service lets through is such a URL; it is the last to go into a header here.
        if not _LOCATION.fullmatch(back):
            return Reply(400)
        return Reply(303, {"Location": back, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"})


def _decision(body: bytes) -> str:
    try:
        sent = parse_qs(body.decode("ascii"), max_num_fields=10).get("decision", [])
    except ValueError:
        return ""
    return sent[0] if len(sent) == 1 else ""


def _rendered(page: BuyerPage) -> str:
    amount = f"{exact_text(page.amount)} {page.currency}"
    buttons = {"approve": "Approve", "decline": "Decline", "leave": "Leave undecided"}
    sentence = f"The shop asks for {amount}. No money moves: this page stands in for a provider's."
    if not page.waits:
        buttons = {"leave": "Back to the shop"}
        sentence = f"There is nothing to decide about {amount} any more."
    made = (f'<button name="decision" value="{escape(name)}">{escape(text)}</button>' for name, text in buttons.items())
    return _PAGE.format(sentence=escape(sentence), buttons="\n".join(made))
