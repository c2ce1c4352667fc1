"""The filter language, ordering and page tokens: what they accept, and how they refuse the rest."""

# Long because it is the table of the filter language, case by case.
from __future__ import annotations

import base64
import re
import uuid
from collections import namedtuple
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from libs.db import Json, Micros, UtcTime, metadata
from libs.errors import WaybillError
from libs.query import Field, Listing, PageRequest
from libs.query.parser import MAX_DEPTH, Compare, FilterError, Group, Not, parse
from libs.query.xp import compare_xp

THINGS = sa.Table(
    "things",
    metadata(),
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("note", sa.String(100), nullable=True),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("total", Micros(), nullable=True),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("owner", sa.Uuid(), nullable=True),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("xp", Json(), nullable=False),
)
T = THINGS.c
LISTING = Listing(
    {
        "name": Field(T.name),
        "note": Field(T.note),
        "quantity": Field(T.quantity, "int"),
        "total": Field(T.total, "micros"),
        "active": Field(T.active, "bool"),
        "owner": Field(T.owner, "uuid"),
        "status": Field(T.status, "enum", {"OPEN": "Open", "CLOSED": "Closed"}),
        "create_time": Field(T.create_time, "time"),
    },
    T.id,
    xp=T.xp,
)
DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}
BOUND = {"party": "acme"}


def compiled(dialect: str, **arguments: Any) -> str:
    """The statement of a list request."""
    statement = LISTING.plan(dialect, PageRequest(**arguments)).apply(sa.select(THINGS))
    return str(statement.compile(dialect=DIALECTS[dialect]))


def refusal(bound: Any = None, **arguments: Any) -> dict[str, tuple[str, str]]:
    """(reason, description) by field of a refused list request."""
    with pytest.raises(WaybillError) as caught:
        LISTING.plan("sqlite", PageRequest(**arguments), bound)
    return {v.field: (v.reason, v.description) for v in caught.value.fields}


def reasons(dialect: str, **arguments: Any) -> list[str]:
    """Why a list request is refused; nothing when it makes a statement."""
    try:
        compiled(dialect, **arguments)
    except WaybillError as error:
        return [violation.reason for violation in error.fields]
    return []


def test_comparisons_group_by_parentheses_and_by_one_word():
    def one(name: str, at: int) -> Compare:
        return Compare((name,), "=", "1", False, at=at)

    assert parse("a=1 AND (b=1 OR c=1)") == Group("AND", (one("a", 1), Group("OR", (one("b", 10), one("c", 17)))))
    assert parse("a=1 OR b=1 OR c=1") == Group("OR", (one("a", 1), one("b", 8), one("c", 15)))
    assert parse("((a = 1))") == one("a", 3)


@pytest.mark.parametrize("text", ["NOT a = 1", "-a = 1", "not (a = 1)", "-(a = 1)"])
def test_a_negation_has_two_spellings(text):
    assert isinstance(parse(text), Not)


