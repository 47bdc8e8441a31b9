"""What a process knows of a run that it logs into."""

import importlib
import logging
from typing import TYPE_CHECKING, NamedTuple

from trackwire.errors import TrackwireError

if TYPE_CHECKING:
    from trackwire.queries.entities import RunInfo as StoredRunInfo

logger = logging.getLogger(__name__)


class RunInfo(NamedTuple):
    """What a run is. Times are Unix milliseconds.

    Who gives no name and no experiment's id gets those that the server has given, by asking it when they are read; they
    are empty where there is no server, or none that answers, which is told: a training doesn't end for the lack of one.
    """

    run_id: str
    given_run_name: str
    given_experiment_id: str
    user_id: str
    status: str
    start_time: int
    # Whether there is a server to ask.
    is_online: bool = False
    end_time: int | None = None
    lifecycle_stage: str = "active"
    # As `download_artifacts` takes it, wherever the server will keep them.
    artifact_uri: str = ""

    @property
    def run_name(self) -> str:
        """Its name for people."""
        if self.given_run_name or not self.is_online:
            return self.given_run_name
        stored = self._stored("run_name")
        return stored.run_name if stored else ""

    @property
    def experiment_id(self) -> str:
        """The experiment that it belongs to."""
        if self.given_experiment_id or not self.is_online:
            return self.given_experiment_id
        stored = self._stored("experiment_id")
        return stored.experiment_id if stored else ""

    def _stored(self, asked: str) -> "StoredRunInfo | None":
        # By name: what only logs knows nothing of clients.
        runs = importlib.import_module("trackwire.queries.runs")
        try:
            info: StoredRunInfo = runs.get_run(self.run_id).info
        except TrackwireError as error:
            logger.warning("run %s: its %s is not known here yet: %s", self.run_id, asked, error)
            return None
        return info
