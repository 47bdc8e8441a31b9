"""The certificate that both ports show, and whose clients' certificates they take; renewed while the server runs."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from trackwire_server.core.errors import InvalidArgument

CERTIFICATE, KEY, CLIENT_CA = "--tls-cert", "--tls-key", "--tls-client-ca"
_BAD = "BAD_TLS_FILE"
# Either side has its say twice at the most.
_TURNS_MAX = 8


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the certificate lies, its key, and those that must vouch for clients; None: these need no certificate."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class Tls:
    """What the ports need to speak TLS. `renew` reads certificate and key anew; clients' authorities stay."""

    def __init__(self, files: TlsFiles):
        """Raises InvalidArgument by the flag that named a bad file."""
        self._files = files
        self._client_ca = None if files.client_ca is None else _authorities(files.client_ca)
        self._shown = _checked(files)
        self.context = _context(files)
        self.context.set_alpn_protocols(["http/1.1"])
        if files.client_ca is not None:
            self.context.load_verify_locations(files.client_ca)
            self.context.verify_mode = ssl.CERT_REQUIRED

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that may be renewed."""
        return self._files.certificate, self._files.key

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """For the gRPC port, which asks before each handshake what to show."""
        return grpc.dynamic_ssl_server_credentials(
            self._configuration(), self._configuration, self._client_ca is not None
        )

    async def renew(self) -> None:
        """Shows from now on what the files hold. Raises InvalidArgument, and goes on as before then."""
        self._shown = await asyncio.to_thread(_checked, self._files)
        # In the loop, where handshakes are made: two small files, once a renewal.
        _load(self.context, self._files)

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration([self._shown], root_certificates=self._client_ca)


def _checked(files: TlsFiles) -> tuple[bytes, bytes]:
    """Key and certificates, as gRPC wants them, once it is sure that clients can take them."""
    certificate, key = _read(CERTIFICATE, files.certificate), _read(KEY, files.key)
    if b"ENCRYPTED" in key:
        raise _bad(KEY, files.key, "is encrypted: give a key without a passphrase")
    _shake_hands(_context(files), files)
    return key, certificate


def _authorities(path: Path) -> bytes:
    text = _read(CLIENT_CA, path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(path)
    except ssl.SSLError as error:
        raise _bad(CLIENT_CA, path, "holds no certificates in PEM") from error
    return text


def _read(flag: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _bad(flag, path, f"can't be read: {error.strerror}") from error


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, files)
    return context


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    try:
        context.load_cert_chain(files.certificate, files.key)
    except ssl.SSLError as error:
        raise _why_not_loaded(files, error) from error
    except OSError as error:
        raise _bad(CERTIFICATE, files.certificate, f"or its key can't be read: {error.strerror}") from error


def _why_not_loaded(files: TlsFiles, error: ssl.SSLError) -> InvalidArgument:
    if error.reason == "KEY_VALUES_MISMATCH":
        return _bad(KEY, files.key, f"is not the key of the certificate {files.certificate}")
    if not _holds_certificate(files.certificate):
        return _bad(CERTIFICATE, files.certificate, "holds no certificate in PEM")
    if b"PRIVATE KEY-----" not in _read(KEY, files.key):
        return _bad(KEY, files.key, "holds no private key in PEM")
    return _bad(CERTIFICATE, files.certificate, f"can't be used with the key {files.key}: {error.reason or error}")


def _holds_certificate(path: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (ssl.SSLError, OSError):
        return False
    return True


def _shake_hands(server: ssl.SSLContext, files: TlsFiles) -> None:
    """Meets a client that trusts this certificate and checks all else: what it refuses, all would."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(files.certificate)
    # So the certificate itself is enough, whoever has signed it.
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True))
    for turn in range(_TURNS_MAX):
        try:
            sides[turn % 2].do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as error:
            raise _bad(
                CERTIFICATE, files.certificate, f"would be refused by clients: {error.verify_message}"
            ) from error


def _bad(flag: str, path: Path, expected: str) -> InvalidArgument:
    return InvalidArgument(flag, str(path), expected, reason=_BAD)
