"""Settings as data: a dataclass field that knows its meaning, unit and range, and the variable that gives it a value.

A settings class is a frozen dataclass whose fields are made with `setting`. A field that is itself such a dataclass adds
its own fields to those of the class that has it. Who builds the class decides where values come from.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_type_hints

_T = TypeVar("_T")
_ABOUT = "about"
SECONDS = "s"
HIDDEN = "hidden"
URL = "url"
"""How a value is shown: not at all, or without the password in it."""


@dataclass(frozen=True, slots=True)
class About:
    """What people read about a setting, and what its value must keep to."""

    meaning: str
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    """A regular expression that the whole text must match."""
    check: Callable[[str], object] | None = None
    """Raises ValueError for a text that cannot be."""
    below: str = ""
    """A setting of the same class that this one must be less than."""
    shown: str = ""
    """`HIDDEN`, `URL`, or empty for a value that anyone may see."""
    file: bool = False
    """Whether the value may stand in a file that the variable with `_FILE` names: it is secret, or long."""


def setting(
    default: _T,
    meaning: str,
    *,
    unit: str = "",
    at_least: float | None = None,
    at_most: float | None = None,
    choices: Sequence[str] = (),
    pattern: str = "",
    check: Callable[[str], object] | None = None,
    below: str = "",
    shown: str = "",
    file: bool = False,
) -> _T:
    """A field of a settings class; what is hidden or a URL may always stand in a file."""
    about = About(meaning, unit, at_least, at_most, tuple(choices), pattern, check, below, shown, file or bool(shown))
    return field(default=default, metadata={_ABOUT: about})


def seconds(default: float, meaning: str, *, at_least: float = 0.0, at_most: float | None = None, below: str = "") -> float:
    """A length of time."""
    return setting(default, meaning, unit=SECONDS, at_least=at_least, at_most=at_most, below=below)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a settings class."""

    name: str
    type: type
    optional: bool
    """Whether there may be no value."""
    default: Any
    about: About
    within: str = ""
    """The field of the class that holds this one, when it is one of a group."""

    @property
    def range(self) -> str:
        """What its value must keep to, for people."""
        below = f"below {self.about.below}" if self.about.below else ""
        return ", ".join(filter(None, (self._bounds, below)))

    @property
    def _bounds(self) -> str:
        if self.about.choices:
            return " | ".join(self.about.choices)
        if self.type is bool:
            return "on | off"
        low, high = self.about.at_least, self.about.at_most
        if low is not None and high is not None:
            return f"{low:,g} to {high:,g}" if high < 1e6 else f"{low:,g} to {high:,.0f}"
        if low is not None:
            return f"from {low:,g}"
        return f"up to {high:,g}" if high is not None else ""

    def value_in(self, settings: object) -> Any:
        """Its value in an object of the settings class."""
        return getattr(getattr(settings, self.within) if self.within else settings, self.name)

    def read(self, text: str) -> Any:
        """The value that the text stands for. Raises ValueError that says what is wrong with it."""
        value = _parsed(self.type, text)
        if isinstance(value, str):
            self._require_word(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self._require_range(value)
        return value

    def _require_word(self, value: str) -> None:
        shown = "this" if self.about.shown else repr(value)
        if self.about.choices and value not in self.about.choices:
            raise ValueError(f"{shown} is none of {', '.join(self.about.choices)}")
        if self.about.pattern and not re.fullmatch(self.about.pattern, value):
            raise ValueError(f"{shown} does not match {self.about.pattern}")
        if self.about.check:
            self.about.check(value)

    def _require_range(self, value: float) -> None:
        low, high = self.about.at_least, self.about.at_most
        if (low is not None and value < low) or (high is not None and value > high):
            unit = f" {self.about.unit}" if self.about.unit else ""
            raise ValueError(f"{value:g}{unit} is out of range: {self._bounds}{unit}")


def _parsed(type_: type, text: str) -> Any:
    text = text if type_ is str else text.strip()
    if type_ is bool:
        return _switch(text)
    if type_ is int:
        return _number(int, text, "a whole number")
    if type_ is float:
        value = _number(float, text, "a number")
        if not math.isfinite(value):
            raise ValueError(f"{text!r} is not a number")
        return value
    return type_(text)


def _number(type_: type[int] | type[float], text: str, what: str) -> Any:
    try:
        return type_(text)
    except ValueError:
        raise ValueError(f"{text!r} is not {what}") from None


def _switch(text: str) -> bool:
    """`on` or `off`, in the words that people use for it."""
    for words, meant in ((("on", "yes", "true", "1"), True), (("off", "no", "false", "0"), False)):
        if text.lower() in words:
            return meant
    raise ValueError(f"{text!r} is neither on nor off")


def fields_of(cls: type) -> Iterator[Field]:
    """The settings of a class, those of groups in it included. Fields that were not made by `setting` are none."""
    hints = get_type_hints(cls)
    for one in dataclasses.fields(cls):
        hint = hints[one.name]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            for inner in fields_of(hint):
                yield dataclasses.replace(inner, within=one.name)
            continue
        about = one.metadata.get(_ABOUT)
        if about is None:
            continue
        kinds = [kind for kind in get_args(hint) if kind is not NoneType] or [hint]
        if kinds[0] not in (str, int, float, bool, Path):
            raise TypeError(f"{cls.__name__}.{one.name}: a text cannot be read as {hint}")
        yield Field(one.name, kinds[0], NoneType in get_args(hint), one.default, about)


def misfits(settings: object) -> Iterator[tuple[Field, Field]]:
    """Pairs of settings in an object of a settings class that do not fit: the first is not below the second."""
    fields = {one.name: one for one in fields_of(type(settings))}
    for one in fields.values():
        other = fields.get(one.about.below)
        if other is not None and not one.value_in(settings) < other.value_in(settings):
            yield one, other


def build(cls: type[_T], common: Mapping[str, Any], given: Mapping[str, Any]) -> _T:
    """The settings object: `common` by field of the class, `given` by setting; what neither names keeps its default."""
    values = dict(common)
    groups: dict[str, dict[str, Any]] = {}
    for one in fields_of(cls):
        if one.name not in given:
            continue
        if one.within:
            groups.setdefault(one.within, {})[one.name] = given[one.name]
        else:
            values[one.name] = given[one.name]
    defaults = {one.name: one.default for one in dataclasses.fields(cast(Any, cls))}
    for name, changed in groups.items():
        values[name] = dataclasses.replace(values.get(name, defaults[name]), **changed)
    return cls(**values)
