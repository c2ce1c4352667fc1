from __future__ import annotations

from datetime import timedelta

import grpc
import pytest
from google.rpc import error_details_pb2

from libs.errors import (
    FieldViolation,
    Kind,
    RuleViolation,
    Violations,
    WaybillError,
    denied,
    exists,
    invalid,
    missing,
    precondition,
    stale,
)
from libs.rpc.status import DETAIL_BYTES, from_rpc_error, from_status, internal, to_status


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Kind.INVALID, grpc.StatusCode.INVALID_ARGUMENT),
        (Kind.MISSING, grpc.StatusCode.NOT_FOUND),
        (Kind.EXISTS, grpc.StatusCode.ALREADY_EXISTS),
        (Kind.PRECONDITION, grpc.StatusCode.FAILED_PRECONDITION),
        (Kind.STALE, grpc.StatusCode.ABORTED),
        (Kind.DENIED, grpc.StatusCode.PERMISSION_DENIED),
        (Kind.UNAUTHENTICATED, grpc.StatusCode.UNAUTHENTICATED),
        (Kind.EXHAUSTED, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (Kind.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE),
        (Kind.OUT_OF_RANGE, grpc.StatusCode.OUT_OF_RANGE),
    ],
)
def test_each_kind_has_its_code(kind: Kind, code: grpc.StatusCode) -> None:
    assert to_status(WaybillError(kind, "R", "m"), "test").code == code.value[0]


def test_every_kind_stands_in_the_table_of_codes() -> None:
    assert len({to_status(WaybillError(kind, "R", "m"), "test").code for kind in Kind}) == len(Kind) == 10


def test_an_error_crosses_the_wire_whole() -> None:
    error = WaybillError(
        Kind.PRECONDITION,
        "ORDER_EMPTY",
        "the order is not ready",
        metadata={"order": "PO9123"},
        fields=[FieldViolation("lines[0].quantity", "VALUE_OUT_OF_RANGE", "must be 1 to 10")],
        rules=[RuleViolation("INSUFFICIENT_INVENTORY", "line_items/1", "only 2 are left")],
        retry_after=timedelta(milliseconds=250),
    )
    back = from_status(to_status(error, "order"), Kind.PRECONDITION)
    assert (back.kind, back.reason, back.message) == (error.kind, error.reason, error.message)
    assert back.metadata == error.metadata
    assert back.fields == error.fields
    assert back.rules == error.rules
    assert back.retry_after == error.retry_after
    assert back.domain == "waybill.order"


def test_an_error_from_another_service_keeps_its_domain() -> None:
    first = from_status(to_status(missing("product", "p1"), "catalog"), Kind.MISSING)
    assert from_status(to_status(first, "order"), Kind.MISSING).domain == "waybill.catalog"


def test_a_defect_shows_nothing_of_itself() -> None:
    status = internal("order")
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    assert (info.reason, info.domain, status.code) == ("INTERNAL", "waybill.order", 13)


@pytest.mark.parametrize(
    ("code", "detailed", "defect"),
    [
        (grpc.StatusCode.INTERNAL, True, True),
        (grpc.StatusCode.INTERNAL, False, False),
        (grpc.StatusCode.UNAVAILABLE, False, False),
        (grpc.StatusCode.DEADLINE_EXCEEDED, False, False),
    ],
)
def test_a_peer_that_fails_by_a_defect_differs_from_one_that_is_silent(
    code: grpc.StatusCode, detailed: bool, defect: bool
) -> None:
    details = (("grpc-status-details-bin", internal("order").SerializeToString()),) if detailed else ()
    answer = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*details), internal("order").message)
    error = from_rpc_error(answer, "order")
    assert (error.kind, error.reason, error.defect) == (Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", defect)


def test_more_violations_than_trailers_can_carry_are_counted_instead() -> None:
    found = Violations()
    for i in range(5_000):
        found.add(f"line_items[{i}].quantity", "VALUE_OUT_OF_RANGE", "must be 1 to 1,000,000")
    status = to_status(found.error(), "order")
    assert status.ByteSize() < DETAIL_BYTES + 1_500
    back = from_status(status, Kind.INVALID)
    assert len(back.fields) > 20
    assert back.fields == tuple(found.items[: len(back.fields)])
    assert int(back.metadata["omitted_violations"]) + len(back.fields) == 5_000


def test_a_huge_text_does_not_burst_the_trailers() -> None:
    status = to_status(missing("order", "x" * 100_000), "order")
    assert status.ByteSize() < 2_000


def test_the_common_errors_name_what_they_are_about() -> None:
    assert missing("order", "PO1").metadata == {"resource": "order", "id": "PO1"}
    assert (missing("order", "PO1").kind, missing("order", "PO1").reason) == (Kind.MISSING, "RESOURCE_NOT_FOUND")
    assert (exists("order", "PO1").kind, exists("order", "PO1").reason) == (Kind.EXISTS, "RESOURCE_EXISTS")
    assert stale("order", "PO1", "7").metadata == {"resource": "order", "id": "PO1", "etag": "7"}
    assert (stale("order", "PO1", "7").kind, stale("order", "PO1", "7").reason) == (Kind.STALE, "ETAG_MISMATCH")
    assert (denied("OrderAdmin").kind, denied("OrderAdmin").metadata) == (Kind.DENIED, {"role": "OrderAdmin"})
    refused = precondition("ORDER_CANCELED", "the order is canceled", order="PO1")
    assert (refused.kind, refused.reason, refused.metadata) == (Kind.PRECONDITION, "ORDER_CANCELED", {"order": "PO1"})


def test_nothing_wrong_raises_nothing() -> None:
    found = Violations()
    found.require("a", True, "FIELD_INVALID", "is wrong")
    found.check_id("id", "", required=False)
    found.check_id("id", "PO9123")
    assert not found
    found.raise_if_any()


def test_one_reason_becomes_the_errors_reason_and_names_the_field() -> None:
    error = invalid("order.currency", "FIELD_REQUIRED", "is required")
    assert (error.kind, error.reason, error.metadata) == (Kind.INVALID, "FIELD_REQUIRED", {"field": "order.currency"})
    assert "order.currency" in error.message


def test_several_reasons_are_an_invalid_request_with_all_fields() -> None:
    found = Violations()
    found.check_id("order.id", "a b")
    found.check_id("order.buyer_id", "")
    found.require("lines", False, "TOO_MANY_ITEMS", "at most 5,000")
    with pytest.raises(WaybillError) as caught:
        found.raise_if_any()
    assert caught.value.reason == "INVALID_REQUEST"
    assert [(v.field, v.reason) for v in caught.value.fields] == [
        ("order.id", "ID_INVALID"),
        ("order.buyer_id", "FIELD_REQUIRED"),
        ("lines", "TOO_MANY_ITEMS"),
    ]


@pytest.mark.parametrize("value", ["a b", "a\n", "\x00", "é", "x" * 101, "a/b"])
def test_a_malformed_id_is_noted(value: str) -> None:
    found = Violations()
    found.check_id("id", value)
    assert [v.reason for v in found.items] == ["ID_INVALID"]
