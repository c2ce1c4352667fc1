"""`waybill migrate`, and services that do not migrate by themselves."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from libs.db.migrate import revisions
from services.host.contexts import CONTEXTS
from services.host.process.migrate import versions_of
from tests.support.process import said

HEADS = {context: revisions(versions_of(context)).head for context in CONTEXTS}


def place(tmp_path: Path, database_url: str) -> list[str]:
    return ["--database-url", database_url] if database_url else ["--data", str(tmp_path / "data")]


async def migrated(*arguments: str) -> dict[str, tuple[str, str]]:
    code, output, errors = await said("migrate", "--json", *arguments)
    assert code == 0, output + errors
    return {row["context"]: (row["from"], row["to"]) for row in json.loads(output)}


async def test_migrating_an_empty_marketplace_brings_every_context_to_its_newest_revision(tmp_path, database_url):
    at = place(tmp_path, database_url)

    assert await migrated(*at) == {context: ("", head) for context, head in HEADS.items()}
    assert await migrated(*at) == {context: (head, head) for context, head in HEADS.items()}


async def test_migrating_from_two_places_at_once_applies_everything_once(tmp_path, database_url):
    at = place(tmp_path, database_url)
    first, second = await asyncio.gather(migrated(*at), migrated(*at))

    for context, head in HEADS.items():
        assert {first[context], second[context]} == {("", head), (head, head)}


async def test_single_contexts_are_migrated_alone(tmp_path, database_url):
    at = place(tmp_path, database_url)
    chosen = await migrated(*at, "--only", "order", "--only", "catalog")

    assert chosen == {"order": ("", HEADS["order"]), "catalog": ("", HEADS["catalog"])}
    assert (await migrated(*at))["pricing"] == ("", HEADS["pricing"])


async def test_people_read_from_which_to_which_revision(tmp_path):
    at = place(tmp_path, "")
    _, first, _ = await said("migrate", *at, "--only", "order")
    _, second, _ = await said("migrate", *at, "--only", "order")

    assert first.split() == ["order", "empty", "->", HEADS["order"]]
    assert second.split() == ["order", *f"{HEADS['order']}, nothing to do".split()]


async def test_a_context_that_there_is_not_is_refused(tmp_path):
    code, _, errors = await said("migrate", *place(tmp_path, ""), "--only", "orders")

    assert code == 2
    assert "there is no service 'orders'" in errors


@pytest.mark.parametrize("way", ["option", "environment"])
async def test_a_service_that_may_not_migrate_refuses_a_database_that_is_not_migrated(tmp_path, database_url, way):
    arguments = ["serve", *place(tmp_path, database_url), "--bind", "127.0.0.1:0", "--only", "catalog"]
    if way == "option":
        code, output, errors = await said(*arguments, "--no-migrate")
    else:
        code, output, errors = await said(*arguments, environment={"WAYBILL_MIGRATE": "off"})

    assert (code, output) == (1, "")
    assert errors == f"database of catalog is empty, this build needs {HEADS['catalog']}: run `waybill migrate`\n"
