"""Facets: values of products' xp that a shop counts its products by and narrows them by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from libs.errors import Violations, precondition
from waybill.catalog.v1 import reasons

MAX_FACETS = 50
MAX_FILTERS = 10
MAX_VALUES = 50
"""Values of one filter."""
LONGEST_VALUE = 200
LONGEST_PATH = 200
OF_ONE = 100
"""Different values of one product that are kept: an array may have more."""
SHOWN = 100
"""Values of a facet that one answer has."""
_PATH = re.compile(r"[A-Za-z0-9_+\-]+(\.[A-Za-z0-9_+\-]+){0,4}\Z")
_EXACT = 2**53
"""Numbers of xp are doubles: whole ones below this are written without an exponent."""


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet as a shop needs it. It is `ready` when the values of all products have been collected."""

    id: str
    name: str
    xp_path: str
    min_count: int
    ready: bool


@dataclass(frozen=True, slots=True)
class FacetCount:
    """How many products have which value, most first, and whether there are more values than these."""

    facet: Facet
    values: Sequence[tuple[str, int]] = ()
    more: bool = False

    @staticmethod
    def of(facet: Facet, counted: Sequence[tuple[str, int]]) -> FacetCount:
        """`counted` has one value more than are shown, if there is one."""
        enough = [(value, count) for value, count in counted if count >= facet.min_count]
        return FacetCount(facet, enough[:SHOWN], len(enough) > SHOWN)


Filters = Sequence[tuple[str, Sequence[str]]]
"""Facets and the values that are wanted of each, as a request names them."""


@dataclass(frozen=True, slots=True)
class FacetsAsked:
    """What a customer asks of facets: to be counted, all or those that are named, and to narrow the list."""

    counted: bool = False
    named: Sequence[str] = ()
    filters: Filters = ()

    def __bool__(self) -> bool:
        return bool(self.counted or self.named or self.filters)

    def wanted(self) -> dict[str, frozenset[str]]:
        """The values by facet."""
        return {id: frozenset(values) for id, values in self.filters}


def check_path(found: Violations, field: str, path: str) -> None:
    """A path is one to five names with dots between them; that it is not empty is checked elsewhere."""
    well = not path or _PATH.match(path) is not None
    found.require(field, well, reasons.FIELD_INVALID, "is 1 to 5 names of A-Z a-z 0-9 _ + -, with dots between them")


def check_declared(found: Violations, items: Sequence[tuple[str, str, str]], standing: Mapping[str, str]) -> None:
    """New or changed facets, as (field, id, path), beside those that stand: paths by id."""
    for where, id, path in items:
        taken = any(other == path for of, other in standing.items() if of != id)
        found.require(f"{where}.xp_path", not taken, reasons.FACET_PATH_TAKEN, "another facet has this path")
        fits = id in standing or len(standing) < MAX_FACETS
        found.require(where, fits, reasons.TOO_MANY_ITEMS, f"a marketplace has at most {MAX_FACETS} facets")


def check_form(found: Violations, asked: FacetsAsked) -> None:
    """What can be said of a request without knowing the facets."""
    found.require("facet_ids", len(asked.named) <= MAX_FACETS, reasons.TOO_MANY_ITEMS, f"at most {MAX_FACETS}")
    for i, id in enumerate(asked.named[:MAX_FACETS]):
        found.check_id(f"facet_ids[{i}]", id)
    found.require("facet_filters", len(asked.filters) <= MAX_FILTERS, reasons.TOO_MANY_ITEMS, f"at most {MAX_FILTERS}")
    before: set[str] = set()
    for i, (id, values) in enumerate(asked.filters[:MAX_FILTERS]):
        where = f"facet_filters[{i}]"
        found.check_id(f"{where}.facet_id", id)
        found.require(f"{where}.facet_id", id not in before, reasons.DUPLICATE_ITEM, "the facet stands twice")
        before.add(id)
        found.require(f"{where}.values", bool(values), reasons.FIELD_REQUIRED, "names no value")
        found.require(f"{where}.values", len(values) <= MAX_VALUES, reasons.TOO_MANY_ITEMS, f"at most {MAX_VALUES}")
        for j, value in enumerate(values[:MAX_VALUES]):
            at = f"{where}.values[{j}]"
            found.require(at, 0 < len(value) <= LONGEST_VALUE, reasons.VALUE_OUT_OF_RANGE, f"is 1 to {LONGEST_VALUE} characters")
            found.require(at, "\0" not in value, reasons.FIELD_INVALID, "has a NUL character")


def check_known(found: Violations, asked: FacetsAsked, facets: Sequence[Facet]) -> None:
    """Facets that a request names exist."""
    known = {facet.id for facet in facets}
    fields = [(f"facet_ids[{i}]", id) for i, id in enumerate(asked.named[:MAX_FACETS])]
    fields += [(f"facet_filters[{i}].facet_id", id) for i, (id, _) in enumerate(asked.filters[:MAX_FILTERS])]
    malformed = {violation.field for violation in found.items}
    for field, id in fields:
        if field not in malformed:
            found.require(field, id in known, reasons.FACET_NOT_FOUND, f"there is no facet {id!r}")


def counted_of(asked: FacetsAsked, facets: Sequence[Facet]) -> list[Facet]:
    """The facets that are counted, in their order. Raises `FACET_NOT_READY` for one that cannot narrow the list yet."""
    wanted = asked.wanted()
    for facet in facets:
        if facet.id in wanted and not facet.ready:
            text = f"the values of facet {facet.id!r} are still being collected"
            raise precondition(reasons.FACET_NOT_READY, text, facet=facet.id)
    if asked.named:
        return [facet for facet in facets if facet.id in asked.named]
    return list(facets) if asked.counted else []


def values_of(xp: object, path: str) -> frozenset[str]:
    """The values that a product has by its xp, as texts."""
    node = xp
    for name in path.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    return frozenset(_first_of(node))


def values_of_product(xp: object, paths: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """The same for every facet, as (facet, value); `paths` are by facet."""
    return frozenset((id, value) for id, path in paths.items() for value in values_of(xp, path))


def _first_of(node: object) -> Iterator[str]:
    """As many different values as are kept, in the order of an array."""
    kept: set[str] = set()
    for element in node if isinstance(node, list) else [node]:
        value = _text(element)
        if 0 < len(value) <= LONGEST_VALUE and value not in kept:
            kept.add(value)
            yield value
            if len(kept) == OF_ONE:
                return


def _text(value: object) -> str:
    """A scalar as a text, the same however a database writes its number; empty for everything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < _EXACT else repr(number)
    return value if isinstance(value, str) else ""
