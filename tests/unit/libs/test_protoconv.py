from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal as DecimalMessage
from google.type.money_pb2 import Money as MoneyMessage
from hypothesis import given
from hypothesis import strategies as st

from libs import protoconv
from libs.errors import Violations
from waybill.type.v1 import address_pb2


def reasons(found: Violations) -> list[tuple[str, str]]:
    return [(v.field, v.reason) for v in found.items]


def struct(values: dict[str, Any]) -> Struct:
    message = Struct()
    message.update(values)
    return message


@given(st.integers(-(10**18), 10**18))
def test_an_amount_goes_out_and_comes_back(micros: int) -> None:
    message = protoconv.money_out(micros, "USD")
    found = Violations()
    assert protoconv.money_in(found, "amount", message, "USD", negative=True, finer=True) == micros
    assert protoconv.money_micros(message) == micros
    assert not found
    assert message.units * message.nanos >= 0


@pytest.mark.parametrize(
    ("units", "nanos", "reason"),
    [
        (1, 1, "AMOUNT_TOO_PRECISE"),
        (0, 999, "AMOUNT_TOO_PRECISE"),
        (1, -10_000, "FIELD_INVALID"),
        (-1, 10_000, "FIELD_INVALID"),
        (0, 1_000_000_000, "FIELD_INVALID"),
        (10**12 + 1, 0, "FIELD_INVALID"),
        (-(2**63), 0, "FIELD_INVALID"),
        (-1, 0, "AMOUNT_NEGATIVE"),
        (0, -10_000_000, "AMOUNT_NEGATIVE"),
        (0, 1_000_000, "AMOUNT_TOO_PRECISE"),
    ],
)
def test_an_amount_that_cannot_be_is_noted(units: int, nanos: int, reason: str) -> None:
    found = Violations()
    message = MoneyMessage(currency_code="USD", units=units, nanos=nanos)
    protoconv.money_in(found, "price", message, "USD")
    assert reasons(found) == [("price", reason)]


def test_a_price_may_be_finer_than_the_minor_unit_down_to_a_millionth() -> None:
    found = Violations()
    assert protoconv.money_in(found, "price", MoneyMessage(currency_code="JPY", nanos=1_000), "JPY", finer=True) == 1
    assert not found
    protoconv.money_in(found, "price", MoneyMessage(currency_code="JPY", nanos=999), "JPY", finer=True)
    assert reasons(found) == [("price", "AMOUNT_TOO_PRECISE")]


def test_the_largest_amount_passes() -> None:
    found = Violations()
    message = MoneyMessage(currency_code="JPY", units=10**12)
    assert protoconv.money_in(found, "price", message) == 10**18
    assert not found


@pytest.mark.parametrize(
    ("code", "expected", "violation"),
    [
        ("EUR", "USD", ("price", "CURRENCY_MISMATCH")),
        ("", "USD", ("price", "CURRENCY_MISMATCH")),
        ("XYZ", "", ("price.currency_code", "FIELD_INVALID")),
        ("", "", ("price.currency_code", "FIELD_REQUIRED")),
    ],
)
def test_an_amount_in_a_wrong_currency_is_noted(code: str, expected: str, violation: tuple[str, str]) -> None:
    found = Violations()
    protoconv.money_in(found, "price", MoneyMessage(currency_code=code, units=1), expected)
    assert reasons(found) == [violation]


@pytest.mark.parametrize(
    ("text", "value"), [("", "0"), ("0.0825", "0.0825"), ("-1.50", "-1.50"), ("+7", "7"), ("-0", "0"), ("5.", "5")]
)
def test_a_decimal_is_read_exactly(text: str, value: str) -> None:
    found = Violations()
    assert protoconv.decimal_in(found, "rate", DecimalMessage(value=text)) == Decimal(value)
    assert not found


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-inf", "1e999999999", "1E5", "1_000", "١", "1,5", "x", "1" * 19, "0." + "1" * 19]
)
def test_what_is_no_bounded_decimal_is_noted_and_read_as_zero(text: str) -> None:
    found = Violations()
    assert protoconv.decimal_in(found, "rate", DecimalMessage(value=text)) == 0
    assert reasons(found) == [("rate", "FIELD_INVALID")]


