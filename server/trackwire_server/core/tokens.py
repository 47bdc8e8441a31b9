"""Tokens: who may call, and how much.

A token is 160 random bits, of which only the SHA-256 is kept. A slow hash would protect nothing: it is for secrets that
people think of and others try out, and each call would pay for it.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from hashlib import sha256

from trackwire_server.core.clock import Clock
from trackwire_server.core.errors import PermissionDenied, Unauthenticated

# By it those who look for secrets in files and logs find ours.
SECRET_PREFIX = "tw_"
_SECRET_RANDOM_BYTES = 20


class Scope(IntEnum):
    """How much a token may do: each includes the ones before it."""

    READ = 1
    WRITE = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """As people write it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token; without `expires_ms` it counts until it is revoked."""

    name: str
    digest: bytes
    scope: Scope
    created_ms: int
    expires_ms: int | None = None

    def has_expired(self, now_ms: int) -> bool:
        """Whether it counts no more."""
        return self.expires_ms is not None and now_ms >= self.expires_ms


def new_secret() -> str:
    """A token as whoever calls has it."""
    return f"{SECRET_PREFIX}{secrets.token_hex(_SECRET_RANDOM_BYTES)}"


def digest_of(secret: str) -> bytes:
    """What is kept of it."""
    return sha256(secret.encode(errors="replace")).digest()


class Gate:
    """Lets in who has a token. `admit` may be called at any rate; `replace` when the tokens have changed."""

    def __init__(self, tokens: Iterable[Token], clock: Clock):
        self._clock = clock
        self.replace(tokens)

    def replace(self, tokens: Iterable[Token]) -> None:
        """These count from now on, and no others."""
        self._tokens = {token.digest: token for token in tokens}

    def admit(self, authorization: str | None, needed: Scope) -> Token:
        """The token that a header `authorization` has, if it is known, counts and covers the scope.

        Raises Unauthenticated and PermissionDenied.
        """
        if authorization is None:
            raise Unauthenticated(
                "there is no token: send the header `authorization: Bearer TOKEN`, which Trackwire's clients do with"
                " TRACKWIRE_TOKEN and MLflow's with MLFLOW_TRACKING_TOKEN"
            )
        name, secret = _presented(authorization)
        token = self._known(secret)
        if token is None or name not in (None, token.name):
            raise Unauthenticated(
                "the token is not known: it was revoked, or is for another server", reason="TOKEN_UNKNOWN"
            )
        if token.has_expired(self._clock()):
            expired = _time_text(token.expires_ms or 0)
            raise Unauthenticated(
                f"token {token.name!r} has expired: it counted until {expired}",
                reason="TOKEN_EXPIRED",
                metadata={"token": token.name, "expired": expired},
            )
        if token.scope < needed:
            raise PermissionDenied(token.name, scope=token.scope.word, needed=needed.word)
        return token

    def _known(self, secret: str) -> Token | None:
        # How long a lookup takes may tell of a digest, and nobody can choose a secret by its digest.
        digest = digest_of(secret)
        token = self._tokens.get(digest)
        return token if token is not None and hmac.compare_digest(token.digest, digest) else None


def _presented(authorization: str) -> tuple[str | None, str]:
    """The token of a header, and its name where that is said, which is a user to HTTP."""
    scheme, _, value = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return None, value.strip()
        case "basic":
            try:
                name, colon, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                colon = ""
            if colon:
                return name, secret
    raise Unauthenticated(
        "authorization: must be `Bearer TOKEN`, or `Basic` with a token's name as user and the token as password",
        reason="AUTHORIZATION_MALFORMED",
    )


def _time_text(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds")
