"""What a process knows of a run that it logs into."""

import importlib
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from trackwire.errors import TrackwireError

if TYPE_CHECKING:
    from trackwire.queries.entities import RunInfo as StoredRunInfo

logger = logging.getLogger(__name__)

_ASK_AGAIN_SECONDS = 60.0
# What the server has told of runs, and until when it isn't asked of others; by run.
_told: "dict[str, StoredRunInfo | None]" = {}
_not_asked_before: dict[str, float] = {}


class RunInfo(NamedTuple):
    """What a run is. Times are Unix milliseconds.

    The name of a resumed run, and the id of an experiment that was chosen by name, the server tells when they are read.
    They are empty where there is no server, or none that answers, which is told: a training doesn't end for the lack of
    one, and the next to read them within a minute doesn't wait for it.
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
        found = _told.get(self.run_id)
        if found is None and time.monotonic() >= _not_asked_before.get(self.run_id, 0.0):
            found = _told[self.run_id] = self._ask(asked)
        return found

    def _ask(self, asked: str) -> "StoredRunInfo | None":
        # By name: what only logs knows nothing of clients.
        runs = importlib.import_module("trackwire.queries.runs")
        try:
            info: StoredRunInfo = runs.get_run(self.run_id).info
        except TrackwireError as error:
            logger.warning("run %s: its %s is not known here yet: %s", self.run_id, asked, error)
            _not_asked_before[self.run_id] = time.monotonic() + _ASK_AGAIN_SECONDS
            return None
        return info
