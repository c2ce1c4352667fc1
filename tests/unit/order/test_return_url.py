"""Where a provider may send a buyer back to."""

from __future__ import annotations

import pytest

from services.order.domain.checkout.return_url import MAX_LENGTH, allowed, origin_of

PAGE = "https://shop.example/"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example/back?order=1#paid", "https://shop.example"),
        ("HTTPS://Shop.Example:443/back", "https://shop.example"),
        ("https://shop.example:8443/", "https://shop.example:8443"),
        ("http://localhost:3000/back", "http://localhost:3000"),
        ("http://127.0.0.1/back", "http://127.0.0.1"),
        ("http://[::1]:80/back", "http://[::1]"),
        (PAGE + "x" * (MAX_LENGTH - len(PAGE)), "https://shop.example"),
    ],
)
def test_a_page_of_a_shop_has_an_origin(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example/back",
        "//shop.example/back",
        "http://shop.example/back",
        "http://localhost.shop.example/",
        "ftp://shop.example/",
        "javascript:alert(1)",
        "https://",
        "https://shop.example@evil.example/",
        "https://shop.example\\@evil.example/",
        "https://shop.example:port/",
        "https://shop.example:99999/",
        "https://[::1/",
        "https://shop.example/a b",
        "https://shop.example/\n",
        "https://shöp.example/",
        PAGE + "x" * (MAX_LENGTH - len(PAGE) + 1),
    ],
)
def test_anything_else_is_no_page_that_a_buyer_is_sent_to(url: str) -> None:
    assert origin_of(url) is None


def test_a_channel_that_names_origins_takes_no_other() -> None:
    assert allowed("https://shop.example", ())
    assert allowed("https://shop.example", ("https://shop.example", "https://other.example"))
    assert not allowed("https://shop.example:8443", ("https://shop.example",))
    assert not allowed("https://evil.example", ("https://shop.example",))
