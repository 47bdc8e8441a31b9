"""A run under way in this process, as `trackwire.start_run()` gives it: nothing that is logged waits for a server."""

import importlib
import logging
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from trackwire.errors import InvalidArgumentError
from trackwire.fluent.checks import checked_entries
from trackwire.fluent.companions import Companion, Company
from trackwire.fluent.opening import Opening
from trackwire.fluent.recorder import Recorder
from trackwire.fluent.run_files import RunFiles
from trackwire.fluent.run_info import RunInfo
from trackwire.fluent.settings import DEFAULT_EXPERIMENT_ID, Destination, ExperimentChoice
from trackwire.fluent.waiting import Patience, note_delivery
from trackwire.gathering import Clock, MetricContext, MetricValue, check_key
from trackwire.spool.kinds import RecordKind

if TYPE_CHECKING:
    from trackwire.queries.entities import RunData
    from trackwire.shipper.rejected import Rejection

logger = logging.getLogger(__name__)


FLUSH_TIMEOUT_SECONDS = 60.0
_STATUSES = ("FINISHED", "FAILED", "KILLED")


def status_after(error: BaseException | None) -> str:
    """How a run ends that is left with this; `sys.exit()` is no failure, unless it says so."""
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return "FINISHED"
    return "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"


class ActiveRun(RunFiles):
    """Logs into one run. Left as a context manager it is FINISHED, FAILED by an exception, KILLED by Ctrl-C."""

    def __init__(self, destination: Destination, opening: Opening):
        super().__init__(Recorder(destination, opening), opening)
        self.info = RunInfo(
            run_id=opening.run_id,
            # A run that is there already keeps its name and its experiment.
            given_run_name="" if opening.is_resumed else opening.run_name,
            given_experiment_id="" if opening.is_resumed else _id_of(opening.experiment),
            user_id=opening.user_id,
            status="RUNNING",
            start_time=opening.start_time_ms,
            is_online=bool(destination.address),
            artifact_uri=f"runs:/{opening.run_id}",
        )
        self.company = Company()
        # They end before the run does.
        self.companions: list[Companion] = []
        # Whether this process is a child that was forked while the run went on.
        self.is_inherited = False
        self._end_is_said = False
        self._now_ms = Clock()

    @property
    def data(self) -> "RunData":
        """Its params, tags and last metrics, as the server has them; reads, as `trackwire.get_run` does."""
        # By name: what only logs knows nothing of clients.
        data: RunData = importlib.import_module("trackwire.queries.runs").get_run(self.info.run_id).data
        return data

    @property
    def experiment(self) -> ExperimentChoice:
        """The experiment that it was started in, as far as that was said."""
        return self._opening.experiment

    def log_metric(
        self,
        key: str,
        value: MetricValue,
        step: int | None = None,
        timestamp: int | None = None,
        *,
        context: MetricContext | None = None,
    ) -> None:
        """Logs one point; without a step, one behind the key's last (from 0). `timestamp` is in Unix milliseconds."""
        if self.has_ended:
            raise self._ended_error()
        recorder = self._recorder
        points = recorder.points if context is None else recorder.waiting.in_context(context, 1)
        if points.append_point(key, value, step, timestamp):
            recorder.notice()

    def log_metrics(
        self,
        metrics: Mapping[str, MetricValue],
        step: int | None = None,
        timestamp: int | None = None,
        *,
        context: MetricContext | None = None,
    ) -> None:
        """Logs a point of each key: all, or none if one is bad (TypeError, InvalidArgumentError)."""
        if self.has_ended:
            raise self._ended_error()
        recorder = self._recorder
        points = recorder.points if context is None else recorder.waiting.in_context(context, len(metrics))
        if points.append(metrics, step, timestamp):
            recorder.notice()

    def log_params(self, params: Mapping[str, object]) -> None:
        """Logs params, each as `str()` gives it now; they never change once set."""
        self._say(RecordKind.LOG_PARAMS, "params", params)

    def log_param(self, key: str, value: object) -> None:
        """Logs one param."""
        self.log_params({key: value})

    def set_tag(self, key: str, value: object) -> None:
        """Sets one tag."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Sets tags, each as `str()` gives it now; the last one of a key wins."""
        self._say(RecordKind.SET_TAGS, "tags", tags)

    def delete_tag(self, key: str) -> None:
        """Deletes one tag."""
        self._require_open()
        self._recorder.say(RecordKind.DELETE_TAG, {"key": check_key(key)})

    def log_inputs(self, given: Iterable[Mapping[str, str]]) -> None:
        """Says what the run was given, as `words_of_inputs` has it; what was said before stays as it is."""
        self._require_open()
        for words in given:
            self._recorder.say(RecordKind.LOG_INPUTS, words)

    def flush(self, timeout_seconds: float = FLUSH_TIMEOUT_SECONDS) -> bool:
        """Waits until all that was logged is durable: on the server, or offline on this machine's disk.

        False, and a warning, if that takes longer; it is kept and sent on all the same.
        """
        patience = Patience(timeout_seconds)
        durable = self._recorder.flush(patience)
        if not durable and patience.why_over:
            logger.warning(
                "run %s: not all of it is durable after %g s%s; %s keeps what it has, and it is sent on",
                self.info.run_id,
                timeout_seconds,
                self._why_waiting(),
                self._recorder.destination.spool,
            )
        self._recorder.tell_rejections()
        return durable

    def settle(self, patience: Patience) -> None:
        """Waits as `flush` does, and says nothing: for who reads, and reads what is there."""
        self._recorder.settle(patience)

    def end(self, status: str = "FINISHED", *, timeout_seconds: float = FLUSH_TIMEOUT_SECONDS) -> None:
        """Ends the run, and waits until it is durable; but for a server that is away a moment only.

        In a forked child it doesn't wait at all. May be called again.
        """
        if status not in _STATUSES:
            raise InvalidArgumentError(f"status: {status!r}: must be one of {', '.join(_STATUSES)}")
        is_first = not self.has_ended
        self.say_end(status)
        self.close()
        if is_first:
            self.wait_until_durable(self.patience(timeout_seconds))

    def say_end(self, status: str) -> None:
        """The first part of the end: how it ended, behind which nothing more is taken. Waits for nothing."""
        if not self.has_ended:
            self._stop_companions()
            self.info = self.info._replace(status=status, end_time=self._now_ms())
            self.has_ended = True
        if not self._end_is_said and self._opening.is_owner:
            words = {"status": self.info.status, "end_time_ms": str(self.info.end_time)}
            self._recorder.say(RecordKind.UPDATE_RUN, words)
        self._end_is_said = True
        self._recorder.begin_to_close()

    def close(self) -> None:
        """The second part: all is written, and the stream has its end. What Ctrl-C has left the next call does."""
        self._recorder.close()
        self.is_closed = True

    def patience(self, timeout_seconds: float = FLUSH_TIMEOUT_SECONDS) -> Patience:
        """How long its end waits, from now on."""
        return Patience(timeout_seconds, self._recorder.destination)

    def wait_until_durable(self, patience: Patience) -> None:
        """The third part. Runs may share their patience."""
        if self.is_inherited:
            return
        if self._recorder.settle(patience):
            note_delivery(self._recorder.destination)
        elif patience.why_over:
            patience.tell(self.info.run_id)
        self._recorder.tell_rejections()

    def should_stop(self) -> bool:
        """Whether somebody has asked this run to stop: to be looked at now and then, say at each step. Never waits."""
        return self._recorder.should_stop()

    def rejections(self) -> "list[Rejection]":
        """What the server has refused for good of this process's records, such as a param that was set already."""
        return self._recorder.rejections()

    def begin_again_in_child(self) -> None:
        """To be called in a forked child: it logs into the same run as a writer of its own, and never ends it."""
        self.is_inherited = True
        super().begin_again_in_child()
        self._opening = self._opening._replace(is_owner=False)
        self._recorder.begin_again_in_child()
        for companion in self.companions:
            companion.begin_again_in_child()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop_companions(error)
        self.end(status_after(error))

    def __repr__(self) -> str:
        return f"<trackwire.ActiveRun {self.info.run_id!r} {self.info.status}>"

    def _stop_companions(self, error: BaseException | None = None) -> None:
        for companion in self.companions:
            companion.stop(error)

    def _why_waiting(self) -> str:
        """What keeps the server from having all of it, such as a token that it doesn't know, where that is known."""
        from trackwire.spool.places import absence_of

        destination = self._recorder.destination
        away = absence_of(destination.spool, destination.address) if destination.address else ""
        return f": {away}" if away else ""

    def _say(self, kind: RecordKind, field: str, entries: Mapping[str, object]) -> None:
        self._require_open()
        words = checked_entries(field, entries)
        if words:
            self._recorder.say(kind, words)


def _id_of(choice: ExperimentChoice) -> str:
    """The id of an experiment; empty where only its name is known."""
    return choice.experiment_id or ("" if choice.name else DEFAULT_EXPERIMENT_ID)
