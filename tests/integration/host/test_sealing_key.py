"""The key that seals the keys of tokens: where it is kept, what a start refuses, and what a thief of the data has."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest

from libs.auth import KeySet, TokenSigner, TokenVerifier
from libs.auth.keys import jwk_of, new_private_key, private_key, public_jwk
from libs.errors import WaybillError
from libs.sealing import MARK, SealingKeys, new_key, sealed_by
from services.directory.application.bootstrap import OneTimeSecret
from services.host.process.embedded import Host, running
from services.host.process.keys.sealing_keys import SealingKeyError, sealing_keys
from services.host.process.settings import HostSettings
from tests.support.principals import seller
from tests.support.process import said
from waybill.directory.v1 import token_service_pb2 as pb
from waybill_client import AsyncWaybill

SERVE = ("serve", "--bind", "127.0.0.1:0", "--data")


@pytest.fixture
def config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration folder, empty; returns where the sealing keys are to be."""
    home = tmp_path_factory.mktemp("home") / "config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    return home / "waybill" / "sealing-keys"


@pytest.fixture
def open_handed() -> Iterator[None]:
    """A umask that hides nothing."""
    before = os.umask(0)
    yield
    os.umask(before)


async def token_of(data: Path, **settings: Any) -> str:
    """Starts, and signs the owner in where this start has made the marketplace."""
    async with running(HostSettings(data=data, background=False, **settings)) as host:
        if host.secret is None:
            return ""
        return await issued(host, host.secret)


async def issued(host: Host, secret: OneTimeSecret) -> str:
    """A token of the owner."""
    grant = pb.ClientCredentialsGrant()
    request = pb.IssueTokenRequest(client_id=secret.client_id, client_secret=secret.client_secret, client_credentials=grant)
    async with AsyncWaybill(host.address, secret.client_id, secret.client_secret) as owner:
        return (await owner.tokens.IssueToken(request)).access_token


def stored(data: Path) -> dict[str, str]:
    """The private halves by the names of their keys."""
    with closing(sqlite3.connect(data / "directory.sqlite3")) as database:
        return dict(database.execute("SELECT kid, private_pem FROM signing_keys").fetchall())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def refusal(data: Path, *options: str, **variables: str) -> str:
    """The one line with which a start is refused, for good."""
    code, output, errors = await said(*SERVE, str(data), *options, environment=variables)
    assert (code, output, len(errors.splitlines())) == (2, "", 1), errors
    return errors


async def test_the_first_start_keeps_a_key_for_its_owner_alone_and_apart_from_the_data(
    open_handed: None, config: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    await token_of(data)
    (kept,) = config.iterdir()
    assert (mode(kept), mode(config), mode(config.parent)) == (0o600, 0o700, 0o700)
    keys = SealingKeys.read(kept.read_text())
    assert kept.name == f"{keys.first}.key"
    assert {sealed_by(half) for half in stored(data).values()} == {keys.first}
    await token_of(data)
    await token_of(tmp_path / "another")
    assert len(list(config.iterdir())) == 2
    moved = tmp_path / "moved"
    data.rename(moved)
    await token_of(moved)
    assert len(list(config.iterdir())) == 2


def test_starts_at_the_same_time_each_find_a_whole_key_of_their_own(config: Path, tmp_path: Path) -> None:
    def first_start(number: int) -> str:
        return sealing_keys(HostSettings(data=tmp_path / str(number)))(frozenset()).first

    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(first_start, range(16)))
    assert {path.name for path in config.iterdir()} == {f"{one}.key" for one in made}
    assert len(made) == 16
    assert set(sealing_keys(HostSettings(data=tmp_path))(frozenset(made)).fingerprints) == made


