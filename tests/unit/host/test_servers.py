"""Where a marketplace is served, as it is said on the command line."""

import pytest

from services.host.contexts import CONTEXTS
from services.host.remote.servers import parsed


def test_one_server_serves_every_context():
    assert parsed(["127.0.0.1:8420"]).every == ["127.0.0.1:8420"]


def test_a_context_named_twice_has_two_replicas():
    servers = parsed(["10.0.0.1:1", "order=10.0.0.2:1", "order=10.0.0.3:1"])
    assert servers.contexts == {"order": "10.0.0.2:1,10.0.0.3:1"}
    assert servers.every == ["10.0.0.1:1", "10.0.0.2:1,10.0.0.3:1"]


def test_without_a_common_server_the_directory_is_where_people_sign_in():
    servers = parsed([f"{context}={context}:1" for context in reversed(CONTEXTS)])
    assert servers.default == "directory:1"
    assert servers.every == [f"{context}:1" for context in CONTEXTS]


@pytest.mark.parametrize("given", [["stock=127.0.0.1:1"], ["order="], ["order=127.0.0.1:1"], []])
def test_an_unknown_context_or_one_without_a_server_is_refused(given: list[str]):
    with pytest.raises(ValueError, match="catalog"):
        parsed(given)
