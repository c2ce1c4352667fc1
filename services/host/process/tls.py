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
    """What the process shows to outside callers; None when no certificate is set. Raises `TlsError`."""
    if host.tls_certificate is None and host.tls_key is None:
        return None
    if host.tls_certificate is None:
        raise TlsError("--tls-key is given without --tls-certificate")
    if host.tls_key is None:
        raise TlsError("--tls-certificate is given without --tls-key")
    return grpc.ssl_server_credentials([_pair(host.tls_certificate, host.tls_key)])


def inner_credentials(host: HostSettings) -> grpc.ServerCredentials | None:
    """What it shows to services, and whether it asks them for a certificate of theirs; None in the clear. Raises `TlsError`."""
    mutual = _mutual(host)
    if mutual is not None:
        trusted, key, certificate = mutual
        return grpc.ssl_server_credentials([(key, certificate)], trusted, require_client_auth=True)
    # A process that hosts everything calls itself, within the machine.
    return server_credentials(host) if host.only else None


def authority(host: HostSettings) -> grpc.ChannelCredentials | None:
    """Whom the process believes when it calls other services, and what it shows them; None in the clear. Raises `TlsError`."""
    mutual = _mutual(host)
    if mutual is not None:
        return grpc.ssl_channel_credentials(*mutual)
    if host.tls_ca is None or not host.only:
        return None
    return grpc.ssl_channel_credentials(_trusted(host.tls_ca))


def _mutual(host: HostSettings) -> tuple[bytes, bytes, bytes] | None:
    """Who vouches for services, key and certificate of this one; None when services show each other no certificates."""
    given = (host.service_tls_ca, host.service_tls_key, host.service_tls_certificate)
    ca, key, certificate = given
    if given == (None, None, None):
        return None
    if ca is None or key is None or certificate is None:
        names = "WAYBILL_SERVICE_TLS_CA, WAYBILL_SERVICE_TLS_CERTIFICATE and WAYBILL_SERVICE_TLS_KEY"
        raise TlsError(f"{names} belong together: one of them is missing")
    if not host.only:
        raise TlsError("WAYBILL_SERVICE_TLS_CA is for a process of one service (--only); one of all of them calls itself")
    if host.tls_ca is not None:
        raise TlsError("WAYBILL_TLS_CA is given beside WAYBILL_SERVICE_TLS_CA: the latter vouches for every service")
    return _trusted(ca), *_pair(certificate, key)


def _trusted(path: Path) -> bytes:
    content = _read(path, "authority")
    _certificates(path, content)
    return content


def _pair(certificate: Path, key: Path) -> tuple[bytes, bytes]:
    """Key and certificate, which belong together."""
    shown, kept = _read(certificate, "certificate"), _read(key, "key")
    _require_pair(_certificates(certificate, shown)[0], key, kept)
    return kept, shown


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
