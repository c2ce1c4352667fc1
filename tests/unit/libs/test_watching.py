"""When a watch of the client goes on, and after how long."""

from __future__ import annotations

import grpc
import pytest

from waybill.order.v1 import order_service_pb2
from waybill_client import WaybillError
from waybill_client.watching import LONGEST_WAIT, Watch

GONE = WaybillError(grpc.StatusCode.UNAVAILABLE, "gone")


def begun(patience: float = 60.0) -> Watch:
    """A watch from the start that has seen a message."""
    watch = Watch(order_service_pb2.WatchOrdersRequest(from_start=True, order_ids=["A"]), patience)
    watch.saw(order_service_pb2.WatchOrdersResponse(resume_token="one"))
    return watch


def test_it_goes_on_after_the_last_message_with_the_same_arguments() -> None:
    watch = begun()
    watch.saw(order_service_pb2.WatchOrdersResponse(resume_token="two"))
    assert watch.request == order_service_pb2.WatchOrdersRequest(resume_token="two", order_ids=["A"])


def test_the_request_of_the_caller_is_not_touched() -> None:
    mine = order_service_pb2.WatchOrdersRequest(from_start=True)
    Watch(mine, 60.0).saw(order_service_pb2.WatchOrdersResponse(resume_token="one"))
    assert mine == order_service_pb2.WatchOrdersRequest(from_start=True)


def test_waits_grow_up_to_a_limit_and_begin_anew_after_a_message() -> None:
    watch = begun()
    waits = [watch.wait(GONE) for _ in range(12)]
    assert waits[0] <= 0.1 < waits[3] < waits[-1] <= LONGEST_WAIT
    watch.saw(order_service_pb2.WatchOrdersResponse(resume_token="two"))
    assert watch.wait(GONE) <= 0.1


def test_a_server_that_asks_for_more_time_gets_it() -> None:
    later = WaybillError(grpc.StatusCode.UNAVAILABLE, "later")
    later.retry_after_seconds = 3.0
    assert begun().wait(later) == 3.0


@pytest.mark.parametrize("code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL])
def test_what_asking_again_does_not_mend_is_raised(code: grpc.StatusCode) -> None:
    refused = WaybillError(code, "no")
    with pytest.raises(WaybillError) as raised:
        begun().wait(refused)
    assert raised.value is refused


@pytest.mark.parametrize("reason", ["TOKEN_EXPIRED", "TOKEN_INVALID", "TOKEN_REVOKED"])
def test_a_watch_goes_on_once_when_its_token_has_ended(reason: str) -> None:
    over = WaybillError(grpc.StatusCode.UNAUTHENTICATED, "over")
    over.reason = reason
    watch = begun()
    assert watch.wait(over) <= 0.1
    with pytest.raises(WaybillError):
        watch.wait(over)
    watch.saw(order_service_pb2.WatchOrdersResponse(resume_token="two"))
    assert watch.wait(over) <= 0.1


def test_a_watch_of_whoever_can_no_longer_sign_in_ends() -> None:
    refused = WaybillError(grpc.StatusCode.UNAUTHENTICATED, "no")
    refused.reason = "GRANT_INVALID"
    with pytest.raises(WaybillError):
        begun().wait(refused)


def test_a_stream_that_never_began_is_not_asked_for_again() -> None:
    with pytest.raises(WaybillError):
        Watch(order_service_pb2.WatchOrdersRequest(), 60.0).wait(GONE)


def test_patience_counts_from_the_first_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("waybill_client.watching.time.monotonic", lambda: now)
    watch = begun(patience=10.0)
    watch.wait(GONE)
    now = 109.9
    watch.wait(GONE)
    now = 110.0
    with pytest.raises(WaybillError):
        watch.wait(GONE)
