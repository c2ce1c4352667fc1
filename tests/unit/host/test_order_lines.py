"""Lines of an order from a file: what CSV and JSON mean, and what is said of files that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from libs.protoconv import struct_plain
from services.host.order_lines import read as reading
from services.host.order_lines.csv_rows import csv_rows
from services.host.order_lines.faults import MOST_FAULTS, Faults, FileFault
from services.host.order_lines.read import LinesOfFile, read_lines

HEAD = "product_id,quantity"


def read(folder: Path, content: str | bytes, name: str = "lines.csv") -> tuple[LinesOfFile, list[tuple[int, str, str]]]:
    """The lines of a file with this content, and row, column and reason of its faults."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    faults = Faults()
    found = read_lines(faults, path)
    assert all(fault.description for fault in faults)
    return found, [(fault.row, fault.column, fault.reason) for fault in faults]


def plain(found: LinesOfFile) -> list[tuple[str, int, dict[str, Any]]]:
    return [(line.product_id, line.quantity, struct_plain(line.xp)) for line in found.lines]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_csv_is_read_as_programs_write_it(tmp_path: Path, mark: str, end: str, delimiter: str) -> None:
    rows = [["product_id", "quantity"], ["anvil", "4"], ["", ""], ["lamp", "2"]]
    found, faults = read(tmp_path, mark + end.join(delimiter.join(row) for row in rows))
    assert faults == []
    assert plain(found) == [("anvil", 4, {}), ("lamp", 2, {})]
    assert found.rows == [2, 4]


def test_every_column_has_its_place_in_a_line(tmp_path: Path) -> None:
    head = "xp.site.hall; id ;product_id;quantity;cost_center;shipping_account;comments;date_needed;shipping_address_id"
    row = '007;a1;anvil; 12 ;CC-9;UPS-1;"two ""good""\r\nlines; no more";2031-12-24;depot;é'
    found, faults = read(tmp_path, f"{head};xp.site.door\r\n{row}\r\n")
    assert faults == []
    (line,) = found.lines
    assert (line.id, line.product_id, line.quantity, line.cost_center) == ("a1", "anvil", 12, "CC-9")
    assert (line.shipping_account, line.shipping_address_id) == ("UPS-1", "depot")
    assert line.comments == 'two "good"\nlines; no more'
    assert line.date_needed.ToJsonString() == "2031-12-24T00:00:00Z"
    assert struct_plain(line.xp) == {"site": {"hall": "007", "door": "é"}}


def test_an_empty_cell_is_no_value(tmp_path: Path) -> None:
    found, faults = read(tmp_path, f"{HEAD},date_needed,xp.hall\nanvil,1,,\n")
    assert faults == []
    assert (found.lines[0].HasField("date_needed"), found.lines[0].HasField("xp")) == (False, False)


def test_a_row_after_quoted_line_breaks_has_the_number_that_spreadsheets_show(tmp_path: Path) -> None:
    _, faults = read(tmp_path, f'{HEAD},comments\nanvil,1,"a\nb\nc"\n\nlamp,none,\n')
    assert faults == [(4, "quantity", "VALUE_OUT_OF_RANGE")]


def test_json_has_the_same_names_and_keeps_the_kinds_of_values_in_xp(tmp_path: Path) -> None:
    lines = [
        {"product_id": "anvil", "quantity": 4, "xp": {"hall": 7, "doors": ["a", None, True]}, "comments": "=1+1"},
        {"product_id": "lamp", "quantity": "2", "date_needed": "2031-12-24T01:00:00+02:00", "id": None},
    ]
    found, faults = read(tmp_path, " " + json.dumps(lines, indent=2) + "\n", "lines.JSON")
    assert faults == []
    assert plain(found) == [("anvil", 4, {"hall": 7, "doors": ["a", None, True]}), ("lamp", 2, {})]
    assert found.lines[1].date_needed.ToJsonString() == "2031-12-23T23:00:00Z"
    assert found.rows == [1, 2]


def said(found: LinesOfFile) -> list[list[tuple[str, str, str]]]:
    return [[(s.spec_id, s.option_id, s.value) for s in line.specs] for line in found.lines]


def test_options_and_texts_of_specs_are_read_from_both_formats(tmp_path: Path) -> None:
    expected = [[("size", "l", ""), ("note", "", "Ada; =1")], [("note", "plain", "")], []]
    found, faults = read(tmp_path, f'{HEAD},spec.size,spec.note.text,spec.note\ntee,1,l,"Ada; =1",\ntee,1,,,plain\nlamp,1,,,\n')
    assert (said(found), faults) == (expected, [])
    lines: list[dict[str, Any]] = [{"spec": {"size": "l", "note": {"text": "Ada; =1"}}}, {"spec": {"note": "plain"}}, {}]
    found, faults = read(tmp_path, json.dumps([{"product_id": "tee", "quantity": 1, **line} for line in lines]), "lines.json")
    assert (said(found), faults) == (expected, [])


