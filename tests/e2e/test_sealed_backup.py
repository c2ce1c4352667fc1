"""A backup says which sealing key it needs, and a restore asks for it; one that is lost costs everyone's tokens and no more."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest

from libs.auth.keys import new_private_key
from libs.sealing import SealingKeys, new_key, sealed_by
from services.host.backup.sqlite import connect
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from tests.e2e.test_backup import served_again
from tests.support.marketplace import Marketplace, create
from tests.support.prepared import Prepared
from tests.support.process import said
from tests.support.sealing import SEALING
from waybill.directory.v1 import key_service_pb2
from waybill.directory.v1 import token_service_pb2 as pb
from waybill.directory.v1.key_service_pb2_grpc import KeyServiceStub
from waybill_client import AsyncWaybill
from waybill_client.errors import from_rpc_error

OTHER = new_key()


async def waybill(command: str, archive: Path, data: Path, url: str, *options: str, **variables: str) -> tuple[int, Any, str]:
    """Runs a command in a process of its own: exit code, output, parsed where it is JSON, and errors."""
    where = ["--database-url", url] if url else ["--data", str(data)]
    code, output, errors = await said(command, str(archive), *where, *options, environment=variables)
    return code, json.loads(output) if "--json" in options else output, errors


def nobody(tmp_path: Path, url: str) -> dict[str, str]:
    """The environment of a user who has no sealing key."""
    return {"WAYBILL_SEALING_KEY": ""} if url else {"XDG_CONFIG_HOME": str(tmp_path / "another-home")}


@pytest.mark.on_sqlite
async def test_a_backup_names_the_key_that_is_not_in_it_and_a_restore_with_that_key_goes_on(
    market: Marketplace, tmp_path: Path, other_database_url: str
) -> None:
    archive, data = tmp_path / "archive", tmp_path / "restored"
    await create(market.people.ada, "CART", anvil=1)
    code, made, _ = await waybill("backup", archive, tmp_path, market.database_url, "--json")
    manifest = json.loads((archive / "manifest.json").read_text())["contexts"]
    (fingerprint,) = made["sealing_keys"]
    assert (code, made["sealing_keys_in_archive"], made["unsealed_keys_in_archive"]) == (0, False, False)
    assert (manifest["directory"]["sealing_keys"], manifest["order"]["sealing_keys"]) == ([fingerprint], [])
    assert not market.database_url or fingerprint == SEALING.first
    files = [path for path in archive.rglob("*") if path.is_file()]
    contents = [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in files]
    assert any(f"sealed1:{fingerprint}:".encode() in content for content in contents)
    assert not [content for content in contents if b"PRIVATE KEY" in content]
    code, text, _ = await waybill("backup", tmp_path / "second", tmp_path, market.database_url)
    assert f"Not in it, and needed by a restore: the sealing key {fingerprint}." in text
    code, restored, _ = await waybill("restore", archive, data, other_database_url, "--json")
    assert (code, restored["sealing_keys"], restored["new_keys"]) == (0, [fingerprint], False)
    before = await market.people.owner.keys.ListKeys(key_service_pb2.ListKeysRequest())
    async with served_again(market, data, other_database_url) as again:
        assert await again.people.owner.keys.ListKeys(key_service_pb2.ListKeysRequest()) == before


@pytest.mark.on_sqlite
async def test_a_restore_without_the_key_or_with_another_one_is_refused_and_loads_nothing(
    market: Marketplace, tmp_path: Path, other_database_url: str
) -> None:
    archive, data = tmp_path / "archive", tmp_path / "restored"
    _, made, _ = await waybill("backup", archive, tmp_path, market.database_url, "--json")
    (fingerprint,) = made["sealing_keys"]
    without = nobody(tmp_path, other_database_url)
    wrong = {**without, "WAYBILL_SEALING_KEY": OTHER}
    for variables, given in ((without, "none"), (wrong, SealingKeys.read(OTHER).first)):
        code, answer, _ = await waybill("restore", archive, data, other_database_url, "--json", **variables)
        assert (code, answer["error"]["reason"]) == (2, "SEALING_KEY_MISMATCH")
        assert answer["error"]["metadata"] == {"wanted": fingerprint, "given": given}
        assert "--new-keys" in answer["error"]["message"]
    assert not list(data.glob("*.sqlite3"))
    code, answer, _ = await waybill("restore", archive, data, other_database_url, "--json")
    assert code == 0, answer


@pytest.mark.on_sqlite
async def test_when_the_key_is_lost_a_restore_drops_the_keys_and_everyone_signs_in_again(
    market: Marketplace, tmp_path: Path, other_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, data = tmp_path / "archive", tmp_path / "restored"
    await create(market.people.ada, "CART", anvil=1)
    await waybill("backup", archive, tmp_path, market.database_url)
    lost = nobody(tmp_path, other_database_url)
    code, text, errors = await waybill("restore", archive, data, other_database_url, "--new-keys", **lost)
    assert code == 0, errors
    assert "The keys of tokens were dropped; the next start makes one" in text
    before = {key.kid for key in (await market.people.owner.keys.ListKeys(key_service_pb2.ListKeysRequest())).keys}
    secret = market.secret.client_secret
    by_secret = pb.IssueTokenRequest(
        client_id="waybill-admin", client_secret=secret, client_credentials=pb.ClientCredentialsGrant()
    )
    former = (await market.people.owner.tokens.IssueToken(by_secret)).access_token
    if not other_database_url:
        monkeypatch.setenv("XDG_CONFIG_HOME", lost["XDG_CONFIG_HOME"])
    settings = HostSettings(
        data=data, database_url=other_database_url, sealing_key=OTHER if other_database_url else "", background=False
    )
    async with running(settings) as host, AsyncWaybill(host.address, "waybill-admin", secret) as owner:
        now = {key.kid for key in (await owner.keys.ListKeys(key_service_pb2.ListKeysRequest())).keys}
        assert (len(now), now & before) == (1, set())
        assert host.secret is None
        async with grpc.aio.insecure_channel(host.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await KeyServiceStub(channel).ListKeys(
                    key_service_pb2.ListKeysRequest(), metadata=(("authorization", f"Bearer {former}"),)
                )
        assert from_rpc_error(refused.value).reason == "TOKEN_INVALID"


async def test_an_archive_of_keys_that_lie_open_says_so_and_the_next_start_seals_them(
    prepared_files: Prepared, tmp_path: Path
) -> None:
    """As that of an older build, or of a database that was migrated and not served yet."""
    archive, data, file = tmp_path / "archive", tmp_path / "restored", "directory.sqlite3"
    with closing(connect(tmp_path / file)) as database:
        database.execute("UPDATE signing_keys SET private_pem = ?", [new_private_key()])
    code, text, _ = await waybill("backup", archive, tmp_path, "")
    assert (code, "In it, not sealed, and to be kept as they are: keys that sign users' tokens." in text) == (0, True)
    code, answer, _ = await waybill("restore", archive, data, "", "--json", **nobody(tmp_path, ""))
    assert (code, answer["sealing_keys"], answer["unsealed_keys_in_archive"]) == (0, [], True)
    async with running(HostSettings(data=data, background=False)):
        pass
    with closing(connect(data / file)) as database:
        ((half,),) = database.execute("SELECT private_pem FROM signing_keys").fetchall()
    assert sealed_by(half)
