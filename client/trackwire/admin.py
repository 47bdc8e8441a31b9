"""What those who run a server ask of it."""

from collections.abc import Sequence

from trackwire.calls import Calls, text_list
from trackwire.v1.admin_pb2 import (
    CollectGarbageRequest,
    CollectGarbageResponse,
    GetServerInfoRequest,
    GetServerInfoResponse,
)


class AdminMethods(Calls):
    """The client's methods for the server as a whole."""

    def get_server_info(self) -> GetServerInfoResponse:
        """The server's version, its store's health and the state of the data plane."""
        return self._call(GetServerInfoRequest(), GetServerInfoResponse, lambda response: response)

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
