"""`waybill config` shows every setting and no secret."""

from __future__ import annotations

import dataclasses
import json

import pytest
from typer.testing import CliRunner

from libs.db.url import masked_url
from libs.service.settings import HIDDEN, URL
from services.host.cli import app
from services.host.process.config import explain
from services.host.process.settings import BindError, HostSettings
from services.host.process.variables import variables

ENVIRONMENT = {
    "WAYBILL_DATABASE_URL": "postgresql://waybill:hunter2@db:5432/waybill?password=hunter2&sslmode=require",
    "WAYBILL_ORDER_DATABASE_URL": "postgresql://order:hunter2@db/order",
    "WAYBILL_SERVICE_SECRET": "hunter2" * 8,
    "WAYBILL_PRICING_ADDRESS": "pricing:8420",
    "WAYBILL_POOL_SIZE": "7",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:hunter2@traces:4317",
}


def test_a_setting_shows_its_value_and_where_that_comes_from() -> None:
    found = {s.name: (s.value, s.source) for s in explain(ENVIRONMENT, {"bind": "0.0.0.0:1", "only": "", "data": None})}
    assert found["bind"] == ("0.0.0.0:1", "option --bind")
    assert found["pool_size"] == ("7", "environment WAYBILL_POOL_SIZE")
    assert found["order.pool_size"] == ("7", "environment WAYBILL_POOL_SIZE")
    assert found["directory.seller_id"] == ("seller", "default")
    assert found["only"] == ("", "default")
    assert found["pricing.address"] == ("pricing:8420", "environment WAYBILL_PRICING_ADDRESS")
    assert found["order.address"] == ("", "default")
    assert found["service_secret"] == ("***", "environment WAYBILL_SERVICE_SECRET")
    assert found["database_url"][0] == "postgresql://waybill:***@db:5432/waybill?password=%2A%2A%2A&sslmode=require"


def test_an_option_beats_the_environment() -> None:
    (url,) = [s for s in explain(ENVIRONMENT, {"database_url": "postgresql://x:hunter2@y/z"}) if s.name == "database_url"]
    assert (url.value, url.source) == ("postgresql://x:***@y/z", "option --database-url")


@pytest.mark.parametrize(
    ("options", "inner"),
    [
        ({}, "127.0.0.1:0"),
        ({"only": "order", "bind": "10.0.0.11:8420"}, "10.0.0.11:8421"),
        ({"only": "order", "bind": "[::1]:8420"}, "[::1]:8421"),
        ({"only": "order", "bind": "127.0.0.1:0"}, "127.0.0.1:0"),
        ({"only": "order", "bind": "0.0.0.0:8420", "service_bind": "10.0.0.11:9000"}, "10.0.0.11:9000"),
    ],
)
def test_services_are_served_on_the_next_port_unless_another_is_given(options: dict[str, str], inner: str) -> None:
    assert HostSettings(**options).inner_bind == inner  # type: ignore[arg-type]
    if options:
        (shown,) = [s.value for s in explain({}, options) if s.name == "service_bind"]
        assert shown == inner


@pytest.mark.parametrize(
    "options",
    [
        {"service_bind": "127.0.0.1:1"},
        {"only": "order", "bind": "127.0.0.1:65535"},
        {"only": "order", "bind": "unix:/run/waybill"},
    ],
)
def test_a_listener_for_services_whose_address_is_unclear_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(BindError, match="--service-bind"):
        _ = HostSettings(**options).inner_bind  # type: ignore[arg-type]


def test_every_setting_stands_there_with_its_meaning() -> None:
    shown = explain({}, {})
    assert [s.variable for s in shown] == [v.name for v in variables()]
    assert all(s.meaning for s in shown)
    assert {"unit": "s", "default": "5", "range": "from 0.1"}.items() <= dataclasses.asdict(
        next(s for s in shown if s.variable == "WAYBILL_PAYMENT_GATEWAY_TIMEOUT")
    ).items()


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_no_secret_is_printed(options: list[str]) -> None:
    runner = CliRunner()
    done = runner.invoke(app, ["config", "--tls-key", "/etc/key.pem", *options], env=ENVIRONMENT)
    assert done.exit_code == 0
    assert "hunter2" not in done.output
    assert "/etc/key.pem" in done.output
    if options:
        (pool,) = [setting for setting in json.loads(done.output) if setting["variable"] == "WAYBILL_POOL_SIZE"]
        assert (pool["value"], pool["default"], pool["source"]) == ("7", "10", "environment WAYBILL_POOL_SIZE")


def test_whatever_is_called_a_secret_or_may_hold_a_password_is_marked() -> None:
    for one in (variable.field for variable in variables() if variable.field.type is str):
        if any(word in one.name for word in ("secret", "password", "token", "_pem")):
            assert one.about.shown == HIDDEN
        if "url" in one.name or "endpoint" in one.name:
            assert one.about.shown == URL


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////var/lib/waybill/order.sqlite3", "sqlite:////var/lib/waybill/order.sqlite3"),
        ("postgresql://waybill@db/waybill", "postgresql://waybill@db/waybill"),
        ("postgresql://waybill:hun@ter2@db/waybill", "***"),
        ("waybill:hunter2", "***"),
        ("postgresql://waybill:hunter2@db:port/x", "***"),
    ],
)
def test_a_url_is_shown_without_its_password_or_not_at_all(url: str, shown: str) -> None:
    assert masked_url(url) == shown


def test_a_variable_that_is_wrong_is_named() -> None:
    done = CliRunner().invoke(app, ["config"], env={"WAYBILL_POOL_SIZE": "many"})
    assert done.exit_code == 2
    assert "WAYBILL_POOL_SIZE" in done.output
