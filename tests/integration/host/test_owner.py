"""`waybill owner reset-secret`: the way back in when the one-time secret is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.process import said, served
from waybill.directory.v1 import seller_service_pb2
from waybill_client import AsyncWaybill, WaybillError

CLIENT = "waybill-admin"


async def seller(address: str, secret: str) -> str:
    """The seller's id, asked by the owner."""
    async with AsyncWaybill(address, CLIENT, secret) as owner:
        answer = await owner.sellers.GetSeller(seller_service_pb2.GetSellerRequest())
    return answer.seller.id


async def test_a_lost_secret_is_replaced_while_the_services_run(tmp_path: Path, database_url: str):
    at = ["--database-url", database_url] if database_url else ["--data", str(tmp_path)]
    async with served(tmp_path, database_url) as marketplace:
        code, output, errors = await said("owner", "reset-secret", *at, "--json")
        assert (code, errors) == (0, "")
        answer = json.loads(output)
        assert answer["client_id"] == CLIENT
        assert await seller(marketplace.address, answer["client_secret"]) == "seller"
        with pytest.raises(WaybillError) as refused:
            await seller(marketplace.address, marketplace.client_secret)
        assert refused.value.code.name == "UNAUTHENTICATED"


async def test_a_new_secret_is_shown_to_people_too_and_is_another_each_time(tmp_path: Path):
    assert (await said("migrate", "--data", str(tmp_path)))[0] == 0
    code, output, errors = await said("owner", "reset-secret", "--data", str(tmp_path))
    assert (code, output) == (2, "")
    assert "never set up" in errors
    async with served(tmp_path) as marketplace:
        first = marketplace.client_secret
    _, output, _ = await said("owner", "reset-secret", "--data", str(tmp_path))
    second = output.split()[-1]
    assert len({first, second, ""}) == 3
    async with served(tmp_path) as again:
        assert await seller(again.address, second) == "seller"


async def test_where_there_is_no_marketplace_none_is_made(tmp_path: Path):
    code, output, errors = await said("owner", "reset-secret", "--data", str(tmp_path / "nowhere"))
    assert (code, output) == (2, "")
    assert errors.startswith("there is no marketplace")
    assert not (tmp_path / "nowhere").exists()


async def test_an_empty_database_differs_from_a_marketplace(cluster_database: str):
    code, output, errors = await said("owner", "reset-secret", "--database-url", cluster_database)
    assert (code, output) == (1, "")
    assert "run `waybill migrate`" in errors
    assert errors.count("\n") == 1