BAD_CSV: list[tuple[str, str | bytes, list[tuple[int, str, str]]]] = [
    ("empty", "", [(1, "product_id", "FIELD_REQUIRED"), (1, "quantity", "FIELD_REQUIRED")]),
    ("no line", f"{HEAD}\n\n", [(0, "", "FIELD_REQUIRED")]),
    ("no header", "anvil,4\n", [
        (1, "anvil", "FIELD_INVALID"), (1, "4", "FIELD_INVALID"),
        (1, "product_id", "FIELD_REQUIRED"), (1, "quantity", "FIELD_REQUIRED")]),
    ("unknown column", f"{HEAD},price\nanvil,none,1\n", [(1, "price", "FIELD_INVALID")]),
    ("column without a name", f"{HEAD},\nanvil,4,\n", [(1, "", "FIELD_INVALID")]),
    ("column twice", f"{HEAD},quantity\nanvil,4,4\n", [(1, "quantity", "DUPLICATE_ITEM")]),
    ("xp without a name", f"{HEAD},xp.a..b\nanvil,4,x\n", [(1, "xp.a..b", "FIELD_INVALID")]),
    ("xp within a text", f"{HEAD},xp.a,xp.a.b\nanvil,4,x,y\n", [(1, "xp.a", "FIELD_INVALID")]),
    ("spec without an id", f"{HEAD},spec.\nanvil,4,x\n", [(1, "spec.", "FIELD_INVALID")]),
    ("specs of the contract", f"{HEAD},specs\nanvil,4,x\n", [(1, "specs", "FIELD_INVALID")]),
    ("more of a spec than a text", f"{HEAD},spec.a.name\nanvil,4,x\n", [(1, "spec.a.name", "FIELD_INVALID")]),
    ("an option and a text", f"{HEAD},spec.a,spec.a.text\nanvil,4,x,\nanvil,4,x,y\n", [(3, "spec.a.text", "FIELD_INVALID")]),
    ("tabs", "product_id\tquantity\nanvil\t4\n", [
        (1, "product_id\tquantity", "FIELD_INVALID"), (1, "product_id", "FIELD_REQUIRED"), (1, "quantity", "FIELD_REQUIRED")]),
    ("cells too few and too many", f"{HEAD}\nanvil\nlamp,2,3\n", [(2, "", "FIELD_INVALID"), (3, "", "FIELD_INVALID")]),
    ("nothing in required cells", f"{HEAD},id\n,,a\n", [(2, "product_id", "FIELD_REQUIRED"), (2, "quantity", "FIELD_REQUIRED")]),
    ("no date", f"{HEAD},date_needed\nanvil,4,24.12.2031\n", [(2, "date_needed", "FIELD_INVALID")]),
    ("no zone", f"{HEAD},date_needed\nanvil,4,2031-12-24T10:00\n", [(2, "date_needed", "FIELD_INVALID")]),
    ("before all days", f"{HEAD},date_needed\nanvil,4,0001-01-01T00:00+14:00\n", [(2, "date_needed", "FIELD_INVALID")]),
    ("an id twice", f"id,{HEAD}\na,anvil,4\nb,lamp,1\na,lamp,1\n", [(4, "id", "DUPLICATE_ITEM")]),
    ("text after a quote", f'{HEAD}\nanvil,4\n"lamp"s,1\nanvil,none\n', [(3, "", "FIELD_INVALID")]),
    ("a quote that never ends", f'{HEAD}\nanvil,4\n"lamp,1\n', [(3, "", "FIELD_INVALID")]),
    ("latin-1", f"{HEAD},comments\nanvil,4,é\n".encode("latin-1"), [(0, "", "FIELD_INVALID")]),
    ("utf-16", f"{HEAD}\nanvil,4\n".encode("utf-16"), [(0, "", "FIELD_INVALID")]),
    ("binary", b"PK\x03\x04\x00\x00", [(0, "", "FIELD_INVALID")]),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), [case[1:] for case in BAD_CSV], ids=[case[0] for case in BAD_CSV])
def test_what_is_wrong_with_csv_is_said_of_row_and_column(tmp_path: Path, content: str | bytes, expected: list[Any]) -> None:
    assert read(tmp_path, content)[1] == expected


@pytest.mark.parametrize("sign", "=+-@")
@pytest.mark.parametrize("column", ["id", "comments", "xp.note", "date_needed", "spec.size", "spec.note.text"])
def test_a_cell_that_spreadsheets_would_run_is_refused(tmp_path: Path, sign: str, column: str) -> None:
    _, faults = read(tmp_path, f'{HEAD},{column}\nanvil,4," {sign}cmd|x!A0"\n')
    assert faults == [(2, column, "FIELD_INVALID")]


@pytest.mark.parametrize("quantity", ["0", "-1", "+1", "=1", "1.0", "1e3", "1 000", "1000001", "٣", "99999999999999999999", "x"])
def test_a_quantity_is_a_whole_number_within_the_limits(tmp_path: Path, quantity: str) -> None:
    assert read(tmp_path, f"{HEAD}\nanvil,{quantity}\n")[1] == [(2, "quantity", "VALUE_OUT_OF_RANGE")]