def test_a_decimal_out_of_its_range_is_noted() -> None:
    found = Violations()
    protoconv.decimal_in(found, "rate", DecimalMessage(value="1.01"), Decimal(0), Decimal(1))
    protoconv.decimal_in(found, "rate", DecimalMessage(value="-0.01"), Decimal(0))
    assert reasons(found) == [("rate", "VALUE_OUT_OF_RANGE")] * 2


@given(st.decimals(-(10**17), 10**17, places=18, allow_nan=False, allow_infinity=False))
def test_a_decimal_goes_out_without_an_exponent_and_comes_back(value: Decimal) -> None:
    message = protoconv.decimal_out(value)
    assert "E" not in message.value
    found = Violations()
    assert protoconv.decimal_in(found, "rate", message) == value
    assert not found


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_goes_out_and_comes_back(moment: datetime) -> None:
    message = protoconv.time_out(moment)
    assert message is not None
    assert protoconv.time_in(Violations(), "time", message) == protoconv.instant(message) == moment


def test_no_instant_stays_unset() -> None:
    assert protoconv.time_out(None) is None


@pytest.mark.parametrize(("seconds", "nanos"), [(0, -1), (0, 2 * 10**9), (10**15, 0), (253402300800, 0)])
def test_an_instant_that_cannot_be_is_noted(seconds: int, nanos: int) -> None:
    found = Violations()
    protoconv.time_in(found, "time", Timestamp(seconds=seconds, nanos=nanos))
    assert reasons(found) == [("time", "VALUE_OUT_OF_RANGE")]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer())
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8), JSON, max_size=5))
def test_xp_goes_out_and_comes_back_with_whole_numbers_as_integers(xp: dict[str, Any]) -> None:
    message = protoconv.xp_out(xp)
    back = protoconv.xp_in(Violations(), "xp", message or Struct())
    assert back == xp
    assert repr(back) == repr(xp) or sorted(repr(back)) == sorted(repr(xp))


def test_no_xp_stays_unset() -> None:
    assert protoconv.xp_out({}) is None
    assert protoconv.xp_in(Violations(), "xp", Struct()) == {}


def test_xp_is_at_most_8000_characters_of_json() -> None:
    found = Violations()
    fits = "ä" * (8_000 - len('{"a":""}'))
    assert protoconv.xp_in(found, "xp", struct({"a": fits})) == {"a": fits}
    assert not found
    protoconv.xp_in(found, "xp", struct({"a": fits + "ä"}))
    assert reasons(found) == [("xp", "XP_TOO_LARGE")]


def test_a_merged_xp_has_the_same_limit() -> None:
    found = Violations()
    protoconv.xp_size_ok(found, "xp", {"a": "x" * 5_000})
    assert not found
    protoconv.xp_size_ok(found, "xp", {"a": "x" * 5_000, "b": "x" * 5_000})
    assert reasons(found) == [("xp", "XP_TOO_LARGE")]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_xp_has_no_number_that_json_does_not_have(bad: float) -> None:
    found = Violations()
    assert protoconv.xp_in(found, "xp", struct({"a": bad})) == {}
    assert reasons(found) == [("xp", "FIELD_INVALID")]


@pytest.mark.parametrize("bad", [{"a": "x\x00"}, {"a\x00": 1}, {"a": {"b": ["\x00"]}}, {"a": "\\\x00"}])
def test_xp_has_no_nul_because_no_database_stores_it(bad: dict[str, Any]) -> None:
    found = Violations()
    protoconv.xp_in(found, "xp", struct(bad))
    assert reasons(found) == [("xp", "FIELD_INVALID")]


def test_a_backslash_u0000_spelled_out_is_text_like_any_other() -> None:
    found = Violations()
    assert protoconv.xp_in(found, "xp", struct({"a": "\\u0000"})) == {"a": "\\u0000"}
    assert not found


def test_a_patch_is_laid_over_deeply_and_null_deletes() -> None:
    old = {"keep": 1, "drop": 2, "deep": {"a": 1, "b": {"c": 1}}, "list": [1, 2], "scalar": 5}
    patch = {"drop": None, "deep": {"b": {"c": None, "d": 2}}, "list": [3], "scalar": {"x": 1}, "gone": None}
    assert protoconv.merge_xp(old, patch) == {"keep": 1, "deep": {"a": 1, "b": {"d": 2}}, "list": [3], "scalar": {"x": 1}}
    assert old["deep"] == {"a": 1, "b": {"c": 1}}


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=5))
def test_laying_the_same_patch_twice_changes_nothing_more(patch: dict[str, Any]) -> None:
    once = protoconv.merge_xp({"a": {"b": 1}, "c": [1]}, patch)
    assert protoconv.merge_xp(once, patch) == once


