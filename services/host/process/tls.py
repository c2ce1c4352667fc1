"""The certificates of a process. What is wrong with them is reported before anything is served."""

from __future__ import annotations

from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from libs.service.startup import StartupError
from services.host.process.settings import HostSettings


class TlsError(StartupError):
    """TLS is asked for and cannot be used."""

    exit_code = 2
    reason = "TLS_INVALID"


def server_credentials(host: HostSettings) -> grpc.ServerCredentials | None:
    """What the process shows to its callers; None when no certificate is set. Raises `TlsError`."""
    if host.tls_certificate is None and host.tls_key is None:
        return None
    if host.tls_certificate is None:
        raise TlsError("--tls-key is given without --tls-certificate")
    if host.tls_key is None:
        raise TlsError("--tls-certificate is given without --tls-key")
    certificate, key = _read(host.tls_certificate, "certificate"), _read(host.tls_key, "key")
    _require_pair(_certificates(host.tls_certificate, certificate)[0], host.tls_key, key)
    return grpc.ssl_server_credentials([(key, certificate)])


def authority(host: HostSettings) -> grpc.ChannelCredentials | None:
    """Whom the process believes when it calls other services; None for calls in the clear. Raises `TlsError`."""
    # A process that hosts everything calls itself, within the machine.
    if host.tls_ca is None or not host.only:
        return None
    trusted = _read(host.tls_ca, "authority")
    _certificates(host.tls_ca, trusted)
    return grpc.ssl_channel_credentials(trusted)


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(f"the TLS {what} {path} cannot be read: {error.strerror}") from None


def _certificates(path: Path, content: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise TlsError(f"{path} is no certificate in PEM") from None


def _require_pair(certificate: x509.Certificate, path: Path, content: bytes) -> None:
    try:
        public = load_pem_private_key(content, None).public_key()
    except TypeError:
        raise TlsError(f"the TLS key {path} is encrypted, and nobody is there to type its password") from None
    except ValueError:
        raise TlsError(f"{path} is no private key in PEM") from None
    shown = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*shown) != certificate.public_key().public_bytes(*shown):
        raise TlsError(f"the TLS key {path} does not belong to the certificate")
