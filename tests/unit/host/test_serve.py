"""What `waybill serve` says once it serves."""

from __future__ import annotations

from pathlib import Path

from libs.failpoints import Failpoints
from services.directory.application.bootstrap import OneTimeSecret
from services.host.process.embedded import Host
from services.host.process.serve import as_json
from services.host.process.settings import HostSettings


def host(secret: OneTimeSecret | None = None, metrics: str = "") -> Host:
    return Host("127.0.0.1:8420", "127.0.0.1:8421", secret, {}, None, Failpoints(), metrics)  # type: ignore[arg-type]


def test_a_machine_reads_the_secret_at_the_first_start_only() -> None:
    settings = HostSettings(data=Path("books"))
    first, later = (as_json(host(secret), settings) for secret in (OneTimeSecret("owner", "word", "owner"), None))
    assert first == {**later, "client_id": "owner", "client_secret": "word"}
    assert later == {"services": [], "address": "127.0.0.1:8420", "data": "books"}


def test_a_machine_reads_the_other_addresses_where_there_are_any() -> None:
    said = as_json(host(metrics="127.0.0.1:9090"), HostSettings(only="order", database_url="postgresql://u:secret@h/d"))
    assert (said["inner_address"], said["metrics"]) == ("127.0.0.1:8421", "http://127.0.0.1:9090/metrics")
    assert said["data"] == "PostgreSQL"
