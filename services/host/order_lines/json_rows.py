"""Rows of a JSON file: a list of objects, with the columns of CSV as names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from services.host.order_lines import specs
from services.host.order_lines.faults import WHOLE_FILE, Faults, FileFault, Row
from services.host.order_lines.lines import COLUMNS
from waybill.order.v1 import reasons

NAMES = (*COLUMNS, specs.NAME, "xp")
_SPACES = re.compile(r"[ \t\r\n]*")


def json_rows(faults: Faults, text: str) -> Iterator[Row]:
    """The objects one by one, no more read than asked for. Raises `FileFault` where the rest makes no sense."""
    at = _past(text, 0)
    if text[at : at + 1] != "[":
        raise _broken(WHOLE_FILE, "the file is no JSON list of lines")
    at = _past(text, at + 1)
    number = 0
    while text[at : at + 1] != "]" or number:
        number += 1
        value, at = _value(text, at, number)
        if isinstance(value, dict):
            yield _row(faults, number, value)
        else:
            faults.add(number, "", reasons.FIELD_INVALID, "a line is an object")
        at = _past(text, at)
        sign, at = text[at : at + 1], _past(text, at + 1)
        if sign == "]":
            break
        if sign != ",":
            raise _broken(number, "after this line the list goes on with a comma or ends with a bracket")
    else:
        at += 1
    if text[_past(text, at) :]:
        raise _broken(WHOLE_FILE, "something follows the list")


def _row(faults: Faults, number: int, value: dict[str, object]) -> Row:
    for name in value:
        if name not in NAMES:
            faults.add(number, name, reasons.FIELD_INVALID, f"there is no {name!r} in a line; the names are {', '.join(NAMES)}")
    return Row(number, {name: value[name] for name in NAMES if value.get(name) is not None})


def _value(text: str, at: int, number: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise _broken(number, "is nested too deep") from None
    except ValueError as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise _broken(number, f"is no JSON: {said}") from None


def _past(text: str, at: int) -> int:
    """Where something other than white space stands next."""
    found = _SPACES.match(text, at)
    return found.end() if found else at


def _broken(row: int, said: str) -> FileFault:
    return FileFault(row, "", reasons.FIELD_INVALID, said)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice")
    return made


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
