"""A run under way in this process: what it logs gathers in memory, and a thread sends it.

This is the plain online handle, it needs its server: once more has gathered than memory is meant for, logging waits.
"""

import logging
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypedDict

from trackwire.connection import Connection
from trackwire.errors import DeadlineExceededError, FailedPreconditionError, InvalidArgumentError, TrackwireError
from trackwire.gathering import GatheredPoints, MetricValue
from trackwire.pulse import HEARTBEAT_INTERVAL_SECONDS, Pulse
from trackwire.user import user_name
from trackwire.writer import FLUSH_TIMEOUT_SECONDS, MetricWriter

if TYPE_CHECKING:
    from trackwire.client import Client
    from trackwire.columns import MetricColumns
    from trackwire.local_files import LocalPath
    from trackwire.runs import JoinOptions, RunStatusName

logger = logging.getLogger(__name__)

FLUSH_INTERVAL_SECONDS = 0.1
# So many points make a good request, and never more series than one may have.
BATCH_POINTS = 65_536
GATHERED_POINTS_MAX = 1_048_576


class StartOptions(TypedDict, total=False):
    """What a run that starts may say of itself, and how it logs."""

    experiment_id: str  # In place of the experiment's name.
    run_id: str  # Joins the run that has this id, if there is one.
    rank: int  # Of this process in its job; the ranks of a job share a run_id.
    parent_run_id: str
    user_id: str  # The operating system's where missing.
    params: Mapping[str, object]
    tags: Mapping[str, object]
    flush_interval_seconds: float
    heartbeat_interval_seconds: float


class Run:
    """Logs into one run. As a context manager it ends FINISHED, FAILED by an exception, KILLED by a KeyboardInterrupt.

    Safe to use from many threads. Rank 0 and a process without a rank own the run's status; other ranks only leave.
    """

    def __init__(self, client: "Client", writer: MetricWriter, pulse: Pulse, *, owner: bool, interval: float) -> None:
        self.run_id = writer.run_id
        self._client = client
        self._writer = writer
        self._pulse = pulse
        self._owner = owner
        self._flush_interval_seconds = interval
        self._points = GatheredPoints()
        self._taken: MetricColumns | None = None
        self._draining = threading.Lock()
        self._wake = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._keep_flushing, name=f"trackwire-run-{self.run_id}", daemon=True)
        self._thread.start()

    def log_metric(self, key: str, value: MetricValue, step: int | None = None, *, time_ms: int | None = None) -> None:
        """Logs one point; without a step, one behind the key's last (from 0)."""
        self._check_open()
        self._points.append_point(key, value, step, time_ms)
        self._drain_if_many()

    def log_metrics(
        self, metrics: Mapping[str, MetricValue], step: int | None = None, *, time_ms: int | None = None
    ) -> None:
        """Logs a point of each key: all, or none if one is bad (TypeError, InvalidArgumentError)."""
        self._check_open()
        self._points.append(metrics, step, time_ms)
        self._drain_if_many()

    def log_params(self, params: Mapping[str, object]) -> None:
        """Logs params, each as `str()` gives it; they never change once set."""
        self._client.log_params(self.run_id, params)

    def log_param(self, key: str, value: object) -> None:
        """Logs one param."""
        self._client.log_param(self.run_id, key, value)

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Sets tags, each as `str()` gives it."""
        self._client.set_tags(self.run_id, tags)

    def set_tag(self, key: str, value: object) -> None:
        """Sets one tag."""
        self._client.set_tag(self.run_id, key, value)

    def log_artifact(self, local_path: "LocalPath", artifact_path: str | None = None) -> None:
        """Stores a file at `artifact_path`, by default under its own name."""
        self._client.upload_artifact(self.run_id, local_path, artifact_path)

    def log_artifacts(self, local_folder: "LocalPath", artifact_path: str = "") -> None:
        """Stores all files below a folder, at the same paths below `artifact_path`."""
        self._client.upload_folder(self.run_id, local_folder, artifact_path)

    def log_bytes(self, data: bytes, artifact_path: str) -> None:
        """Stores bytes as a file."""
        self._client.upload_bytes(self.run_id, data, artifact_path)

    def should_stop(self) -> bool:
        """Whether somebody asked this run to stop, as of the last heartbeat."""
        return self._pulse.stop_requested

    @property
    def points_acknowledged(self) -> int:
        """Points of this handle that the server has stored."""
        return self._writer.points_acknowledged

    @property
    def points_rejected(self) -> int:
        """Points of this handle that the server has refused."""
        return self._writer.points_rejected

    def flush(self, timeout_seconds: float = FLUSH_TIMEOUT_SECONDS) -> None:
        """Waits until all points logged so far are stored; raises what the server refused, once."""
        deadline = time.monotonic() + timeout_seconds
        self._drain(deadline)
        self._writer.flush(_seconds_until(deadline))

    def end(self, status: "RunStatusName" = "FINISHED", *, timeout_seconds: float = FLUSH_TIMEOUT_SECONDS) -> None:
        """Flushes, sets the run's status and ends the handle; raises what `flush` raises. May be called again.

        A run whose points are not all stored is not FINISHED but FAILED; or KILLED, where Ctrl-C ended the wait.
        """
        if self._ended:
            return
        self._ended = True
        deadline = time.monotonic() + timeout_seconds
        try:
            try:
                self._drain(deadline)
            finally:
                self._writer.close(_seconds_until(deadline))
        except BaseException as error:
            if status == "FINISHED":
                status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
            self._leave(status, because_of=error)
            raise
        self._leave(status)

    def _leave(self, status: "RunStatusName", *, because_of: BaseException | None = None) -> None:
        self._wake.set()
        self._thread.join()
        if not self._owner:
            return
        try:
            self._client.update_run(self.run_id, status=status)
        except TrackwireError as error:
            if because_of is None:
                raise
            # What came first is what its caller must see.
            because_of.add_note(f"its status is not {status} either: {error}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.end("FINISHED")
            return
        try:
            self.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        except TrackwireError as also:
            # What ended the training is what its caller must see.
            logger.error("run %s did not end cleanly: %s", self.run_id, also)
            error.add_note(f"run {self.run_id} did not end cleanly: {also}")

    def __repr__(self) -> str:
        return f"<trackwire.Run {self.run_id!r}>"

    def _keep_flushing(self) -> None:
        try:
            while not self._ended:
                self._pulse.beat_if_due()
                self._wake.wait(self._flush_interval_seconds)
                self._wake.clear()
                self._drain(None)
        except TrackwireError as error:
            # Points stay where they are: the next flush, and the end, run into the same error and raise it.
            if not self._ended:
                logger.error("run %s stopped sending: %s", self.run_id, error)

    def _drain(self, deadline: float | None) -> None:
        """Hands all that has gathered to the writer, in order; what it doesn't take in time is kept."""
        if not self._draining.acquire(timeout=-1 if deadline is None else _seconds_until(deadline)):
            raise DeadlineExceededError(f"{len(self._points):,} points of run {self.run_id!r} wait to be sent")
        try:
            while True:
                if self._taken is None:
                    self._taken = self._points.take(BATCH_POINTS)
                if self._taken is None:
                    return
                self._writer.add(self._taken, timeout_seconds=None if deadline is None else _seconds_until(deadline))
                self._taken = None
        finally:
            self._draining.release()

    def _drain_if_many(self) -> None:
        gathered = len(self._points)
        if gathered >= GATHERED_POINTS_MAX:
            self._drain(None)
        elif gathered >= BATCH_POINTS:
            self._wake.set()

    def _check_open(self) -> None:
        if self._ended:
            raise FailedPreconditionError(f"run {self.run_id!r} has ended", reason="RUN_ENDED")