def test_text_is_bounded_and_without_control_characters() -> None:
    found = Violations()
    assert protoconv.text_in(found, "name", "Zoë\nGmbH", 10, required=True) == "Zoë\nGmbH"
    assert not found
    protoconv.text_in(found, "a", "  ", 10, required=True)
    protoconv.text_in(found, "b", "x" * 11, 10)
    protoconv.text_in(found, "c", "x\x00", 10)
    assert reasons(found) == [("a", "FIELD_REQUIRED"), ("b", "VALUE_OUT_OF_RANGE"), ("c", "FIELD_INVALID")]


ADDRESS = {
    "id": "home",
    "label": "Home",
    "company_name": "Acme",
    "first_name": "Anna",
    "last_name": "Lee",
    "recipient": "Anna",
    "lines": ["1 Main St", "Apt 2"],
    "city": "Austin",
    "region": "TX",
    "postal_code": "73301",
    "country": "US",
    "phone": "+1 555 0100",
}


def test_an_address_comes_in_and_goes_out() -> None:
    found = Violations()
    message = address_pb2.Address(**ADDRESS)
    plain = protoconv.address_in(found, "to", message)
    assert not found
    assert plain == ADDRESS
    assert protoconv.address_out(address_pb2.Address, plain) == message
    assert protoconv.address_out(address_pb2.Address, None) is None


def test_everything_that_is_wrong_with_an_address_is_noted() -> None:
    found = Violations()
    message = address_pb2.Address(
        id="a b",
        label="x" * 201,
        first_name="x\0",
        last_name="x" * 201,
        recipient="x" * 201,
        lines=["a", "b", "c", "d", "e\x01"],
        city=" ",
        country="us",
    )
    protoconv.address_in(found, "to", message)
    assert sorted(reasons(found)) == [
        ("to.city", "FIELD_REQUIRED"),
        ("to.country", "FIELD_INVALID"),
        ("to.first_name", "FIELD_INVALID"),
        ("to.id", "ID_INVALID"),
        ("to.label", "VALUE_OUT_OF_RANGE"),
        ("to.last_name", "VALUE_OUT_OF_RANGE"),
        ("to.lines", "TOO_MANY_ITEMS"),
        ("to.lines[4]", "FIELD_INVALID"),
        ("to.recipient", "VALUE_OUT_OF_RANGE"),
    ]


@pytest.mark.parametrize("country", ["UK", "XX", "USA"])
def test_a_country_is_an_iso_code(country: str) -> None:
    found = Violations()
    protoconv.address_in(found, "to", address_pb2.Address(city="London", country=country))
    assert reasons(found) == [("to.country", "FIELD_INVALID")]


def test_an_empty_mask_means_the_fields_that_are_set_and_may_change() -> None:
    found = Violations()
    message = address_pb2.Address(id="home", city="Austin", lines=["1 Main St"])
    assert protoconv.mask_paths(found, FieldMask(), message, {"city", "lines", "phone"}) == ["lines", "city"]
    assert not found


def test_a_mask_names_fields_that_exist_and_may_change() -> None:
    found = Violations()
    mask = FieldMask(paths=["phone", "lines", "phone", "nope", "id"])
    assert protoconv.mask_paths(found, mask, address_pb2.Address(), {"phone", "lines"}) == ["phone", "lines"]
    assert reasons(found) == [("update_mask.paths[3]", "FIELD_INVALID"), ("update_mask.paths[4]", "FIELD_INVALID")]


def test_a_mask_that_names_a_part_of_a_field_is_refused() -> None:
    found = Violations()
    mask = FieldMask(paths=["lines", "city.name", "nope.name"])
    assert protoconv.mask_paths(found, mask, address_pb2.Address(), {"city", "lines"}) == ["lines"]
    assert [(v.field, v.description) for v in found.items] == [
        ("update_mask.paths[1]", "names a part: city is changed as a whole"),
        ("update_mask.paths[2]", "there is no field 'nope.name'"),
    ]
