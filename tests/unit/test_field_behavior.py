"""Every field of every contract says what it is for its callers, in a form that generators of clients read."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FieldDescriptor

import waybill
from libs.rpc.required import behaviors
from tests.support.contracts import requested, services

CONTRACTS = Path(__file__).parents[2] / "protos" / "waybill"
ALONE = ("OPTIONAL", "OUTPUT_ONLY", "IDENTIFIER")
"""What needs no second word beside it."""


def messages() -> Iterator[Descriptor]:
    """Every message of every contract, those inside messages left out: there are none but entries of maps."""
    for module in pkgutil.walk_packages(waybill.__path__, "waybill."):
        if module.name.endswith("_pb2"):
            yield from importlib.import_module(module.name).DESCRIPTOR.message_types_by_name.values()


def fields() -> Iterator[FieldDescriptor]:
    """Every field of them."""
    return (field for message in messages() for field in message.fields)


def test_every_field_says_how_it_behaves() -> None:
    assert [field.full_name for field in fields() if not behaviors(field)] == []


def test_what_is_optional_or_the_services_own_is_nothing_else_besides() -> None:
    crowded = [f.full_name for f in fields() if len(behaviors(f)) > 1 and behaviors(f) & set(ALONE)]
    assert crowded == []


def test_what_no_request_holds_is_for_output_only() -> None:
    inside = requested(services())
    outside = [field for message in messages() if message.full_name not in inside for field in message.fields]
    assert len(outside) > 100
    assert [field.full_name for field in outside if behaviors(field) != {"OUTPUT_ONLY"}] == []


def test_no_comment_says_what_the_behavior_says() -> None:
    said = re.compile(r"//.*\b(Output only|Input only|Immutable)\b|//.*\bRequired\.$")
    repeated = [
        f"{path.name}: {line.strip()}"
        for path in sorted(CONTRACTS.rglob("*.proto"))
        for line, following in zip(path.read_text().splitlines(), path.read_text().splitlines()[1:], strict=False)
        if said.search(line) and not following.strip().startswith("oneof")
    ]
    assert repeated == []
