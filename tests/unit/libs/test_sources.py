"""Where a call comes from, and whom to believe about it."""

from __future__ import annotations

import pytest

from libs.rpc.fairness.sources import LOCAL, Source, Sources, networks

PROXIES = networks("10.0.0.0/8, 192.0.2.7,2001:db8:1::/48")


@pytest.mark.parametrize(
    ("peer", "name"),
    [
        ("ipv4:203.0.113.9:5000", "203.0.113.9"),
        ("ipv6:[2001:db8::1:2]:5000", "2001:db8::/64"),
        ("ipv6:%5B2001:db8:0:0:ffff::2%5D:5000", "2001:db8::/64"),
        ("ipv6:[::ffff:203.0.113.9]:5000", "203.0.113.9"),
        ("ipv6:[fe80::1%25eth0]:5000", "fe80::/64"),
        ("unix:", LOCAL),
        ("unix:/run/waybill.sock", LOCAL),
        ("", LOCAL),
    ],
)
def test_a_source_is_the_address_of_the_connection(peer: str, name: str) -> None:
    assert Sources().of(peer, []) == Source(name)


def test_nobody_but_a_trusted_proxy_says_where_a_call_comes_from() -> None:
    assert Sources(PROXIES).of("ipv4:203.0.113.9:5000", ["198.51.100.1"]) == Source("203.0.113.9")
    assert Sources().of("ipv4:10.0.0.1:5000", ["198.51.100.1"]) == Source("10.0.0.1")


@pytest.mark.parametrize(
    ("forwarded", "name"),
    [
        (["198.51.100.1"], "198.51.100.1"),
        # What stands further to the left may be made up.
        (["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        (["rubbish, 198.51.100.1, 10.3.2.1 , 192.0.2.7"], "198.51.100.1"),
        (["198.51.100.1", "10.3.2.1"], "198.51.100.1"),
        (["198.51.100.1:4711"], "198.51.100.1"),
        (["[2001:db8:2::5]:4711"], "2001:db8:2::/64"),
        (["2001:db8:2::5"], "2001:db8:2::/64"),
        (["::ffff:198.51.100.1"], "198.51.100.1"),
    ],
)
def test_behind_trusted_proxies_it_is_the_last_address_that_is_none_of_theirs(forwarded: list[str], name: str) -> None:
    assert Sources(PROXIES).of("ipv4:10.0.0.1:5000", forwarded) == Source(name)


@pytest.mark.parametrize("forwarded", ["", "unknown", "198.51.100.1, unknown", "198.51.100.1,", "300.1.2.3", "10.0.0.2"])
def test_a_header_that_names_nobody_leaves_the_proxy_as_the_source(forwarded: str) -> None:
    assert Sources(PROXIES).of("ipv4:10.0.0.1:5000", [forwarded]) == Source("10.0.0.1")


def test_a_trusted_proxy_that_says_nothing_stands_for_many() -> None:
    assert Sources(PROXIES).of("ipv6:[2001:db8:1::9]:5000", []) == Source("2001:db8:1::/64", shared=True)


def test_a_header_of_any_length_is_read_from_its_end() -> None:
    header = ", ".join(["10.0.0.2"] * 30_000)
    assert Sources(PROXIES).of("ipv4:10.0.0.1:5000", [header]) == Source("10.0.0.1")


@pytest.mark.parametrize("text", ["10.0.0.0/33", "proxy.example", "10.0.0.1;10.0.0.2"])
def test_what_is_no_network_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is neither an address nor a network"):
        networks(text)
