"""What may be stated of the taxes that a buyer need not pay."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from libs.errors import Violations
from services.directory.contract.resources import BUYER
from waybill.directory.v1.buyer_service_pb2 import Buyer
from waybill.type.v1.tax_exemption_pb2 import TaxExemption

EARLY, LATE = Timestamp(seconds=1_700_000_000), Timestamp(seconds=1_800_000_000)


def exemption(**fields: Any) -> TaxExemption:
    return TaxExemption(**{"country": "DE", "certificate_id": "C-1", **fields})


def faults(*given: TaxExemption) -> set[tuple[str, str]]:
    found = Violations()
    BUYER.read(found, "buyer", Buyer(id="acme", name="Acme", currency="EUR", tax_exemptions=given))
    return {(v.field.removeprefix("buyer.tax_exemptions"), v.reason) for v in found.items}


@pytest.mark.parametrize(
    "given", [exemption(), exemption(tax_class="x" * 100), exemption(start_time=EARLY, end_time=LATE), exemption(end_time=EARLY)]
)
def test_an_exemption_may_name_a_class_and_either_time(given: TaxExemption) -> None:
    assert faults(given, given) == set()


def test_every_fault_of_every_exemption_is_named() -> None:
    wrong = [
        TaxExemption(),
        exemption(country="de"),
        exemption(country="ZZ", certificate_id=" "),
        exemption(tax_class="x" * 101, certificate_id="x" * 101),
        exemption(start_time=LATE, end_time=EARLY),
        exemption(start_time=EARLY, end_time=EARLY),
    ]
    assert faults(*wrong) == {
        ("[0].country", "FIELD_REQUIRED"),
        ("[0].certificate_id", "FIELD_REQUIRED"),
        ("[1].country", "FIELD_INVALID"),
        ("[2].country", "FIELD_INVALID"),
        ("[2].certificate_id", "FIELD_REQUIRED"),
        ("[3].tax_class", "VALUE_OUT_OF_RANGE"),
        ("[3].certificate_id", "VALUE_OUT_OF_RANGE"),
        ("[4].end_time", "TAX_TIMES_REVERSED"),
        ("[5].end_time", "TAX_TIMES_REVERSED"),
    }


def test_a_buyer_has_a_hundred_exemptions_at_most() -> None:
    assert faults(*[exemption()] * 100) == set()
    assert faults(*[exemption()] * 101) == {("", "TOO_MANY_ITEMS")}


def test_a_time_that_cannot_be_is_a_fault() -> None:
    assert {field for field, _ in faults(exemption(start_time=Timestamp(seconds=10**15)))} >= {"[0].start_time"}
