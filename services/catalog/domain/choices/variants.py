"""Variants of a product: one for each combination of options of the specs that define them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

from services.catalog.domain.choices.specs import MAX_DEFINING, Option, Spec

Row = Mapping[str, object]
"""A variant as it is stored."""
VariantKey = tuple[str, str]
"""The product, and the variant's id."""
MAX_VARIANTS = 2_000
LONGEST_ID = 100
MAX_NAME = 100
LONGEST_COMBINATION = MAX_DEFINING * (2 * LONGEST_ID + 1) + MAX_DEFINING - 1


@dataclass(frozen=True, slots=True)
class Configured:
    """What can be chosen of a product, as it is stored."""

    specs: Sequence[Row] = ()
    """In their order."""
    variant_count: int = 0


NOTHING = Configured()
"""Of a product without specs."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A variant by its id, or else by options."""

    product_id: str
    variant_id: str
    options: Mapping[str, str]
    """By spec."""


@dataclass(frozen=True, slots=True)
class Configurations:
    """Of some products what can be chosen, and variants."""

    of: Mapping[str, Configured] = field(default_factory=dict)
    """Of those that have specs."""
    variants: Sequence[Row] = ()


def combination(options: Mapping[str, str]) -> str:
    """One text for the options of a variant, by spec: no two variants of a product have the same. Ids have none of its signs."""
    return "/".join(f"{spec}={option}" for spec, option in sorted(options.items()))


def options_of(text: str) -> dict[str, str]:
    """By spec the option of a combination."""
    pairs = (part.partition("=") for part in text.split("/") if part)
    return {spec: option for spec, _, option in pairs}


def number(defining: Sequence[Spec]) -> int:
    """How many combinations there are; none without a spec that defines them."""
    return prod(len(spec.options) for spec in defining) if defining else 0


@dataclass(frozen=True, slots=True)
class NewVariant:
    """A variant that is to be made."""

    id: str
    name: str
    combination: str


def missing_variants(
    defining: Sequence[Spec], standing: Collection[str], taken: Iterable[str], new_id: Callable[[], str]
) -> list[NewVariant]:
    """Those whose combinations do not stand, in the order of the specs and of their options. `taken` are ids of the product's
    other variants: where options make one of those, or one that is too long, `new_id` makes the id."""
    used, made = set(taken), list[NewVariant]()
    for chosen in product(*(spec.options for spec in defining)) if defining else ():
        text = combination({spec.id: option.id for spec, option in zip(defining, chosen, strict=True)})
        if text in standing:
            continue
        id = _id(chosen)
        if len(id) > LONGEST_ID or id in used:
            id = new_id()
        used.add(id)
        made.append(NewVariant(id, _name(chosen), text))
    return made


def _id(chosen: Sequence[Option]) -> str:
    return "-".join(option.id for option in chosen)


def _name(chosen: Sequence[Option]) -> str:
    name = " / ".join(option.name for option in chosen)
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def determined(defining: Collection[str], chosen: Mapping[str, str]) -> str | None:
    """The combination that chosen options are, if they name one of each spec that defines variants; others are not looked at."""
    mine = {spec: option for spec, option in chosen.items() if spec in defining}
    return combination(mine) if defining and len(mine) == len(defining) else None


def is_whole(text: str, defining: Mapping[str, Collection[str]]) -> bool:
    """Whether a stored combination has an option of each spec that defines the product's variants, and none beside. `defining`
    has by spec its options."""
    options = options_of(text)
    known = all(option in defining.get(spec, ()) for spec, option in options.items())
    return bool(options) and options.keys() == defining.keys() and known and combination(options) == text
