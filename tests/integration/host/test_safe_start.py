"""What a process refuses to start with, and what it leaves for others to see."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.host.process.embedded import running
from services.host.process.lock import MIGRATING, InUse, alone
from services.host.process.settings import HostSettings
from tests.support.certificates import Authority
from tests.support.process import said
from tests.support.sealing import SEALING_KEY

SERVE = ("serve", "--bind", "127.0.0.1:0", "--data")


@pytest.fixture
def open_handed() -> Iterator[None]:
    """A umask that hides nothing."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Permissions by name; the folder's own under the empty one."""
    return {"": stat.S_IMODE(folder.stat().st_mode)} | {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")
    }


def readable_by_others(folder: Path) -> dict[str, str]:
    return {name: oct(mode) for name, mode in modes(folder).items() if mode & 0o077}


async def test_no_file_of_a_marketplace_is_open_to_others_whatever_the_umask(open_handed: None, tmp_path: Path) -> None:
    data, archive, restored = tmp_path / "deep" / "data", tmp_path / "archive", tmp_path / "restored"
    archive.mkdir(mode=0o755)
    async with running(HostSettings(data=data, background=False)):
        assert {"service.secret", "order.sqlite3", "order.sqlite3-wal", "order.sqlite3-shm"} <= modes(data).keys()
        assert readable_by_others(data) == {}
        assert (await said("backup", str(archive), "--data", str(data)))[0] == 0
    assert (await said("restore", str(archive), "--data", str(restored)))[0] == 0
    assert [readable_by_others(folder) for folder in (data, archive, restored)] == [{}, {}, {}]


async def test_a_start_closes_what_an_older_build_left_open(tmp_path: Path) -> None:
    async with running(HostSettings(data=tmp_path, background=False)):
        pass
    for path in (tmp_path, *tmp_path.iterdir()):
        path.chmod(0o777 if path.is_dir() else 0o666)
    async with running(HostSettings(data=tmp_path, background=False)):
        assert readable_by_others(tmp_path) == {}


async def test_a_second_server_of_the_same_files_learns_who_has_them(tmp_path: Path) -> None:
    async with running(HostSettings(data=tmp_path, sealing_key=SEALING_KEY, background=False)):
        with pytest.raises(InUse, match=rf"directory\.sqlite3 is in use by process {os.getpid()} since 20"):
            async with running(HostSettings(data=tmp_path, only="directory", sealing_key=SEALING_KEY)):
                pass
        code, _, errors = await said(*SERVE, str(tmp_path))
        assert (code, len(errors.splitlines())) == (1, 1)
        code, output, _ = await said("restore", str(tmp_path), "--data", str(tmp_path), "--json")
        assert (code, "ARCHIVE_INVALID" in output) == (2, True)
    async with running(HostSettings(data=tmp_path, only="directory", sealing_key=SEALING_KEY)):
        pass


async def test_a_process_that_migrates_is_waited_for_longer_than_others(tmp_path: Path) -> None:
    host = HostSettings(data=tmp_path)

    async def enter() -> None:
        async with alone(host, ["order"], patience=0.05):
            pass

    async with alone(host, ["order"]):
        with pytest.raises(InUse):
            await enter()
    async with alone(host, ["order"], does=MIGRATING):
        waiting = asyncio.create_task(enter())
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done
    await waiting


async def test_services_of_one_folder_in_processes_of_their_own_do_not_exclude_each_other(tmp_path: Path) -> None:
    shared = HostSettings(data=tmp_path, only="catalog", background=False, drain_seconds=0)
    async with running(shared), running(HostSettings(data=tmp_path, only="pricing", background=False, drain_seconds=0)):
        pass


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--tls-certificate", "{cert}"), "--tls-certificate is given without --tls-key"),
        (("--tls-key", "{key}"), "--tls-key is given without --tls-certificate"),
        (("--tls-certificate", "{none}", "--tls-key", "{key}"), "cannot be read: No such file or directory"),
        (("--tls-certificate", "{cert}", "--tls-key", "{none}"), "cannot be read: No such file or directory"),
        (("--tls-certificate", "{key}", "--tls-key", "{key}"), "is no certificate in PEM"),
        (("--tls-certificate", "{cert}", "--tls-key", "{cert}"), "is no private key in PEM"),
        (("--tls-certificate", "{cert}", "--tls-key", "{other}"), "does not belong to the certificate"),
    ],
)
async def test_a_certificate_that_cannot_be_shown_keeps_a_server_from_starting(
    tmp_path: Path, options: tuple[str, ...], text: str
) -> None:
    cert, key = Authority(tmp_path).certificate("server")
    (tmp_path / "another").mkdir()
    names = {
        "cert": cert,
        "key": key,
        "other": Authority(tmp_path / "another").certificate("server")[1],
        "none": tmp_path / "none.pem",
    }
    given = [option.format(**names) for option in options]
    code, _, errors = await said(*SERVE, str(tmp_path / "data"), *given)
    assert (code, len(errors.splitlines())) == (2, 1), errors
    assert text in errors


async def test_authorities_that_are_none_keep_a_service_from_starting(tmp_path: Path) -> None:
    variables = {"WAYBILL_TLS_CA": str(tmp_path / "none.pem")}
    code, _, errors = await said(*SERVE, str(tmp_path / "data"), "--only", "directory", environment=variables)
    assert (code, "the TLS authority" in errors) == (2, True), errors


@pytest.mark.parametrize(("secret", "text"), [("", "WAYBILL_SERVICE_SECRET is missing"), ("a" * 48, "can be guessed")])
async def test_a_database_for_many_processes_wants_a_secret_that_is_one(secret: str, text: str, tmp_path: Path) -> None:
    variables = {"WAYBILL_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "WAYBILL_SERVICE_SECRET": secret}
    code, _, errors = await said(*SERVE, str(tmp_path), environment=variables)
    assert (code, len(errors.splitlines())) == (2, 1), errors
    assert text in errors


async def test_a_secret_in_a_file_that_can_be_guessed_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "service.secret").write_text("short")
    code, _, errors = await said(*SERVE, str(tmp_path), environment={"WAYBILL_SERVICE_SECRET": ""})
    assert (code, "service.secret can be guessed" in errors) == (2, True), errors
