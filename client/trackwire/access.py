"""What the environment says of who calls, and whom to trust: tokens, and files of certificates. Loads no gRPC.

Trackwire's variables go before MLflow's. No message shows a token; what leaves this module for a file is a fingerprint.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from trackwire.address import TLS_SCHEME, is_loopback
from trackwire.errors import FailedPreconditionError, InvalidArgumentError

TOKEN_VARIABLES = ("TRACKWIRE_TOKEN", "MLFLOW_TRACKING_TOKEN")
USER_VARIABLE, PASSWORD_VARIABLE = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
IN_CLEAR_VARIABLE = "TRACKWIRE_ALLOW_PLAINTEXT_TOKEN"
CA_VARIABLES = ("TRACKWIRE_CA_CERT", "MLFLOW_TRACKING_SERVER_CERT_PATH")
CERTIFICATE_VARIABLES = ("TRACKWIRE_CLIENT_CERT", "MLFLOW_TRACKING_CLIENT_CERT_PATH")
KEY_VARIABLE = "TRACKWIRE_CLIENT_KEY"
_ALL = (
    *(*TOKEN_VARIABLES, USER_VARIABLE, PASSWORD_VARIABLE, IN_CLEAR_VARIABLE),
    *(*CA_VARIABLES, *CERTIFICATE_VARIABLES, KEY_VARIABLE),
)
_FINGERPRINT_CHARACTERS = 16


class Authorization(NamedTuple):
    """What goes into the header of that name, which must not be shown, and who has said it."""

    said_by: str = ""
    header: str = ""


def authorization(token: str | None = None) -> Authorization:
    """By the argument or the first variable that is set; an empty header where none is."""
    if token is not None:
        return Authorization("token", _bearer("token", token))
    for name in TOKEN_VARIABLES:
        if value := os.environ.get(name, ""):
            return Authorization(name, _bearer(name, value))
    user, password = os.environ.get(USER_VARIABLE, ""), os.environ.get(PASSWORD_VARIABLE, "")
    if not user or not password:
        return Authorization()
    from base64 import b64encode

    return Authorization(PASSWORD_VARIABLE, f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}")


def require_secrecy(address: str, said_by: str) -> None:
    """Raises FailedPreconditionError where a token would go to another machine in clear, unless that is allowed."""
    if is_loopback(address) or os.environ.get(IN_CLEAR_VARIABLE, "").lower() in ("true", "1"):
        return
    raise FailedPreconditionError(
        f"{said_by}: a token is not sent in clear to {address}: name the server by {TLS_SCHEME}{address}, or set"
        f" {IN_CLEAR_VARIABLE}=true where nobody else can listen",
        reason="TOKEN_NEEDS_TLS",
        metadata={"address": address, "field": said_by},
    )


def certificate_files() -> tuple[bytes | None, bytes | None, bytes | None]:
    """Whom to trust, None for gRPC's own roots; and this client's key and certificate, None for none."""
    trust_said_by, trusted = _file_of(CA_VARIABLES)
    said_by, certificate = _file_of(CERTIFICATE_VARIABLES)
    key_said_by, key = _file_of((KEY_VARIABLE,))
    if key is not None and certificate is None:
        raise InvalidArgumentError(f"{KEY_VARIABLE}: is of no use without {CERTIFICATE_VARIABLES[0]}")
    # MLflow's file holds both.
    key, key_said_by = (key, key_said_by) if key is not None else (certificate, said_by)
    for name, text, kind in (
        (trust_said_by, trusted, b"CERTIFICATE"),
        (said_by, certificate, b"CERTIFICATE"),
        (key_said_by, key, b"PRIVATE KEY"),
    ):
        if text is not None and kind + b"-----" not in text:
            raise InvalidArgumentError(f"{name}: its file holds no {kind.decode().lower()} in PEM", reason="BAD_FILE")
    return trusted, key, certificate


def fingerprint() -> str:
    """Tells one environment from another, as far as access goes; empty where none of it is set."""
    said = [f"{name}={value}" for name in _ALL if (value := os.environ.get(name, ""))]
    if not said:
        return ""
    from hashlib import sha256

    return sha256("\0".join(said).encode(errors="surrogateescape")).hexdigest()[:_FINGERPRINT_CHARACTERS]


def _bearer(field: str, token: str) -> str:
    token = token.strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise InvalidArgumentError(
            f"{field}: must be one word of ASCII, such as `trackwire tokens create` prints", metadata={"field": field}
        )
    return f"Bearer {token}" if token else ""


def _file_of(variables: Sequence[str]) -> tuple[str, bytes | None]:
    """The first of the variables that is set, and what its file holds."""
    for name in variables:
        if path := os.environ.get(name, ""):
            try:
                return name, Path(path).expanduser().read_bytes()
            except OSError as error:
                raise InvalidArgumentError(
                    f"{name}: {path!r}: can't be read: {error.strerror}",
                    reason="BAD_FILE",
                    metadata={"field": name, "value": path},
                ) from error
    return "", None
