"""What a process signs its calls with, and whom it lets in where services are served."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from typer.testing import CliRunner

from libs.auth import KeyPairs, ServiceTokens, SharedSecret, TokenVerifier
from libs.rpc.peers import Peers
from libs.rpc.server import RpcServer
from services.host.cli import app
from services.host.contexts import CONTEXTS
from services.host.process.keys.service_keys import service_keys
from services.host.process.settings import HostSettings, SecretError
from services.host.process.tls import TlsError, authority, inner_credentials
from services.roles import ALL_ROLES
from tests.support.certificates import Authority
from tests.support.echo import EchoStub, echo_app, text
from tests.support.server import SERVICE_TOKENS, key_set

SECRET = "a-secret-that-is-shared-by-all-services"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pairs of keys of all services."""
    for context in CONTEXTS:
        assert CliRunner().invoke(app, ["service-keys", "new", context, "--folder", str(tmp_path)]).exit_code == 0
    return tmp_path


def order(folder: Path) -> HostSettings:
    return HostSettings(
        only="order", service_key=folder / "private" / "order.pem", service_public_keys=folder / "public", data=folder / "data"
    )


def test_a_process_signs_with_the_pair_of_its_service(folder: Path) -> None:
    mine, theirs = (
        order(folder),
        HostSettings(only="payment", service_key=folder / "private" / "payment.pem", service_public_keys=folder / "public"),
    )
    token = ServiceTokens(service_keys(mine)).issue("order", None, "payment")
    assert isinstance(service_keys(theirs), KeyPairs)
    assert ServiceTokens(service_keys(theirs)).verify(token, "payment") == ("order", None)
    mine.require_secret()
    assert not (folder / "data").exists()


def test_without_a_pair_a_secret_is_shared(folder: Path) -> None:
    assert isinstance(service_keys(HostSettings(only="order", service_secret=SECRET)), SharedSecret)


def test_a_pair_is_made_once_and_only_its_owner_reads_the_private_key(folder: Path) -> None:
    private = folder / "private" / "order.pem"
    assert private.stat().st_mode & 0o077 == 0
    before = private.read_text()
    again = CliRunner().invoke(app, ["service-keys", "new", "order", "--folder", str(folder), "--json"])
    assert (again.exit_code, json.loads(again.stdout)["error"]["reason"]) == (2, "KEY_EXISTS")
    assert private.read_text() == before
    other = CliRunner().invoke(app, ["service-keys", "new", "order", "--folder", str(folder / "next"), "--json"])
    assert json.loads(other.stdout)["private"] == str(folder / "next" / "private" / "order.pem")
    assert CliRunner().invoke(app, ["service-keys", "new", "nothing", "--folder", str(folder)]).exit_code == 2


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda f: {"service_secret": SECRET}, "one of them is to be taken away"),
        (lambda f: {"only": ""}, "one of all of them calls itself"),
        (lambda f: {"service_key": None}, "belong together: one of them is missing"),
        (lambda f: {"service_public_keys": None}, "belong together: one of them is missing"),
        (lambda f: {"service_key": f / "private" / "pricing.pem"}, "belongs to none of the public keys of order"),
        (lambda f: {"service_key": f / "none.pem"}, "cannot be read: No such file or directory"),
        (lambda f: {"service_key": f / "public" / "order.pem"}, "it is no private key in PEM"),
        (lambda f: {"service_public_keys": f / "private"}, "it is no public key in PEM"),
        (lambda f: {"service_public_keys": f}, "directory.pem cannot be read: No such file or directory"),
    ],
)
def test_keys_that_do_not_fit_keep_a_process_from_starting(
    folder: Path, spoil: Callable[[Path], dict[str, object]], why: str
) -> None:
    given = {"only": "order", "service_key": folder / "private" / "order.pem", "service_public_keys": folder / "public"}
    with pytest.raises(SecretError, match=why):
        service_keys(HostSettings(**{**given, **spoil(folder)}))  # type: ignore[arg-type]


def mutual(folder: Path, trusted: Authority, name: str = "service", by: Authority | None = None) -> HostSettings:
    """Settings of a service whose certificate `by` vouches for; the others' are those that `trusted` vouches for."""
    certificate, key = (by or trusted).certificate(name)
    return HostSettings(
        only="order", service_tls_ca=trusted.file, service_tls_certificate=certificate, service_tls_key=key, data=folder
    )


async def echoed(address: str, credentials: grpc.ChannelCredentials | None) -> str:
    """An answer of the listener for services, or the code without one."""
    peers = Peers("order", SERVICE_TOKENS, {"echo": address}, credentials)
    try:
        metadata, _ = peers.outgoing("echo", None)
        return str((await EchoStub(peers.channel(address)).Echo(text("x"), metadata=metadata, timeout=10)).value)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    finally:
        await peers.close()


async def test_a_service_without_a_certificate_that_is_vouched_for_is_not_let_in(tmp_path: Path) -> None:
    ours, foreign = Authority(tmp_path, "ours"), Authority(tmp_path, "foreign")
    host = mutual(tmp_path, ours)
    server = RpcServer([echo_app()], TokenVerifier(key_set), SERVICE_TOKENS, ALL_ROLES, inner_credentials=inner_credentials(host))
    await server.start("127.0.0.1:0")
    address = f"127.0.0.1:{server.inner_port}"
    try:
        assert await echoed(address, authority(host)) == "x"
        assert await echoed(address, authority(mutual(tmp_path, ours, "another"))) == "x"
        bare = HostSettings(only="order", tls_ca=ours.file)
        assert await echoed(address, authority(bare)) == "UNAVAILABLE"
        assert await echoed(address, authority(mutual(tmp_path, ours, "stranger", by=foreign))) == "UNAVAILABLE"
        assert await echoed(address, authority(mutual(tmp_path, foreign, "doubter", by=ours))) == "UNAVAILABLE"
        assert await echoed(address, None) == "UNAVAILABLE"
    finally:
        await server.stop(grace=0.1)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ({"service_tls_ca": None}, "belong together: one of them is missing"),
        ({"service_tls_key": None}, "belong together: one of them is missing"),
        ({"only": ""}, "one of all of them calls itself"),
        ({"tls_ca": Path("ca.pem")}, "the latter vouches for every service"),
        ({"service_tls_ca": Path("none.pem")}, "the TLS authority none.pem cannot be read"),
    ],
)
def test_certificates_that_do_not_fit_keep_a_process_from_starting(tmp_path: Path, spoil: dict[str, object], why: str) -> None:
    ours = Authority(tmp_path)
    certificate, key = ours.certificate("service")
    given = {"only": "order", "service_tls_ca": ours.file, "service_tls_certificate": certificate, "service_tls_key": key}
    settings = HostSettings(**{**given, **spoil})  # type: ignore[arg-type]
    for made in (inner_credentials, authority):
        with pytest.raises(TlsError, match=why):
            made(settings)