@pytest.mark.parametrize(
    ("text", "value", "quoted"),
    [
        ('a = "x y"', "x y", True),
        ("a = 'x y'", "x y", True),
        (r'a = "say \"no\" \\ twice"', r'say "no" \ twice', True),
        ('a = ""', "", True),
        ('a = "ü\n☃"', "ü\n☃", True),
        ("a = OPEN", "OPEN", False),
        ("a = -5", "-5", False),
        ("a=12.50", "12.50", False),
        ("a > 2026-03-02", "2026-03-02", False),
        ("a > 2026-03-02T12:30:00Z", "2026-03-02T12:30:00Z", False),
        ("a > 2026-03-02T12:30:00.5+02:00", "2026-03-02T12:30:00.5+02:00", False),
        ("a = AND", "AND", False),
    ],
)
def test_values_are_texts_numbers_times_and_words(text, value, quoted):
    node = parse(text)

    assert isinstance(node, Compare)
    assert (node.value, node.quoted) == (value, quoted)


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_no_filter_is_a_filter(text):
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a = 1 AND b = 2 OR c = 3", "mix at character 17"),
        ("a", "ends where an operator"),
        ("a =", "ends where a value"),
        ("a = 1 AND", "ends where a comparison"),
        ("= 1", "field is expected at character 1"),
        ("a b = 1", "expected at character 3"),
        ("a = 1 b = 2", "AND or OR is expected at character 7"),
        ("a = = 1", "value is expected at character 5"),
        ("(a = 1", "parenthesis of character 1 is not closed"),
        ("a = 1)", "expected at character 6"),
        ("()", "field is expected at character 2"),
        ('a = "x', "character 5"),
        ("a = ü", "character 5"),
        ("a = *", "star is written in quotes, at character 5"),
        ("a = PO* AND b = 1", "star is written in quotes, at character 5"),
        ("(a != *12)", "star is written in quotes, at character 7"),
        (f'a = "x" OR a = "*{"y" * 101}*"', "more than 100 characters follow a star in the text at character 16"),
        ("a..b = 1", "field is expected at character 1"),
        (".a = 1", "field is expected"),
        ("a. = 1", "field is expected"),
        ("AND = 1", "field is expected"),
        ("a = 1 AND AND b = 2", "field is expected at character 11"),
        ('a = "x\0"', "character 7 is NUL"),
        ("a" * 2_000 + "=1", "longer than 2,000"),
        ("(" * 21 + "a = 1" + ")" * 21, "nested deeper than 20"),
        ("NOT " * 21 + "a = 1", "nested deeper than 20"),
        ("NOT " * 400 + "a = 1", "nested deeper than 20"),
    ],
)
def test_a_filter_that_is_not_understood_says_where(text, why):
    with pytest.raises(FilterError, match=why):
        parse(text)


def test_nesting_goes_as_deep_as_is_said():
    assert parse("(" * MAX_DEPTH + "a = 1" + ")" * MAX_DEPTH) is not None


_WORDS = """
    name note quantity total active status owner create_time xp.a xp.a.b xp nope AND OR NOT - ( ) = != < <= > >= : * "x"
    'y' 5 -1 2.5 1e3 99999999999999999999 true false OPEN Open 2026-03-02 2026-03-02T12:00:00Z \0 ü " . ..
    9999-12-31T23:59:59-23:59 0001-01-01T00:00:00+23:59 00000000-0000-0000-0000-000000000007
"""
_ORDER_WORDS = "name note xp.a xp.a.b xp nope asc desc , ü xp.'a xp.\"b total"


def words(text: str) -> st.SearchStrategy[str]:
    """Sentences of these words."""
    return st.lists(st.sampled_from(text.split()), max_size=30).map(" ".join)


@given(words(_WORDS) | st.text(max_size=60), st.sampled_from(sorted(DIALECTS)))
@example("create_time = 0001-01-01T00:00:00+23:59", "sqlite")
@example("total = 1e99", "postgresql")
def test_any_filter_makes_a_statement_or_is_refused(text, dialect):
    assert reasons(dialect, filter=text) in ([], ["FILTER_INVALID"])


@given(words(_ORDER_WORDS) | st.text(max_size=40), st.sampled_from(sorted(DIALECTS)))
def test_any_order_makes_a_statement_or_is_refused(text, dialect):
    assert reasons(dialect, order_by=text) in ([], ["ORDER_BY_INVALID"])


@pytest.mark.parametrize(
    ("filter", "why"),
    [
        ("nope = 1", "no field 'nope' to filter by, at character 1"),
        ("active = true AND nope = 1", "at character 19"),
        ("quantity = 1.5", "'1.5' is no value of quantity"),
        ("quantity = 9223372036854775808", "no value of quantity"),
        ("quantity = 1_000", "'1_000' is no value of quantity"),
        ("total = 0.0000001", "no value of total"),
        ("total = 9999999999999", "no value of total"),
        ("active = yes", "no value of active"),
        ("active > true", "= and != only"),
        ("status = NOPE", "no value of status"),
        ("status > OPEN", "= and != only"),
        ("owner = 7", "no value of owner"),
        ("create_time > yesterday", "no value of create_time"),
        ("create_time > 2026-13-01", "no value of create_time"),
        ("create_time > 0001-01-01T00:00:00+14:00", "no value of create_time"),
        ("quantity:5", "has operator is for texts"),
        ("xp = 1", "named as xp.name"),
        ("xp.a > true", "= and != only"),
    ],
)
def test_a_filter_of_wrong_fields_or_values_is_refused(filter, why):
    (reason, description) = refusal(filter=filter)["filter"]

    assert reason == "FILTER_INVALID"
    assert why in description


