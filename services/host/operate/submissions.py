"""`waybill submissions`: attempts to submit that are not at their end."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.host.remote.server_options import AsJson, Filter
from services.host.remote.session import Operator, both, command, in_turn, named_or_all
from services.host.remote.showing import age, due, show, word
from waybill.order.v1 import submission_pb2
from waybill.order.v1 import submission_service_pb2 as pb

submissions = typer.Typer(no_args_is_help=True, help="Attempts to submit that are not at their end.")
NAMES = ("attempt", "state", "age", "deadline", "next try", "failures", "user", "reasons")
COLUMNS = {"order": "bold", **dict.fromkeys(NAMES, "")}


@command(submissions, "list")
async def list_submissions(
    at: Operator,
    state: Annotated[str, typer.Option(help="TRYING, ACCEPTED or REFUSED.")] = "",
    order: Annotated[str, typer.Option(help="Of one order, finished ones too.")] = "",
    filter: Filter = "",
    json: AsJson = False,
) -> int:
    """Lists unfinished attempts with their age and reasons: TRYING waits for an answer or its deadline, ACCEPTED for
    confirms, REFUSED for releases."""
    wanted = both(f"state = {state}" if state else "", filter)
    wanted = both(f'order_id = "{order}"', wanted) if order else both(wanted, "finished = false")

    found = await _found(at, wanted)
    show(found, json, COLUMNS, map(_row, found), "no submission is unfinished" if not order else "no submission")
    return 0


@command(submissions, "resolve")
async def resolve_submissions(
    at: Operator,
    order: Annotated[list[str] | None, typer.Argument(help="Ids of orders; their newest attempts are meant.")] = None,
    attempt: Annotated[int, typer.Option(help="Another attempt than the newest.")] = 0,
    all: Annotated[bool, typer.Option("--all", help="Everything unfinished.")] = False,
    json: AsJson = False,
) -> int:
    """Drives attempts on now: past its deadline an undecided one is refused, an accepted one is confirmed, a refused one
    released. Exit code 1 when one is still unfinished."""
    named_or_all(bool(order), all, "name orders, or say --all")

    async def resolve(chosen: tuple[str, int]) -> Any:
        request = pb.DriveSubmissionRequest(order_id=chosen[0], attempt=chosen[1])
        return (await at.ask(lambda client: client.submissions.DriveSubmission(request))).submission

    wanted = [(id, attempt) for id in order or ()]
    if all:
        wanted = [(one.order_id, one.submission.attempt) for one in await _found(at, "finished = false")]
    done, refused = await in_turn(wanted, resolve, lambda chosen: chosen[0])
    show(done, json, COLUMNS, map(_row, done), "nothing to resolve")
    return 1 if refused or any(not one.submission.finished for one in done) else 0


async def _found(at: Operator, filter: str) -> list[Any]:
    request = pb.ListSubmissionsRequest(filter=filter)
    return await at.every(lambda client, asked: client.submissions.ListSubmissions(asked), request, "submissions")


def _row(one: pb.OrderSubmission) -> list[str]:
    s = one.submission
    state = word(submission_pb2.SubmissionState, s.state)
    reasons = "; ".join(f"{r.reason} {r.subject}".strip() for r in s.reasons)
    return [
        one.order_id,
        str(s.attempt),
        f"{state}, finished" if s.finished else state,
        age(s.begin_time),
        age(s.deadline),
        due(one.next_action_time),
        f"{one.failures} {one.failure}" if one.failures else "",
        s.user_id,
        reasons,
    ]
