"""TLS: outside callers need it, and so do services of other processes when a setting says whom to trust."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.host.check import check
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, SHOP, set_up
from tests.support.fleet import fleet
from waybill.order.v1 import order_pb2
from waybill_client import AsyncWaybill, WaybillError


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of the loopback that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "waybill")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


async def test_one_process_serves_tls_outside_and_calls_itself_within(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    trust = grpc.ssl_channel_credentials(cert.read_bytes())
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
    cert, key = certificate(tmp_path)
    trust = grpc.ssl_channel_credentials(cert.read_bytes())
    environment = {"WAYBILL_TLS_CERTIFICATE": str(cert), "WAYBILL_TLS_KEY": str(key), "WAYBILL_TLS_CA": str(cert)}
    async with fleet(cluster_database, tmp_path / "logs", environment=environment) as running_fleet:
        addresses = running_fleet.addresses
        async with (
            AsyncWaybill("", "waybill-admin", running_fleet.client_secret, addresses=addresses, credentials=trust) as owner,
            AsyncWaybill("", SHOP, username="ada", password=PASSWORD, addresses=addresses, credentials=trust) as ada,
        ):
            await set_up(owner)
            assert (await ada.place_order({"anvil": 1}, id="TLS")).status == order_pb2.ORDER_STATUS_OPEN
            assert (await check(owner, list(addresses.values()))).ok