@pytest.mark.parametrize(
    "order",
    ["nope", "name up", "name desc desc", "name,", ",", "name name", "xp", "xp.", "xp..a", "xp.a'b", ",".join(["name"] * 9)],
)
def test_an_order_that_is_not_understood_is_refused(order):
    assert refusal(order_by=order)["order_by"][0] == "ORDER_BY_INVALID"


def test_everything_wrong_is_reported_at_once():
    found = refusal(filter="nope = 1", order_by="nope", page_size=-1, skip=-1)

    assert {field: reason for field, (reason, _) in found.items()} == {
        "filter": "FILTER_INVALID",
        "order_by": "ORDER_BY_INVALID",
        "page_size": "VALUE_OUT_OF_RANGE",
        "skip": "VALUE_OUT_OF_RANGE",
    }


def test_ten_thousand_rows_are_skipped_at_most():
    compiled("sqlite", skip=10_000)

    assert refusal(skip=10_001) == {"skip": ("VALUE_OUT_OF_RANGE", "must be 0 to 10,000")}


@pytest.mark.parametrize(("asked", "given_"), [(0, 50), (1, 1), (1_000, 1_000), (5_000, 1_000)])
def test_a_page_has_fifty_rows_unless_asked_and_a_thousand_at_most(asked, given_):
    plan = LISTING.plan("sqlite", PageRequest(page_size=asked))
    rows = [_row(n) for n in range(1_100)]

    assert len(plan.page(rows).items) == given_


def test_what_is_never_missing_is_ordered_so_that_an_index_serves_it():
    text = compiled("postgresql")

    assert "NULLS" not in text
    assert "ORDER BY things.create_time DESC, things.id DESC" in text


Row = namedtuple("Row", "o0 o1 okey")


def _row(n: int) -> Any:
    return Row(datetime(2026, 3, 2, tzinfo=UTC), None, f"id{n}")


def token(order_by: str, *values: Any, filter: str = "", bound: Any = BOUND) -> str:
    """The token that follows a row with these values."""
    row = namedtuple("Any", [*(f"o{n}" for n in range(len(values) - 1)), "okey"])(*values)
    plan = LISTING.plan("sqlite", PageRequest(order_by=order_by, filter=filter, page_size=1), bound)
    return plan.page([row, row]).next_page_token


_TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_VALUES = {
    "name": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50),
    "note": st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50),
    "quantity": st.integers(-(2**63), 2**63 - 1),
    "total": st.none() | st.integers(-(2**63), 2**63 - 1),
    "active": st.booleans(),
    "status": st.sampled_from(["Open", "Closed"]),
    "owner": st.none() | st.uuids(),
    "create_time": _TIMES,
}


@given(st.data(), st.lists(st.sampled_from(sorted(_VALUES)), min_size=1, max_size=8, unique=True), st.text(min_size=1))
def test_a_token_brings_back_the_values_of_its_row(data, fields, key):
    key = key.replace("\0", "")
    values = [data.draw(_VALUES[field]) for field in fields]
    order = ",".join(fields)
    plan = LISTING.plan("sqlite", PageRequest(order_by=order, page_token=token(order, *values, key)), BOUND)

    assert plan.after == [*values, key]


@given(
    st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=4) | st.floats(allow_nan=False, allow_infinity=False)
)
def test_a_token_brings_back_a_number_of_xp(number):
    plan = LISTING.plan("sqlite", PageRequest(order_by="xp.a", page_token=token("xp.a", number, None, "k")), BOUND)

    assert plan.after == [number, None, "k"]