BAD_JSON: list[tuple[str, str, list[tuple[int, str, str]]]] = [
    ("no list", '{"product_id": "anvil"}', [(0, "", "FIELD_INVALID")]),
    ("empty", "", [(0, "", "FIELD_INVALID")]),
    ("no line", "[ ]", [(0, "", "FIELD_REQUIRED")]),
    ("not ended", '[{"product_id": "anvil", "quantity": 1}', [(1, "", "FIELD_INVALID")]),
    ("a comma too many", '[{"product_id": "anvil", "quantity": 1},]', [(2, "", "FIELD_INVALID")]),
    ("more than a list", '[{"product_id": "anvil", "quantity": 1}] []', [(0, "", "FIELD_INVALID")]),
    ("no object", '[7, {"product_id": "anvil", "quantity": 1}]', [(1, "", "FIELD_INVALID")]),
    ("unknown name", '[{"product_id": "anvil", "quantity": 1, "price": 1}]', [(1, "price", "FIELD_INVALID")]),
    ("a name twice", '[{"product_id": "anvil", "quantity": 1, "quantity": 2}]', [(1, "", "FIELD_INVALID")]),
    ("no number", '[{"product_id": "anvil", "quantity": NaN}]', [(1, "", "FIELD_INVALID")]),
    ("other kinds", '[{"product_id": 7, "quantity": true, "xp": "x", "date_needed": 1}]', [
        (1, "product_id", "FIELD_INVALID"), (1, "quantity", "VALUE_OUT_OF_RANGE"),
        (1, "date_needed", "FIELD_INVALID"), (1, "xp", "FIELD_INVALID")]),
    ("half a character", '[{"product_id": "anvil", "quantity": 1, "comments": "\\ud800"}]', [(1, "comments", "FIELD_INVALID")]),
    ("half a character in xp", '[{"product_id": "anvil", "quantity": 1, "xp": {"a": "\\ud800"}}]', [(1, "xp", "FIELD_INVALID")]),
    ("no object of specs", '[{"product_id": "anvil", "quantity": 1, "spec": ["s"]}]', [(1, "spec", "FIELD_INVALID")]),
    ("other kinds in specs", '[{"product_id": "p", "quantity": 1, "spec": {"a": 1, "b": {"text": 2}, "c": [], "d": {}}}]', [
        (1, f"spec.{id}", "FIELD_INVALID") for id in "abcd"]),
    ("half a character in a spec", '[{"product_id": "anvil", "quantity": 1, "spec": {"\\ud800": "x", "a": "\\ud800"}}]', [
        (1, "spec.?", "FIELD_INVALID"), (1, "spec.a", "FIELD_INVALID")]),
    ("deep xp", '[{"product_id": "anvil", "quantity": 1, "xp": ' + '{"a":' * 31 + "1" + "}" * 32 + "]", [
        (1, "xp", "FIELD_INVALID")]),
    ("deeper than can be read", "[" + '{"a":' * 100_000, [(1, "", "FIELD_INVALID")]),
    ("a number beyond all", '[{"product_id": "anvil", "quantity": 1, "xp": {"a": 1' + "0" * 400 + "}}]", [
        (1, "xp", "FIELD_INVALID")]),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), [case[1:] for case in BAD_JSON], ids=[case[0] for case in BAD_JSON])
def test_what_is_wrong_with_json_is_said_of_line_and_name(tmp_path: Path, content: str, expected: list[Any]) -> None:
    assert read(tmp_path, content, "lines.json")[1] == expected


def test_an_order_has_5000_lines_and_a_larger_file_is_refused_where_they_end(tmp_path: Path) -> None:
    fits = f"{HEAD}\n" + "anvil,1\n" * 5_000
    found, faults = read(tmp_path, fits)
    assert (len(found.lines), faults) == (5_000, [])
    assert read(tmp_path, fits + "anvil,none\n" * 95_000)[1] == [(5_002, "", "TOO_MANY_ITEMS")]
    items = ",".join(['{"product_id": "anvil", "quantity": 1}'] * 100_000)
    assert read(tmp_path, f"[{items}]", "lines.json")[1] == [(5_001, "", "TOO_MANY_ITEMS")]


def test_no_more_rows_are_read_than_asked_for() -> None:
    def endless() -> Iterator[str]:
        yield f"{HEAD}\n"
        while True:
            yield "anvil,1\n"

    rows = csv_rows(Faults(), endless())
    assert [next(rows).number for _ in range(3)] == [2, 3, 4]


def test_a_file_of_too_many_bytes_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 10)
    assert read(tmp_path, f"{HEAD}\nanvil,1\n")[1] == [(0, "", "TOO_MANY_ITEMS")]


def test_faults_without_end_end_the_reading(tmp_path: Path) -> None:
    _, faults = read(tmp_path, f"{HEAD}\n" + "anvil\n" * 100_000)
    assert len(faults) == MOST_FAULTS + 1
    assert faults[-1] == (0, "", "TOO_MANY_ITEMS")


def test_a_row_that_is_no_csv_names_itself() -> None:
    with pytest.raises(FileFault, match="no CSV") as raised:
        list(csv_rows(Faults(), [f"{HEAD}\n", "anvil,1\n", '"x"y,1\n']))
    assert raised.value.fault.row == 3
