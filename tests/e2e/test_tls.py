"""TLS: outside callers need it, and so do services of other processes when a setting says whom to trust."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from typer.testing import CliRunner

from services.host.check import check
from services.host.cli import app
from services.host.contexts import CONTEXTS
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, SHOP, set_up
from tests.support.certificates import Authority
from tests.support.fleet import fleet
from waybill.order.v1 import order_pb2
from waybill_client import AsyncWaybill, WaybillError


async def test_one_process_serves_tls_outside_and_calls_itself_within(tmp_path: Path) -> None:
    ours = Authority(tmp_path)
    cert, key = ours.certificate("server")
    trust = grpc.ssl_channel_credentials(ours.file.read_bytes())
    async with running(HostSettings(data=tmp_path / "data", tls_certificate=cert, tls_key=key)) as host:
        assert host.secret is not None
        async with AsyncWaybill(host.address, host.secret.client_id, host.secret.client_secret, credentials=trust) as owner:
            await set_up(owner)
            async with AsyncWaybill(host.address, SHOP, username="ada", password=PASSWORD, credentials=trust) as ada:
                assert (await ada.place_order({"anvil": 1}, id="TLS")).status == order_pb2.ORDER_STATUS_OPEN
            assert (await check(owner)).ok
        async with AsyncWaybill(host.address, SHOP, username="ada", password=PASSWORD) as plain:
            with pytest.raises(WaybillError) as refused:
                await plain.place_order({"anvil": 1})
            assert refused.value.code is grpc.StatusCode.UNAVAILABLE


async def test_services_of_their_own_processes_call_each_other_over_tls(tmp_path: Path, cluster_database: str) -> None:
    ours = Authority(tmp_path)
    cert, key = ours.certificate("server")
    trust = grpc.ssl_channel_credentials(ours.file.read_bytes())
    environment = {"WAYBILL_TLS_CERTIFICATE": str(cert), "WAYBILL_TLS_KEY": str(key), "WAYBILL_TLS_CA": str(ours.file)}
    async with fleet(cluster_database, tmp_path / "logs", environment=environment) as running_fleet:
        addresses = running_fleet.addresses
        async with (
            AsyncWaybill("", "waybill-admin", running_fleet.client_secret, addresses=addresses, credentials=trust) as owner,
            AsyncWaybill("", SHOP, username="ada", password=PASSWORD, addresses=addresses, credentials=trust) as ada,
        ):
            await set_up(owner)
            assert (await ada.place_order({"anvil": 1}, id="TLS")).status == order_pb2.ORDER_STATUS_OPEN
            assert (await check(owner, list(addresses.values()))).ok


async def test_services_with_keys_and_certificates_of_their_own_share_no_secret(tmp_path: Path, cluster_database: str) -> None:
    ours = Authority(tmp_path)
    for context in CONTEXTS:
        ours.certificate(context)
        assert CliRunner().invoke(app, ["service-keys", "new", context, "--folder", str(tmp_path / "keys")]).exit_code == 0
    environment = {
        "WAYBILL_SERVICE_SECRET": "",
        "WAYBILL_SERVICE_KEY": str(tmp_path / "keys" / "private" / "{context}.pem"),
        "WAYBILL_SERVICE_PUBLIC_KEYS": str(tmp_path / "keys" / "public"),
        "WAYBILL_SERVICE_TLS_CA": str(ours.file),
        "WAYBILL_SERVICE_TLS_CERTIFICATE": str(tmp_path / "{context}.pem"),
        "WAYBILL_SERVICE_TLS_KEY": str(tmp_path / "{context}.key"),
    }
    async with fleet(cluster_database, tmp_path / "logs", environment=environment) as running_fleet:
        addresses = running_fleet.addresses
        async with (
            AsyncWaybill("", "waybill-admin", running_fleet.client_secret, addresses=addresses) as owner,
            AsyncWaybill("", SHOP, username="ada", password=PASSWORD, addresses=addresses) as ada,
        ):
            await set_up(owner)
            assert (await ada.place_order({"anvil": 1}, id="TLS")).status == order_pb2.ORDER_STATUS_OPEN
            assert (await check(owner, list(addresses.values()))).ok