@pytest.mark.parametrize(
    "changed",
    [
        {"filter": "active = true"},
        {"order_by": "create_time"},
        {"order_by": "name desc"},
        {"bound": {"party": "umbrella"}},
        {"bound": {"party": "acme", "direction": "INCOMING"}},
        {"bound": None},
    ],
)
def test_a_token_is_bound_to_its_arguments(changed):
    mine = token("name", "Bolt", "k")
    LISTING.plan("sqlite", PageRequest(order_by="name", page_token=mine), BOUND)

    assert refusal(**{"order_by": "name", "bound": BOUND, "page_token": mine, **changed}).keys() == {"page_token"}


def test_a_token_is_bound_to_its_list():
    other = sa.Table("others", sa.MetaData(), sa.Column("id", sa.String(100)), sa.Column("create_time", UtcTime()))
    fields = {"create_time": Field(other.c.create_time, "time")}
    theirs = Listing(fields, other.c.id).plan("sqlite", PageRequest(page_size=1), BOUND).page([_row(1), _row(2)]).next_page_token

    assert refusal(BOUND, page_token=theirs).keys() == {"page_token"}


def test_a_token_serves_another_page_size():
    mine = token("name", "Bolt", "k")

    LISTING.plan("sqlite", PageRequest(order_by="name", page_token=mine, page_size=7), BOUND)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
_ORDERS = st.sampled_from(["name", "note", "quantity", "total", "active", "owner", "create_time", "xp.a", "status"])


@given(_ORDERS, st.text(max_size=80) | st.binary(max_size=80).map(lambda b: base64.urlsafe_b64encode(b).decode()))
@example("name", "ü")
@example("name", "W10")
def test_a_token_of_nobodys_is_refused(order, text):
    if text:
        assert refusal(order_by=order, page_token=text)["page_token"][0] == "PAGE_TOKEN_INVALID"


@given(_ORDERS, st.lists(_JSON, max_size=4), st.sampled_from(sorted(DIALECTS)))
def test_a_token_with_forged_values_is_refused_or_has_values_of_the_right_kind(order, values, dialect):
    digest = orjson.loads(base64.urlsafe_b64decode(_padded(token(order, *_sample(order), "k", bound={}))))[0]
    try:
        payload = orjson.dumps([digest, *values])
    except (TypeError, orjson.JSONEncodeError):
        return
    forged = base64.urlsafe_b64encode(payload).decode()
    if refused := reasons(dialect, order_by=order, page_token=forged):
        assert refused == ["PAGE_TOKEN_INVALID"]
        return
    plan = LISTING.plan(dialect, PageRequest(order_by=order, page_token=forged))
    kinds = {
        "name": str,
        "status": str,
        "note": (str, type(None)),
        "quantity": int,
        "total": (int, type(None)),
        "active": bool,
        "owner": (uuid.UUID, type(None)),
        "create_time": datetime,
        "xp.a": (int, float, Decimal, type(None)),
    }
    assert plan.after is not None
    assert isinstance(plan.after[0], kinds[order])
    assert isinstance(plan.after[-1], str)


def _sample(order: str) -> list[Any]:
    samples = {"quantity": 1, "active": True, "create_time": datetime(2026, 1, 1, tzinfo=UTC), "name": "", "status": ""}
    return [None, None] if order == "xp.a" else [samples.get(order)]


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "literal",
    ["1e309", "-1e400", "1e99999", "9" * 400, "NaN", "Infinity", "9007199254740993", "-9007199254740993", "18446744073709551615"],
)
def test_a_number_that_xp_cannot_hold_is_named_whatever_the_database(dialect, literal):
    for op in ("=", ">", ":"):
        with pytest.raises(FilterError, match=re.escape(literal[:50])):
            compare_xp(dialect, sa.column("xp"), parse(f"xp.k {op} {literal}"))


def test_a_path_of_xp_ends_somewhere():
    with pytest.raises(FilterError, match="at most 20 names"):
        compare_xp("postgresql", sa.column("xp"), parse("xp" + ".a" * 21 + " = 1"))
