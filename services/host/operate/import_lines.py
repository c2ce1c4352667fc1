"""`waybill order import`: lines from a file into an order that is being built, all or none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from services.host.failure import REFUSED, Failure
from services.host.order_lines.faults import WHOLE_FILE, Fault, Faults
from services.host.order_lines.read import MOST_LINES, LinesOfFile, read_lines
from services.host.order_lines.specs import column_of
from services.host.remote.server_options import AsJson
from services.host.remote.session import Operator
from services.host.remote.showing import as_data, err, out, print_json, table, word
from services.host.tables import put
from waybill.order.v1 import line_item_pb2, order_pb2, order_service_pb2, reasons
from waybill.order.v1 import line_item_service_pb2 as pb
from waybill_client import WaybillError

COLUMNS = {"row": "bold", "column": "", "reason": "", "what is wrong": ""}
SHOWN = 50
"""Faults that people are shown; machines get all."""
MOST_BYTES = 4 * 1024 * 1024
"""Of a request."""
PATIENCE = 300.0
"""Seconds for the answer about 5,000 lines."""
_OF_LINE = re.compile(r"line_items\[(\d+)\](?:\.(.+))?\Z")
_OF_SPEC = re.compile(r"specs\[(\d+)\]")
_COLUMN = {"shipping_address": "shipping_address_id"}
"""Columns by the field that a server names, where the two differ."""


async def import_lines(
    at: Operator,
    file: Annotated[Path, typer.Argument(help="CSV with a header, or JSON (.json).", exists=True, dir_okay=False)],
    order: Annotated[str, typer.Option(help="Id of a buyer order that is not submitted.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the file and look at the order, and add nothing.")] = False,
    request_id: Annotated[
        str, typer.Option(help="Made of the file and the order unless given; the same one adds lines once.")
    ] = "",
    json: AsJson = False,
) -> int:
    """Adds the lines of a file to an order, all or none. With --dry-run exit code 1 when something is wrong with them."""
    faults = Faults()
    read = read_lines(faults, file)
    request = pb.AddLineItemsRequest(
        order_id=order, line_items=read.lines, request_id=request_id or _request_id(read.digest, order)
    )
    if not faults and request.ByteSize() > MOST_BYTES:
        said = f"these lines take {request.ByteSize():,} bytes in one request, and it has {MOST_BYTES:,} at most"
        faults.add(WHOLE_FILE, "", reasons.TOO_MANY_ITEMS, said)
    if not faults and dry_run:
        found = await _looked_at(at, faults, order, len(read.lines))
        if not faults:
            return _say_possible(found, read, json)
    if faults:
        _refuse(Failure(reasons.INVALID_REQUEST, f"{file} cannot be imported"), faults, json)
        return 1 if dry_run else REFUSED
    try:
        answer = await at.ask(lambda client: client.line_items.AddLineItems(request, timeout=PATIENCE))
    except WaybillError as refused:
        if not refused.fields:
            raise
        why = Failure(refused.reason, refused.message, refused.metadata, code=refused.code.name)
        _refuse(why, _of_rows(refused, read), json)
        return REFUSED
    _say_added(answer, read, request.request_id, json)
    return 0


def _request_id(digest: str, order: str) -> str:
    return f"import-{hashlib.sha256(f'{digest} {order}'.encode()).hexdigest()}"


async def _looked_at(at: Operator, faults: Faults, order: str, count: int) -> order_pb2.Order:
    """The order as it is; noted is what stands against that many lines more."""
    request = order_service_pb2.GetOrderRequest(order_id=order, direction=order_pb2.DIRECTION_ALL)
    found: order_pb2.Order = (await at.ask(lambda client: client.orders.GetOrder(request))).order
    if found.status != order_pb2.ORDER_STATUS_UNSUBMITTED:
        said = f"order {order} is {word(order_pb2.OrderStatus, found.status)}, so no line can be added"
        faults.add(WHOLE_FILE, "", reasons.ORDER_STATUS_CONFLICT, said)
    if found.line_item_count + count > MOST_LINES:
        said = (
            f"the order has {found.line_item_count:,} lines and would have {found.line_item_count + count:,}, of {MOST_LINES:,}"
        )
        faults.add(WHOLE_FILE, "", reasons.TOO_MANY_ITEMS, said)
    return found


def _of_rows(refused: WaybillError, read: LinesOfFile) -> Iterable[Fault]:
    """What the server says of fields of lines, of the rows that these came from."""
    for violation in refused.fields:
        match = _OF_LINE.match(violation.field)
        if match is None or int(match[1]) >= len(read.rows):
            yield Fault(WHOLE_FILE, violation.field, violation.reason, violation.description)
            continue
        number = int(match[1])
        yield Fault(read.rows[number], _column(match[2] or "", read.lines[number]), violation.reason, violation.description)


def _column(field: str, line: line_item_pb2.LineItem) -> str:
    """The column that a field of a line was read from."""
    spec = _OF_SPEC.match(field)
    if spec is not None and int(spec[1]) < len(line.specs):
        said = line.specs[int(spec[1])]
        return column_of(said.spec_id, text=bool(said.value))
    return _COLUMN.get(field, field)


def _refuse(why: Failure, faults: Iterable[Fault], json: bool) -> None:
    """Nothing was added: why, and every row that has to be mended."""
    found = sorted(faults, key=lambda fault: fault.row)
    if json:
        code = {"code": why.code} if why.code else {}
        error = {**code, "reason": why.reason, "message": why.message, "metadata": why.metadata}
        print_json({"ok": False, "error": error, "faults": [asdict(fault) for fault in found]})
        return
    rows = ([str(fault.row or ""), fault.column, fault.reason, fault.description] for fault in found[:SHOWN])
    put(out, table(COLUMNS, rows))
    more = len(found) - SHOWN
    counted = [f"{more:,} more are not shown, --json has them"] if more > 0 else []
    if omitted := why.metadata.get("omitted_violations"):
        counted.append(f"the server left out {omitted} more")
    said = "; ".join([f"{' '.join(filter(None, (why.code, why.reason)))}: {why.message}, and no line was added", *counted])
    err.print(said, style="red", markup=False, highlight=False, soft_wrap=True)


def _say_possible(order: order_pb2.Order, read: LinesOfFile, json: bool) -> int:
    if json:
        print_json({"ok": True, "dry_run": True, "lines": len(read.lines), "order": as_data(order)})
    else:
        there = f"{order.line_item_count:,} there already"
        out.print(f"order {order.id} has room for {len(read.lines):,} lines, {there}; nothing was added", highlight=False)
    return 0


def _say_added(answer: Any, read: LinesOfFile, request_id: str, json: bool) -> None:
    if json:
        added = [as_data(line) for line in answer.line_items]
        print_json({"ok": True, "dry_run": False, "request_id": request_id, "order": as_data(answer.order), "line_items": added})
        return
    order, count = answer.order, len(answer.line_items)
    out.print(f"order {order.id}: {count:,} lines are in, {order.line_item_count:,} in all", highlight=False)
    if count < len(read.lines):
        gone = f"{len(read.lines) - count:,} of these lines were added before and have been removed since"
        err.print(f"{gone}; another --request-id adds them anew", markup=False, highlight=False, soft_wrap=True)
