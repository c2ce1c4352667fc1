"""Every setting of the process and of every service has one variable, and what that says reaches the built settings."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.host.cli import app
from services.host.contexts import CONTEXTS
from services.host.database_options import merged
from services.host.process.settings import HostSettings
from services.host.process.variables import ADDRESS, Variable, from_environment, settings_class, variables

OF_PROCESS_ONLY = {"addresses", "services", "files"}
"""Fields of the process that gather what variables of single services say, and where values were read from."""
FOUND = {"directory": {"sealing"}}
"""Fields of services that the host finds by a setting of its own."""


def names(cls: Any) -> set[str]:
    """The fields of a settings class, those of groups in place of the group."""
    found = set()
    for field in dataclasses.fields(cls):
        inner = field.default
        found |= names(type(inner)) if dataclasses.is_dataclass(inner) else {field.name}
    return found


def another(variable: Variable) -> tuple[str, object]:
    """A text that the variable accepts and that is not its default, and the value it stands for."""
    field = variable.field
    if field.type is bool:
        return ("off", False) if field.default else ("on", True)
    if field.about.choices:
        return field.about.choices[-1], field.about.choices[-1]
    if field.type in (int, float):
        low, high = field.about.at_least, None if field.about.below else field.about.at_most
        value = next(v for v in (high, low, 7.0) if v is not None and v != field.default)
        return f"{value:g}" if field.type is float else str(int(value)), field.type(value)
    if field.about.check:
        return "10.0.0.0/8", "10.0.0.0/8"
    text = "https://changed" if field.about.pattern.startswith("https") else "changed"
    return text, field.type(text)


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_field_of_a_service_has_a_variable(context: str) -> None:
    own = {v.field.name for v in variables() if v.context == context and v.field is not ADDRESS}
    assert own == names(settings_class(context)) - FOUND.get(context, set())


def test_every_field_of_the_process_has_a_variable() -> None:
    assert {v.field.name for v in variables() if not v.context} == names(HostSettings) - OF_PROCESS_ONLY


def test_no_two_settings_share_a_variable() -> None:
    taken = [v.name for v in variables()] + [f"{v.name}_FILE" for v in variables() if v.field.about.file]
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize("variable", variables(), ids=lambda v: v.name)
def test_what_a_variable_says_reaches_the_settings_that_are_built(variable: Variable) -> None:
    text, value = another(variable)
    host = merged(from_environment({variable.name: text}).settings, {})
    name = variable.field.name
    if variable.field is ADDRESS:
        assert host.addresses[variable.context] == value
    elif not variable.context:
        assert getattr(getattr(host, variable.field.within) if variable.field.within else host, name) == value
    else:
        settings = host.settings_of(variable.context, settings_class(variable.context))
        if name == "database_schema":
            # SQLite has none.
            host = merged(from_environment({variable.name: text, "WAYBILL_DATABASE_URL": "postgresql://h/d"}).settings, {})
            settings = host.settings_of(variable.context, settings_class(variable.context))
        assert getattr(getattr(settings, variable.field.within) if variable.field.within else settings, name) == value


@pytest.mark.parametrize("variable", variables(), ids=lambda v: v.name)
def test_a_variable_says_what_it_means_and_its_default_is_within_its_range(variable: Variable) -> None:
    assert variable.field.about.meaning.endswith(".")
    if variable.field.default not in (None, ""):
        variable.field.read(str(variable.field.default))


def test_how_databases_are_used_can_be_set_for_all_services_and_for_single_ones() -> None:
    host = merged(from_environment({"WAYBILL_POOL_SIZE": "4", "WAYBILL_ORDER_POOL_SIZE": "9"}).settings, {})
    assert (host.tuning_of("order").pool_size, host.tuning_of("pricing").pool_size) == (9, 4)


def test_the_option_not_to_migrate_holds_for_every_service() -> None:
    host = merged(from_environment({"WAYBILL_ORDER_MIGRATE": "on"}).settings, {"migrate": False})
    assert not any(host.tuning_of(context).migrate for context in CONTEXTS)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("WAYBILL_POOL_SIZE", "many", "'many' is not a whole number"),
        ("WAYBILL_POOL_SIZE", "0", "0 is out of range: 1 to 1,000"),
        ("WAYBILL_PAYMENT_GATEWAY_TIMEOUT", "nan", "'nan' is not a number"),
        ("WAYBILL_PAYMENT_GATEWAY_TIMEOUT", "-1", "-1 s is out of range: from 0.1 s"),
        ("WAYBILL_MIGRATE", "perhaps", "'perhaps' is neither on nor off"),
        ("WAYBILL_ONLY", "odrer", "'odrer' is none of directory, "),
        ("WAYBILL_ORDER_DATABASE_SCHEMA", 'x"; drop', "does not match"),
        ("WAYBILL_TRUSTED_PROXIES", "10.0.0.1, edge", "'edge' is neither an address nor a network such as 10.0.0.0/8"),
    ],
)
def test_a_value_that_cannot_be_is_one_line_that_names_the_variable(name: str, text: str, said: str) -> None:
    done = CliRunner().invoke(app, ["config"], env={name: text})
    assert done.exit_code == 2
    assert done.output.startswith(f"{name}: ")
    assert said in done.output
    assert done.output.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"WAYBILL_ORDER_ATTEMPT_DEADLINE": "4"},
            "WAYBILL_ORDER_ATTEMPT_LEASE (5 s) must be below WAYBILL_ORDER_ATTEMPT_DEADLINE (4 s)",
        ),
        (
            {"WAYBILL_ORDER_AUTHORIZE_TIMEOUT": "60"},
            "WAYBILL_ORDER_AUTHORIZE_TIMEOUT (60 s) must be below WAYBILL_ORDER_ATTEMPT_DEADLINE (60 s)",
        ),
    ],
)
def test_two_values_that_do_not_fit_together_are_one_line_that_names_both(given: dict[str, str], said: str) -> None:
    done = CliRunner().invoke(app, ["config"], env=given)
    assert (done.exit_code, done.output) == (2, said + "\n")


def test_values_that_fit_together_are_taken() -> None:
    given = {"WAYBILL_ORDER_ATTEMPT_DEADLINE": "4", "WAYBILL_ORDER_ATTEMPT_LEASE": "1", "WAYBILL_ORDER_AUTHORIZE_TIMEOUT": "3"}
    assert CliRunner().invoke(app, ["config"], env=given).exit_code == 0


def test_every_setting_that_another_bounds_names_one_of_its_own_class() -> None:
    named = {(v.context, v.field.name) for v in variables()}
    bounded = {(v.context, v.field.about.below) for v in variables() if v.field.about.below}
    assert bounded
    assert bounded <= named


def test_a_variable_that_nothing_reads_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match=r"WAYBILL_PAYMENT_GATWAY_TIMEOUT .*nearest is WAYBILL_PAYMENT_GATEWAY_TIMEOUT"):
        from_environment({"WAYBILL_PAYMENT_GATWAY_TIMEOUT": "3"})


@pytest.mark.parametrize(
    "name",
    [
        "WAYBILL_CLIENT_SECRET",
        "WAYBILL_ORDER_PORTS",
        "WAYBILL_TEST_POSTGRES_URL",
        "WAYBILL_SERVICE_HOST",
        "WAYBILL_ORDER_PORT_8420_TCP_ADDR",
        "HOME",
    ],
)
def test_what_others_read_or_put_there_is_none_of_its_business(name: str) -> None:
    assert from_environment({name: "x"}).sources == {}


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s" * 40 + "\n")
    given = from_environment({"WAYBILL_SERVICE_SECRET_FILE": str(file)})
    assert given.settings["service_secret"] == "s" * 40
    assert given.sources == {"service_secret": "WAYBILL_SERVICE_SECRET_FILE"}


def test_a_file_that_cannot_be_the_value_is_refused_by_the_name_of_its_variable(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for path, said in ((tmp_path / "none", "No such file"), (empty, "is empty"), (tmp_path, "directory")):
        with pytest.raises(ValueError, match=f"^WAYBILL_SERVICE_SECRET_FILE: .*{said}"):
            from_environment({"WAYBILL_SERVICE_SECRET_FILE": str(path)})
    with pytest.raises(ValueError, match="both given"):
        from_environment({"WAYBILL_SERVICE_SECRET_FILE": str(empty), "WAYBILL_SERVICE_SECRET": "x" * 40})


def test_a_value_in_a_file_is_not_repeated_when_it_is_wrong() -> None:
    with pytest.raises(ValueError, match="WAYBILL_DATABASE_URLS is no variable") as caught:
        from_environment({"WAYBILL_DATABASE_URLS": "postgresql://u:hunter2@h/d"})
    assert "hunter2" not in str(caught.value)


def test_the_file_that_a_value_was_read_from_is_known(tmp_path: Path) -> None:
    file = tmp_path / "seal.key"
    file.write_text("one\ntwo\n")
    given = from_environment({"WAYBILL_SEALING_KEY_FILE": str(file), "WAYBILL_SERVICE_SECRET": "x" * 40})
    host = merged(given.settings, {})
    assert (host.sealing_key, host.files) == ("one\ntwo", {"sealing_key": file})
