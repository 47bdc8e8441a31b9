"""What those who run a server ask of it."""

from collections.abc import Sequence

from trackwire.client.calls import Calls, text_list
from trackwire.v1.admin_pb2 import (
    CollectGarbageRequest,
    CollectGarbageResponse,
    GetServerInfoRequest,
    GetServerInfoResponse,
)

_HEALTH_PATH = "/grpc.health.v1.Health/Check"
# grpc.health.v1.HealthCheckResponse has one enum field; the light client so needs no package for it.
_HEALTH_STATUSES = {b"\x08\x01": "SERVING", b"\x08\x02": "NOT_SERVING"}


def _health_status(data: bytes) -> str:
    return _HEALTH_STATUSES.get(data, "UNKNOWN")


class AdminMethods(Calls):
    """The client's methods for the server as a whole."""

    def get_server_info(self) -> GetServerInfoResponse:
        """The server's version, its store's health and the state of the data plane."""
        return self._call(GetServerInfoRequest(), GetServerInfoResponse, lambda response: response)

    def check_health(self) -> str:
        """What the standard health service says of the whole server: SERVING, NOT_SERVING or UNKNOWN."""
        return self._call_plain(_HEALTH_PATH, b"", _health_status)

    def collect_garbage(
        self,
        *,
        older_than_ms: int = 0,
        run_ids: str | Sequence[str] = (),
        experiment_ids: str | Sequence[str] = (),
        dry_run: bool = False,
    ) -> CollectGarbageResponse:
        """Removes for good what was deleted (these alone, where named); with `dry_run` only tells what it would."""
        request = CollectGarbageRequest(
            older_than_ms=older_than_ms,
            run_ids=text_list("run_ids", run_ids),
            experiment_ids=text_list("experiment_ids", experiment_ids),
            dry_run=dry_run,
        )
        return self._call(request, CollectGarbageResponse, lambda response: response)
