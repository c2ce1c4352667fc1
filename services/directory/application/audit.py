"""Audit: the directory's own invariants. Nothing here belongs to an order, so there are no facts."""

from __future__ import annotations

from collections.abc import AsyncIterator

from libs.audit import Finding, Record, Summary
from services.directory.application.ports import CensusStore

CONTEXT = "directory"
RULES = 7
"""One seller; a signing key; and five kinds of references that must not be orphaned."""


class Audit:
    """Yields what is wrong with one snapshot, then a summary."""

    def __init__(self, store: CensusStore) -> None:
        self._store = store

    async def __call__(self) -> AsyncIterator[Record]:
        census = await self._store.take()
        findings = [Finding(CONTEXT, rule, subject, f"{reference} does not exist") for rule, subject, reference in census.orphans]
        if census.sellers != 1:
            findings.append(Finding(CONTEXT, "one_seller", "seller", f"there are {census.sellers}"))
        if census.keys < 1:
            findings.append(Finding(CONTEXT, "signing_key", "signing keys", "there is none in use"))
        for finding in findings:
            yield finding
        yield Summary(CONTEXT, RULES, census.rows, len(findings))
