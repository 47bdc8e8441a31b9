"""A run's heartbeat: says that its process lives, and hears whether it should stop."""

import logging
import time

import grpc

from trackwire.client.connection import Connection, rpc_path
from trackwire.client.status import error_from_rpc
from trackwire.errors import FailedPreconditionError, NotFoundError, TrackwireError
from trackwire.v1.runs_pb2 import HeartbeatRunRequest, HeartbeatRunResponse

logger = logging.getLogger(__name__)

HEARTBEAT_INTERVAL_SECONDS = 10.0


class Pulse:
    """Beats when it is due and never waits for the answer.

    `refusal`: what the server answered last, where it takes no beats for this run: it is deleted, or not there.
    """

    def __init__(
        self, connection: Connection, run_id: str, *, interval_seconds: float = HEARTBEAT_INTERVAL_SECONDS
    ) -> None:
        self.stop_requested = False
        self.refusal: TrackwireError | None = None
        self._connection = connection
        self._path = rpc_path(HeartbeatRunRequest)
        self._request = HeartbeatRunRequest(run_id=run_id).SerializeToString()
        self._interval_seconds = interval_seconds
        self._due_at = time.monotonic()
        self._under_way: grpc.Future[bytes] | None = None

    def beat_if_due(self) -> None:
        """Sends a heartbeat, unless the last one is too fresh or still under way."""
        now = time.monotonic()
        if now < self._due_at or (self._under_way is not None and not self._under_way.done()):
            return
        self._due_at = now + self._interval_seconds
        self._under_way = self._connection.start_bytes(self._path, self._request)
        self._under_way.add_done_callback(self._hear)

    def _hear(self, answer: "grpc.Future[bytes]") -> None:
        try:
            self.stop_requested = HeartbeatRunResponse.FromString(answer.result()).stop_requested
        except grpc.RpcError as failure:
            # The next one will tell; what matters to the run comes out of its writes.
            error = error_from_rpc(failure, self._connection.address)
            logger.debug("heartbeat failed: %s", error)
            # Without a reason it was not the server that spoke, but something before it.
            self.refusal = (
                error if error.reason and isinstance(error, NotFoundError | FailedPreconditionError) else None
            )
        except grpc.FutureCancelledError:
            logger.debug("heartbeat cancelled")
        else:
            self.refusal = None
