"""A client that waits for a server which is away for a while, as mlflow's own does over HTTP."""

import logging
import time

import grpc

from trackwire.client import Client
from trackwire.client.channel import RETRIED
from trackwire.client.connection import Connection, Deadlines
from trackwire.client.retry import backoff_seconds, passes
from trackwire.errors import TrackwireError

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 120.0

# Idempotent as sent. A run is begun by a request with an id, so that it is not begun twice.
_REPEATABLE = frozenset(
    f"/trackwire.v1.{service}/{method}" for service, methods in RETRIED.items() for method in methods
)


class PatientConnection(Connection):
    """Sends what may be sent again as long as the server may be restarting.

    One that has never answered is not waited for: its address may be mistyped.
    """

    def __init__(
        self,
        address: str,
        credentials: grpc.ChannelCredentials | None = None,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        super().__init__(address, Deadlines(), credentials)
        self._patience_seconds = patience_seconds
        self._has_answered = False

    def call_bytes(self, path: str, data: bytes, *, of_file: bool = False) -> bytes:
        """One request that is serialized already, one answer that is not parsed yet."""
        end = time.monotonic() + self._patience_seconds
        failures = 0
        while True:
            try:
                answer = super().call_bytes(path, data, of_file=of_file)
            except TrackwireError as error:
                failures += 1
                wait_seconds = backoff_seconds(failures, error)
                if not self._may_wait(path, error) or time.monotonic() + wait_seconds > end:
                    raise
                if failures == 1:
                    logger.warning("waiting up to %g s for the server: %s", self._patience_seconds, error)
            else:
                self._has_answered = True
                return answer
            time.sleep(wait_seconds)

    def _may_wait(self, path: str, error: TrackwireError) -> bool:
        if error.reason:
            # The server's own word: it is there.
            self._has_answered = True
        return self._has_answered and path in _REPEATABLE and passes(error)


class PatientClient(Client):
    """trackwire.Client over such a connection."""

    def __init__(self, address: str, credentials: grpc.ChannelCredentials | None = None) -> None:
        self._connection: PatientConnection = PatientConnection(address, credentials)
