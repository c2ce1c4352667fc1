"""A token of a watch goes back to where it was given, and to nobody else's watch."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from libs.errors import WaybillError
from libs.relay import resume_token
from libs.relay.feed import Position

MINE = resume_token.binding("acme", ["o2", "o1"])


def back(position: Position, *more: Any) -> tuple[Position, list[Any]]:
    return position, list(more)


def forged(*parts: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def test_a_token_is_read_as_it_was_written() -> None:
    token = resume_token.write(MINE, Position(7, 12), "epoch", 5)
    assert resume_token.read(token, MINE, back) == (Position(7, 12), ["epoch", 5])


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "é",
        "e" * 1_001,
        resume_token.write(resume_token.binding("other", ["o2", "o1"]), Position(7, 12)),
        forged(),
        forged(MINE, 1),
        forged(MINE, "one", 2),
        forged(MINE, -1, 2),
        forged(MINE, 1, 2**63),
        forged(MINE, None, 2),
    ],
)
def test_what_is_none_of_ours_or_of_another_watch_is_refused(text: str) -> None:
    with pytest.raises(WaybillError) as refused:
        resume_token.read(text, MINE, back)
    assert refused.value.reason == "RESUME_TOKEN_INVALID"
