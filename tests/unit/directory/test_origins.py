"""Which texts are origins that a browser states."""

import pytest

from libs.errors import Violations
from services.directory.domain.channels import origins

STATED = (
    "https://shop.example",
    "https://shop.example:8443",
    "https://xn--bcher-kva.example",
    "https://192.0.2.7",
    "https://[2001:db8::1]:8443",
    "http://localhost",
    "http://localhost:3000",
    "https://a",
)
NEVER_STATED = (
    "",
    "*",
    "null",
    "shop.example",
    "http://shop.example",
    "http://localhost.shop.example",
    "https://",
    "https://shop.example/",
    "https://shop.example/cart",
    "https://shop.example?x",
    "https://shop.example#x",
    "https://anna@shop.example",
    "https://*.shop.example",
    "https://Shop.example",
    "HTTPS://shop.example",
    "https://shop.example:443",
    "http://localhost:80",
    "https://shop.example:0",
    "https://shop.example:08443",
    "https://shop.example:65536",
    "https://shop.example:",
    "https://shop..example",
    "https://-shop.example",
    "https://shop.example\n",
    " https://shop.example",
    "https://bücher.example",
    "https://" + "a" * 64,
    "https://" + ".".join(["a" * 63] * 4),
)


def problems(*stated: str) -> list[tuple[str, str]]:
    found = Violations()
    origins.check(found, "c.allowed_origins", list(stated))
    return [(item.field, item.reason) for item in found.items]


@pytest.mark.parametrize("origin", STATED)
def test_what_a_browser_states_is_taken(origin: str) -> None:
    assert problems(origin) == []


@pytest.mark.parametrize("origin", NEVER_STATED)
def test_what_no_browser_states_is_refused(origin: str) -> None:
    assert problems("https://shop.example", origin) == [("c.allowed_origins[1]", "FIELD_INVALID")]


def test_there_are_at_most_a_hundred_and_none_twice() -> None:
    assert problems(*(f"https://s{i}.example" for i in range(100))) == []
    assert problems(*(f"https://s{i}.example" for i in range(101))) == [("c.allowed_origins", "TOO_MANY_ITEMS")]
    assert problems("https://a", "https://b", "https://a") == [("c.allowed_origins[2]", "DUPLICATE_ITEM")]
