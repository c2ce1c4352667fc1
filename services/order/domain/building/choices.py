"""What a line chooses of its product: an option or a text for each spec, and the variant that the options make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from libs.errors import Violations
from services.order.domain.choice import Choice, MarkUp
from services.order.domain.model import Line
from waybill.order.v1 import reasons


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be chosen of a spec."""

    name: str
    mark_up: MarkUp | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """What can be said of a product when it is ordered. `options` are by id."""

    id: str
    name: str
    required: bool = False
    open_text: bool = False
    defines_variant: bool = False
    default_option_id: str = ""
    default_value: str = ""
    options: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of a product: one option of each spec that defines variants, by the id of the spec."""

    id: str
    name: str
    active: bool
    options: Mapping[str, str]
    weight_kg: Decimal | None = None
    """Of one unit, where it is not the product's."""


@dataclass(frozen=True, slots=True)
class Range:
    """What there is to choose of a product: its specs in their order, and its variants as far as they were asked for."""

    specs: tuple[Spec, ...] = ()
    variants: Mapping[str, Variant] = field(default_factory=dict)

    @property
    def in_variants(self) -> bool:
        """Whether it is ordered by variant only."""
        return any(spec.defines_variant for spec in self.specs)


@dataclass(frozen=True, slots=True)
class Said:
    """What a caller says of one spec: an option or a text."""

    spec_id: str
    option_id: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Everything that a line has chosen."""

    choices: tuple[Choice, ...] = ()
    variant: Variant | None = None


NOTHING = Chosen()
"""Of a product of which nothing can be chosen."""


def chosen(found: Violations, where: str, offered: Range, said: Sequence[Said], variant_id: str) -> Chosen:
    """What is meant by what a caller says; every rule that it breaks is noted under the path of the line.

    A spec of which nothing is said takes its default, and one that defines variants the option of the variant that is named.
    """
    if not (offered.specs or said or variant_id):
        # Most products: an order of thousands of lines pays nothing for what they have not.
        return NOTHING
    variant = offered.variants.get(variant_id) if variant_id else None
    if variant_id and variant is None:
        found.add(f"{where}.variant_id", reasons.VARIANT_NOT_FOUND, f"the product has no variant {variant_id!r}")
    asked = _asked(found, where, offered, said)
    choices = []
    for spec in offered.specs:
        at, one = asked.get(spec.id, (f"{where}.specs", None))
        given = one or _unsaid(spec, variant)
        if given is None:
            # Of a variant that is not there no option is known, and its absence is reported.
            if spec.required and not (spec.defines_variant and variant_id and variant is None):
                found.add(at, reasons.SPEC_REQUIRED, f"{spec.id} has to be chosen: {_what(spec)}")
            continue
        made = _choice(found, at, spec, given)
        if made is not None:
            choices.append(made)
            if variant is not None and spec.defines_variant and variant.options.get(spec.id) != made.option_id:
                text = f"variant {variant.id} has {variant.options.get(spec.id)}, not {made.option_id}"
                found.add(at, reasons.VARIANT_MISMATCH, text)
    variant = variant or _made(found, where, offered, choices, bool(variant_id))
    if variant is not None and not variant.active:
        found.add(f"{where}.variant_id", reasons.VARIANT_INACTIVE, f"variant {variant.id!r} is not active")
    return Chosen(tuple(choices), variant)


def _asked(found: Violations, where: str, offered: Range, said: Sequence[Said]) -> dict[str, tuple[str, Said]]:
    known = {spec.id for spec in offered.specs}
    asked: dict[str, tuple[str, Said]] = {}
    for i, one in enumerate(said):
        at = f"{where}.specs[{i}]"
        if one.spec_id in asked:
            found.add(f"{at}.spec_id", reasons.DUPLICATE_ITEM, f"{one.spec_id} stands twice")
        elif one.spec_id not in known:
            found.add(f"{at}.spec_id", reasons.SPEC_NOT_FOUND, f"the product has no spec {one.spec_id!r}")
        else:
            asked[one.spec_id] = (at, one)
    return asked


def _unsaid(spec: Spec, variant: Variant | None) -> Said | None:
    if variant is not None and spec.defines_variant:
        return Said(spec.id, variant.options.get(spec.id, ""))
    if spec.default_option_id or spec.default_value:
        return Said(spec.id, spec.default_option_id, spec.default_value)
    return None


def _what(spec: Spec) -> str:
    named = ", ".join(list(spec.options)[:10])
    return f"one of {named}" if named else "a text"


def _choice(found: Violations, at: str, spec: Spec, said: Said) -> Choice | None:
    if said.option_id:
        option = spec.options.get(said.option_id)
        if said.value:
            found.add(f"{at}.value", reasons.SPEC_VALUE_NOT_ALLOWED, "an option or a text, not both")
        elif option is None:
            text = f"{spec.id} has no option {said.option_id!r}: {_what(spec)}"
            found.add(f"{at}.option_id", reasons.SPEC_OPTION_NOT_FOUND, text)
        else:
            return Choice(
                spec.id, spec.name, said.option_id, option.name, mark_up=option.mark_up, defines_variant=spec.defines_variant
            )
        return None
    if said.value:
        if not spec.open_text:
            found.add(f"{at}.value", reasons.SPEC_VALUE_NOT_ALLOWED, f"{spec.id} takes no text: {_what(spec)}")
            return None
        return Choice(spec.id, spec.name, value=said.value)
    if spec.required:
        found.add(at, reasons.SPEC_REQUIRED, f"{spec.id} has to be chosen: {_what(spec)}")
    return None


def _made(found: Violations, where: str, offered: Range, choices: Sequence[Choice], named: bool) -> Variant | None:
    """The variant that the options make; what keeps them from making one has been noted where an option is missing."""
    wanted = {spec.id for spec in offered.specs if spec.defines_variant}
    picked = {choice.spec_id: choice.option_id for choice in choices if choice.spec_id in wanted}
    if not wanted or named or picked.keys() != wanted:
        return None
    made = next((variant for variant in offered.variants.values() if dict(variant.options) == picked), None)
    if made is None:
        text = f"the product has no variant of {', '.join(picked.values())}"
        found.add(f"{where}.variant_id", reasons.VARIANT_NOT_FOUND, text)
    return made


def rechosen(
    found: Violations, where: str, offered: Range, line: Line, said: Sequence[Said] | None, variant_id: str | None
) -> Chosen:
    """What a line has chosen once something of it is said anew; None leaves a part as it is.

    Specs that are said replace all others, but the variant stays where none of them is one that makes it.
    """
    defining = {spec.id for spec in offered.specs if spec.defines_variant}
    if said is None:
        said = [Said(c.spec_id, c.option_id, c.value) for c in line.choices if c.spec_id not in defining]
    if variant_id is None:
        variant_id = "" if any(one.spec_id in defining for one in said) else line.variant_id
    return chosen(found, where, offered, said, variant_id)
