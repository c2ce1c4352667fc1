"""`waybill order import`: what is sent, and what is printed of what came of it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import grpc
import pytest
from rich.console import Console

from services.host.operate import import_lines as importing
from services.host.operate.import_lines import import_lines
from services.host.remote import showing
from services.host.remote.session import Operator
from waybill.order.v1 import line_item_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import FieldViolation, WaybillError


class Server:
    """An order service with one order; it is its own client."""

    def __init__(self, there: int = 2, status: order_pb2.OrderStatus = order_pb2.ORDER_STATUS_UNSUBMITTED) -> None:
        self.order = order_pb2.Order(id="PO1", line_item_count=there, status=status)
        self.asked: list[pb.AddLineItemsRequest] = []
        self.violations: list[FieldViolation] = []
        self.orders = self.line_items = self

    async def GetOrder(self, request: order_service_pb2.GetOrderRequest) -> order_service_pb2.GetOrderResponse:
        return order_service_pb2.GetOrderResponse(order=self.order)

    async def AddLineItems(self, request: pb.AddLineItemsRequest, timeout: float) -> pb.AddLineItemsResponse:
        self.asked.append(request)
        if self.violations:
            error = WaybillError(grpc.StatusCode.INVALID_ARGUMENT, "line_items[0].product_id: there is no product")
            error.reason, error.fields, error.metadata = "PRODUCT_NOT_FOUND", self.violations, {"omitted_violations": "3"}
            raise error
        return pb.AddLineItemsResponse(order=self.order, line_items=request.line_items[: self.order.line_item_count])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lines.csv"
    path.write_text("product_id;quantity\nanvil;4\n\nlamp;2\n")
    return path


@pytest.fixture(autouse=True)
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    console = Console(file=written, width=200)
    for module, name in ((importing, "out"), (importing, "err"), (showing, "out")):
        monkeypatch.setattr(module, name, console)
    return written


async def run(server: Server, file: Path, **options: Any) -> int:
    return await import_lines(Operator([server]), file, "PO1", **options)  # type: ignore[list-item]


async def test_all_lines_go_in_one_request_whose_id_is_of_the_file_and_the_order(file: Path, printed: io.StringIO) -> None:
    server = Server()
    assert await run(server, file) == await run(server, file) == 0
    file.write_text(file.read_text() + "\n")
    assert await run(server, file) == 0
    first, again, changed = server.asked
    assert [(line.product_id, line.quantity) for line in first.line_items] == [("anvil", 4), ("lamp", 2)]
    assert first == again
    assert first.request_id != changed.request_id
    assert len(first.request_id) <= 100
    assert "order PO1: 2 lines are in, 2 in all" in printed.getvalue()


async def test_a_request_id_that_is_given_is_sent_and_machines_read_it(file: Path, printed: io.StringIO) -> None:
    server = Server()
    assert await run(server, file, request_id="mine", json=True) == 0
    answer = json.loads(printed.getvalue())
    assert (answer["ok"], answer["request_id"], len(answer["line_items"])) == (True, "mine", 2)
    assert server.asked[0].request_id == "mine"


async def test_lines_that_are_gone_since_a_first_import_are_counted(file: Path, printed: io.StringIO) -> None:
    assert await run(Server(there=1), file) == 0
    assert "1 of these lines were added before and have been removed since" in printed.getvalue()


async def test_what_the_server_refuses_is_said_of_rows(file: Path, printed: io.StringIO) -> None:
    server = Server()
    server.violations = [
        FieldViolation("line_items[1].shipping_address_id", "ADDRESS_NOT_FOUND", "there is no address [red]"),
        FieldViolation("line_items[0].product_id", "PRODUCT_NOT_FOUND", "there is no product"),
        FieldViolation("line_items[1].shipping_address", "ADDRESS_RESTRICTED", "assigned ones only"),
        FieldViolation("line_items", "TOO_MANY_ITEMS", "too many"),
    ]
    assert await run(server, file, json=True) == 2
    answer = json.loads(printed.getvalue())
    assert answer["error"]["code"] == "INVALID_ARGUMENT"
    assert [(fault["row"], fault["column"], fault["reason"]) for fault in answer["faults"]] == [
        (0, "line_items", "TOO_MANY_ITEMS"),
        (2, "product_id", "PRODUCT_NOT_FOUND"),
        (4, "shipping_address_id", "ADDRESS_NOT_FOUND"),
        (4, "shipping_address_id", "ADDRESS_RESTRICTED"),
    ]
    assert await run(server, file) == 2
    shown = printed.getvalue().splitlines()
    assert any(line.split()[:3] == ["4", "shipping_address_id", "ADDRESS_NOT_FOUND"] and "[red]" in line for line in shown)
    assert "no line was added; the server left out 3 more" in shown[-1]


async def test_what_the_server_refuses_of_specs_is_said_of_their_columns(file: Path, printed: io.StringIO) -> None:
    file.write_text("product_id,quantity,spec.size,spec.note.text\ntee,1,s,\ntee,2,xl,Ada\n")
    server = Server()
    server.violations = [
        FieldViolation("line_items[1].specs[0].option_id", "SPEC_OPTION_NOT_FOUND", "size has no option 'xl'"),
        FieldViolation("line_items[1].specs[1].value", "SPEC_VALUE_NOT_ALLOWED", "note takes no text"),
        FieldViolation("line_items[0].specs", "SPEC_REQUIRED", "color has to be chosen"),
    ]
    assert await run(server, file, json=True) == 2
    assert [(fault["row"], fault["column"], fault["reason"]) for fault in json.loads(printed.getvalue())["faults"]] == [
        (2, "specs", "SPEC_REQUIRED"),
        (3, "spec.size", "SPEC_OPTION_NOT_FOUND"),
        (3, "spec.note.text", "SPEC_VALUE_NOT_ALLOWED"),
    ]


@pytest.mark.parametrize(("dry_run", "code"), [(True, 1), (False, 2)])
async def test_with_a_fault_in_the_file_nobody_is_asked(file: Path, printed: io.StringIO, dry_run: bool, code: int) -> None:
    file.write_text("product_id,quantity\n" + "anvil,none\n" * 60)
    server = Server()
    assert await run(server, file, dry_run=dry_run) == code
    assert server.asked == []
    shown = printed.getvalue().splitlines()
    assert len([line for line in shown if "VALUE_OUT_OF_RANGE" in line]) == importing.SHOWN
    assert "10 more are not shown" in shown[-1]


async def test_a_dry_run_adds_nothing_and_says_that_there_is_room(file: Path, printed: io.StringIO) -> None:
    server = Server(there=4_998)
    assert await run(server, file, dry_run=True) == 0
    assert "has room for 2 lines, 4,998 there already; nothing was added" in printed.getvalue()
    assert server.asked == []


@pytest.mark.parametrize(
    ("server", "reason"),
    [(Server(there=4_999), "TOO_MANY_ITEMS"), (Server(status=order_pb2.ORDER_STATUS_OPEN), "ORDER_STATUS_CONFLICT")],
)
async def test_a_dry_run_says_what_stands_against_the_order(
    file: Path, printed: io.StringIO, server: Server, reason: str
) -> None:
    assert await run(server, file, dry_run=True, json=True) == 1
    answer = json.loads(printed.getvalue())
    assert (answer["ok"], [fault["reason"] for fault in answer["faults"]]) == (False, [reason])


async def test_what_no_request_can_carry_is_refused_before_it_is_sent(file: Path) -> None:
    file.write_text("product_id,quantity,comments\n" + f"anvil,1,{'x' * 2_000}\n" * 3_000)
    server = Server()
    assert await run(server, file) == 2
    assert server.asked == []


async def test_a_refusal_of_no_field_is_left_to_the_command_line(file: Path) -> None:
    class Away(Server):
        async def AddLineItems(self, request: pb.AddLineItemsRequest, timeout: float) -> pb.AddLineItemsResponse:
            raise WaybillError(grpc.StatusCode.UNAVAILABLE, "does not answer")

    with pytest.raises(WaybillError, match="does not answer"):
        await run(Away(), file)