def start_run(
    client: "Client", connection: Connection, *, experiment: str | None, run_name: str, options: StartOptions
) -> Run:
    """Starts or joins a run on the server, and makes its handle."""
    rank = options.get("rank")
    owner = not rank
    run_id = _open_on_server(client, _join_options(experiment, run_name, options), options, owner=owner)
    pulse = Pulse(
        connection,
        run_id,
        interval_seconds=options.get("heartbeat_interval_seconds", HEARTBEAT_INTERVAL_SECONDS),
    )
    interval = options.get("flush_interval_seconds", FLUSH_INTERVAL_SECONDS)
    return Run(client, client.metric_writer(run_id, rank=rank), pulse, owner=owner, interval=interval)


def _join_options(experiment: str | None, run_name: str, options: StartOptions) -> "JoinOptions":
    request: JoinOptions = {
        "run_name": run_name,
        "user_id": options.get("user_id", user_name()),
        "parent_run_id": options.get("parent_run_id", ""),
        "params": {key: str(value) for key, value in options.get("params", {}).items()},
        "tags": {key: str(value) for key, value in options.get("tags", {}).items()},
    }
    if experiment is not None:
        request["experiment_name"] = experiment
        request["create_experiment"] = True
    return request


def _open_on_server(client: "Client", request: "JoinOptions", options: StartOptions, *, owner: bool) -> str:
    experiment_id = options.get("experiment_id")
    run_id = options.get("run_id")
    if run_id is None:
        if options.get("rank"):
            raise InvalidArgumentError(f"rank: {options['rank']}: needs the run_id that the ranks of the job share")
        return client.create_run(experiment_id, **request).run_id
    joined = client.join_run(run_id, experiment_id, **request)
    if not joined.created:
        if request.get("params"):
            client.log_params(run_id, request["params"])
        if owner:
            client.update_run(run_id, status="RUNNING")
    return run_id


def _seconds_until(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.0)
