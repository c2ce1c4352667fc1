"""Rounds of approvals between rows, the documents of attempts, and the domain's values."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from services.order.domain.approval.case import Case, Given
from services.order.domain.approval.moves import Actor
from services.order.domain.approval.rounds import Approval, ApprovalStatus, Round
from services.order.domain.approval.rules import ApprovalRule

Row = Any
"""A row mapping; SQLAlchemy types its keys too narrowly for Mapping[str, Any]."""


def round_row(case: Case) -> dict[str, Any]:
    """The columns of a round, without its order's."""
    return {
        "number": case.round.number,
        "attempt": case.attempt,
        "user_id": case.round.user_id,
        "groups": sorted(case.round.groups),
        "rules": [asdict(rule) for rule in case.rules],
        "subject": case.subject,
        "begin_time": case.begin_time,
    }


def approval_rows(round: Round) -> list[dict[str, Any]]:
    """The columns of its approvals, without their order's."""
    return [
        {**asdict(one), "status": one.status.value, "round": round.number, "position": at}
        for at, one in enumerate(round.approvals)
    ]


def approval_of(row: Row) -> Approval:
    """An approval."""
    return Approval(
        rule_id=row["rule_id"],
        group_id=row["group_id"],
        status=ApprovalStatus(row["status"]),
        create_time=row["create_time"],
        auto=row["auto"],
        error=row["error"],
        user_id=row["user_id"],
        comment=row["comment"],
        complete_time=row["complete_time"],
    )


def case_from(row: Row, approvals: list[Approval]) -> Case:
    """A case, with the approvals of its round in their order."""
    return Case(
        round=Round(row["number"], row["user_id"], frozenset(row["groups"]), tuple(approvals)),
        attempt=row["attempt"],
        begin_time=row["begin_time"],
        rules=tuple(ApprovalRule(**rule) for rule in row["rules"]),
        subject=row["subject"],
    )


def approval_json(case: Case | None, given: Given | None) -> dict[str, Any] | None:
    """What an attempt has to do with approvals."""
    if given is not None:
        its = {"rule_ids": list(given.rule_ids), "by": asdict(given.by)}
        return {"round": given.round, "round_time": _text(given.round_time), **its}
    if case is None:
        return None
    times = ("create_time", "complete_time")
    kept = [{**row, **{name: _text(row[name]) for name in times}} for row in approval_rows(case.round)]
    subject = base64.b64encode(case.subject).decode()
    return {**round_row(case), "subject": subject, "begin_time": _text(case.begin_time), "approvals": kept}


def case_of(stored: Row) -> Case | None:
    """The round that a submit begins."""
    if stored is None or "approvals" not in stored:
        return None
    approvals = [
        replace(
            approval_of({**row, "create_time": _time(row["create_time"])}),
            complete_time=None if row["complete_time"] is None else _time(row["complete_time"]),
        )
        for row in stored["approvals"]
    ]
    row = {**stored, "subject": base64.b64decode(stored["subject"]), "begin_time": _time(stored["begin_time"])}
    return case_from(row, approvals)


def given_of(stored: Row) -> Given | None:
    """The approvals that an attempt gives."""
    if stored is None or "by" not in stored:
        return None
    return Given(stored["round"], _time(stored["round_time"]), tuple(stored["rule_ids"]), Actor(**stored["by"]))


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
