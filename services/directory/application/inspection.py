"""Inspection: the directory's own invariants. Nothing here belongs to an order, so there are no facts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from libs.invariants import Finding, Record, Summary, summarized
from services.directory.application.ports import CensusStore

CONTEXT = "directory"
RULES: Mapping[str, str] = {
    "one_seller": "sellers",
    "signing_key": "",
    "user_has_company": "users",
    "client_has_default_user": "api_clients",
    "client_has_anonymous_user": "api_clients",
    "client_has_registration_buyer": "api_clients",
    "address_has_company": "addresses",
    "assignment_has_address": "address_assignments",
    "assignment_has_user": "address_assignments",
    "assignment_has_group": "address_assignments",
    "group_has_company": "user_groups",
    "member_has_group": "user_group_members",
    "member_has_user": "user_group_members",
    "profile_assignment_has_profile": "security_profile_assignments",
    "profile_assignment_has_one_assignee": "security_profile_assignments",
    "cost_center_has_buyer": "cost_centers",
    "cost_center_assignment_has_cost_center": "cost_center_assignments",
    "cost_center_assignment_has_assignee": "cost_center_assignments",
}
"""What each looks at: one seller; a signing key; and the kinds of references that must not be orphaned."""


class Inspection:
    """Yields what is wrong with one snapshot, then a summary."""

    def __init__(self, store: CensusStore) -> None:
        self._store = store

    async def __call__(self, order_keys: Sequence[str] = ()) -> AsyncIterator[Record]:
        if order_keys:
            yield Summary(CONTEXT, 0, 0, 0)
            return
        census = await self._store.take()
        findings = [Finding(CONTEXT, rule, subject, f"{reference} does not exist") for rule, subject, reference in census.orphans]
        if census.sellers != 1:
            findings.append(Finding(CONTEXT, "one_seller", "seller", f"there are {census.sellers}"))
        if census.keys < 1:
            findings.append(Finding(CONTEXT, "signing_key", "signing keys", "there is none in use"))
        for finding in findings:
            yield finding
        looked_at = {rule: census.rows[table] if table else census.keys for rule, table in RULES.items()}
        yield summarized(CONTEXT, sum(census.rows.values()), looked_at, findings)