async def test_a_stolen_data_folder_has_no_private_key_and_signs_no_token_that_holds(config: Path, tmp_path: Path) -> None:
    data, stolen = tmp_path / "data", tmp_path / "stolen"
    token = await token_of(data)
    shutil.copytree(data, stolen)
    shutil.rmtree(config)
    with closing(sqlite3.connect(stolen / "directory.sqlite3")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        values = [str(value) for table in tables for row in database.execute(f'SELECT * FROM "{table}"') for value in row]
        kid, half, modulus = database.execute("SELECT kid, private_pem, modulus FROM signing_keys").fetchone()
    assert not [value for value in values if "PRIVATE KEY" in value]
    assert not [path for path in stolen.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    for value in {*values, half.removeprefix(MARK)}:
        with pytest.raises((ValueError, TypeError)):
            private_key(value)

    async def fetch(_: str) -> KeySet:
        return KeySet([jwk_of(kid, modulus)])

    check = TokenVerifier(fetch)
    assert (await check.verify(token)).user_id == "owner"
    now = datetime.now(UTC)
    own = TokenSigner(new_private_key(), kid).issue(seller(), timedelta(hours=1), now)
    unsigned = jwt.encode(jwt.decode(token, options={"verify_signature": False}), None, "none", {"kid": kid})
    for forged in (own, unsigned, f"{own.rpartition('.')[0]}.{token.rpartition('.')[2]}"):
        with pytest.raises(WaybillError) as refused:
            await check.verify(forged)
        assert refused.value.reason == "TOKEN_INVALID"
    assert f"sealed by the sealing key {sealed_by(half)}, and" in await refusal(stolen)


async def test_no_byte_of_a_key_that_an_older_build_has_stored_is_left_in_the_data(config: Path, tmp_path: Path) -> None:
    await token_of(tmp_path)
    (kid,) = stored(tmp_path)
    former, pem = new_private_key(), new_private_key()
    with closing(sqlite3.connect(tmp_path / "directory.sqlite3", isolation_level=None)) as database:
        for half in (former, "", pem):
            database.execute("UPDATE signing_keys SET private_pem = ?", [half])
        modulus = public_jwk(private_key(pem).public_key(), kid)["n"]
        database.execute("UPDATE signing_keys SET modulus = ?", [modulus])
    assert pem.encode()[100:200] in (tmp_path / "directory.sqlite3").read_bytes()
    await token_of(tmp_path)
    content = b"".join(path.read_bytes() for path in tmp_path.glob("directory*"))
    assert not [line for half in (former, pem) for line in half.split("\n")[1:-2] if line.encode() in content]
    (again,) = stored(tmp_path).items()
    (kept,) = (path for path in config.iterdir() if path.name == f"{sealed_by(again[1])}.key")
    assert SealingKeys.read(kept.read_text()).open(again[1], f"signing key {kid}") == pem


async def test_a_kept_key_that_is_missing_open_to_others_or_another_one_is_refused(config: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    await token_of(data)
    before = stored(data)
    (kept,) = config.iterdir()
    fingerprint, text = kept.stem, kept.read_text()
    kept.chmod(0o640)
    assert f"the sealing key in {kept} can be read by others: chmod 600 {kept}" in await refusal(data)
    kept.chmod(0o600)
    other = new_key()
    kept.write_text(other)
    assert f"sealed by the sealing key {fingerprint}, and {kept} holds {SealingKeys.read(other).first}" in await refusal(data)
    kept.write_text("nonsense")
    assert f"the sealing key in {kept} is none: line 1 is" in await refusal(data)
    kept.unlink()
    assert f"sealed by the sealing key {fingerprint}, and {kept} does not exist" in await refusal(data)
    wrong = await refusal(data, WAYBILL_SEALING_KEY=other)
    assert f"sealed by the sealing key {fingerprint}, and given is {SealingKeys.read(other).first}:" in wrong
    assert stored(data) == before
    assert list(config.iterdir()) == []
    # Whoever has the key may also give it.
    await token_of(data, sealing_key=text)
    assert stored(data) == before


async def test_a_key_in_the_data_that_it_seals_is_refused(config: Path, tmp_path: Path) -> None:
    data, home = tmp_path / "data", tmp_path / "data" / "home"
    assert f"{home / 'waybill' / 'sealing-keys'} lies in {data}" in await refusal(data, XDG_CONFIG_HOME=str(home))
    file = data / "seal.key"
    assert (await said("sealing-key", "new", str(file)))[0] == 0
    (tmp_path / "link").symlink_to(data)
    for path in (file, tmp_path / "link" / "seal.key"):
        assert f"{path} lies in {data}" in await refusal(data, WAYBILL_SEALING_KEY_FILE=str(path))
    apart = {"WAYBILL_DIRECTORY_DATABASE_URL": f"sqlite:///{tmp_path / 'apart' / 'directory.sqlite3'}"}
    (tmp_path / "apart").mkdir()
    shutil.copy(file, tmp_path / "apart" / "seal.key")
    assert "lies in" in await refusal(data, WAYBILL_SEALING_KEY_FILE=str(tmp_path / "apart" / "seal.key"), **apart)
    assert not (data / "directory.sqlite3").exists()


async def test_a_configuration_folder_that_cannot_be_used_is_named(config: Path, tmp_path: Path) -> None:
    config.parent.parent.write_text("a file, not a folder")
    assert f"cannot be kept in {config}: " in await refusal(tmp_path / "data")


@pytest.mark.parametrize(
    ("text", "said_of_it"),
    [("short", "WAYBILL_SEALING_KEY is none: line 1 is not base64"), ("c2hvcnQ=", "line 1 is 5 bytes long, a key has 32")],
)
async def test_a_setting_that_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str, said_of_it: str) -> None:
    errors = await refusal(tmp_path, WAYBILL_SEALING_KEY=text)
    assert said_of_it in errors
    assert text not in errors


@pytest.mark.parametrize("options", [("--only", "directory"), ("--database-url", "postgresql://nobody@127.0.0.1:1/none")])
async def test_where_other_processes_may_serve_the_directory_its_key_has_to_be_given(
    tmp_path: Path, config: Path, options: tuple[str, ...]
) -> None:
    errors = await refusal(tmp_path / "data", *options, WAYBILL_SEALING_KEY="")
    assert "WAYBILL_SEALING_KEY_FILE is missing" in errors
    assert "waybill sealing-key new FILE" in errors
    assert not config.exists()


async def test_a_service_without_keys_of_tokens_needs_no_sealing_key(tmp_path: Path, config: Path) -> None:
    async with running(HostSettings(data=tmp_path / "data", only="catalog", background=False, drain_seconds=0)) as host:
        assert list(host.apps) == ["catalog"]
    assert not config.exists()


async def test_a_given_key_is_followed_by_another_through_a_file_of_both(tmp_path: Path, config: Path) -> None:
    data, files = tmp_path / "data", [tmp_path / "keys" / name for name in ("old", "new")]
    for file in files:
        code, output, _ = await said("sealing-key", "new", str(file), "--json")
        made = orjson.loads(output)
        assert (code, made) == (0, {"file": str(file), "fingerprint": SealingKeys.read(file.read_text()).first})
        assert mode(file) == 0o600
    old, new = (file.read_text() for file in files)
    await token_of(data, sealing_key=old)
    with pytest.raises(Exception, match="sealed by the sealing key"):
        await token_of(data, sealing_key=new)
    await token_of(data, sealing_key=new + old)
    assert {sealed_by(half) for half in stored(data).values()} == {SealingKeys.read(new).first}
    await token_of(data, sealing_key=new)
    assert not config.exists()


async def test_a_new_sealing_key_takes_no_others_place(tmp_path: Path) -> None:
    file = tmp_path / "seal.key"
    file.write_text("precious")
    code, output, _ = await said("sealing-key", "new", str(file), "--json")
    assert (code, orjson.loads(output)["error"]["reason"]) == (2, "KEY_EXISTS")
    assert file.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["seal.key"]


async def test_when_the_key_is_lost_the_keys_of_tokens_are_dropped_and_a_start_makes_new_ones(
    config: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    lost = ("sealing-key", "lost", "--data", str(data), "--json")
    code, output, _ = await said(*lost)
    assert (code, orjson.loads(output)["error"]["reason"]) == (2, "MARKETPLACE_MISSING")
    async with running(HostSettings(data=data, background=False)) as host:
        assert host.secret is not None
        secret = host.secret
        code, output, _ = await said(*lost)
        assert orjson.loads(output)["error"]["reason"] == "DATABASE_IN_USE"
    before = stored(data)
    shutil.rmtree(config)
    with pytest.raises(SealingKeyError, match="`waybill sealing-key lost`"):
        await token_of(data)
    code, output, _ = await said(*lost)
    assert (code, orjson.loads(output)) == (0, {"dropped": 1})
    async with running(HostSettings(data=data, background=False)) as host:
        kid = jwt.get_unverified_header(await issued(host, secret))["kid"]
    assert stored(data).keys() == {kid} != before.keys()


async def test_the_demo_leaves_no_key_behind(config: Path) -> None:
    code, output, errors = await said("demo", "--json")
    assert code == 0, errors or output
    assert not config.exists()


async def test_a_start_that_fails_later_has_changed_no_key(config: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running(HostSettings(data=data, background=False)):
        starts = [token_of(data) for _ in range(2)]
        assert all(isinstance(e, Exception) for e in await asyncio.gather(*starts, return_exceptions=True))
    assert len(list(config.iterdir())) == 1
