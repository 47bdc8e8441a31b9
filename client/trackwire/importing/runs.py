"""A run with all that it has. It stands open here until all has been copied and found equal; its true state comes last:
so a run that stands as the source says is whole, and the next import leaves it as it is.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from trackwire.client import Client
from trackwire.errors import InvalidArgumentError
from trackwire.importing.files import FileCopier, OfRun
from trackwire.importing.points import Points, PointSender, SeriesFacts, SeriesName, facts_of, name_of
from trackwire.importing.source import MlflowSource
from trackwire.importing.tally import FILES, POINTS, RUNS, Tally
from trackwire.v1.experiments_pb2 import LIFECYCLE_STAGE_ACTIVE
from trackwire.v1.runs_pb2 import RUN_STATUS_RUNNING, RUN_STATUS_SCHEDULED, Run

DIFFERENCES_TOLD = 5
# Of a refused value, in any script.
SHOWN_CHARACTERS = 60
_OPEN = (RUN_STATUS_RUNNING, RUN_STATUS_SCHEDULED)
# What a list of runs says of each, on both sides.
_LISTED = (
    "run_id", "run_name", "experiment_id", "user_id", "status", "start_time_ms", "end_time_ms", "lifecycle_stage",
    "params", "tags",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says of a run, in short, and where its files lie."""

    digest: bytes
    artifact_uri: str
    is_open: bool


def listed(run: Run) -> Listed:
    """A run of a list, of either side."""
    said = Run()
    for name in _LISTED:
        if name in ("params", "tags"):
            getattr(said, name).update(getattr(run, name))
        elif name != "end_time_ms" or run.HasField(name):
            setattr(said, name, getattr(run, name))
    digest = hashlib.sha256(said.SerializeToString(deterministic=True)).digest()
    return Listed(digest, run.artifact_uri, run.status in _OPEN)


def is_whole(here: Listed | None, there: Listed, *, with_files: bool) -> bool:
    """Whether a run stands here as the source has it, finished, and with its files here where they are wanted."""
    if here is None or there.is_open or here.digest != there.digest:
        return False
    return not with_files or here.artifact_uri != there.artifact_uri


class RunImport:
    """Copies runs, one at a time."""

    def __init__(self, source: MlflowSource, client: Client, tally: Tally, files: FileCopier | None) -> None:
        self._source = source
        self._client = client
        self._tally = tally
        self._files = files
        self._sender = PointSender(client, self._note_stored)

    def close(self) -> None:
        """Gives up what is not sent yet."""
        self._sender.close()

    def take(
        self, run: Run, artifact_uri: str, latest: Mapping[str, float], of_models: Mapping[SeriesName, Points]
    ) -> Run | None:
        """Copies a run; as it stands here, or None if not all of it is here and equal, which the tally has been told.

        `latest` has the keys of its metrics, and what the source calls the latest value of each.
        """
        faults = self._put(_opened(run))
        try:
            expected = self._copy_points(run.run_id, latest, of_models, faults)
        except BaseException:
            self._sender.discard()
            raise
        self._copy_files(run.run_id, artifact_uri, faults)
        faults += differences(run, self._client.get_run(run.run_id))
        faults += self._point_differences(run.run_id, expected)
        if not faults:
            return self._client.import_run(run)
        self._tally.fail(RUNS, f"run {run.run_id} is not whole and stays open here: {told(faults)}")
        return None

    def _put(self, run: Run) -> list[str]:
        """Stores a run without its points and files, and without the entries that the server refuses; these faults."""
        faults: list[str] = []
        while True:
            try:
                self._client.import_run(run)
            except InvalidArgumentError as error:
                if not _leave_out(run, error.metadata):
                    raise
                faults.append(str(error))
            else:
                return faults

    def _copy_points(
        self, run_id: str, latest: Mapping[str, float], of_models: Mapping[SeriesName, Points], faults: list[str]
    ) -> dict[SeriesName, SeriesFacts | None]:
        """Sends all points of a run; what the server must say of each series, None for one that it refused."""
        expected: dict[SeriesName, SeriesFacts | None] = {}

        def send(name: SeriesName, points: Points) -> None:
            self._tally.add(POINTS, found=len(points))
            self._sender.add(run_id, name, points)
            expected[name] = points.facts()

        rest = dict(of_models)
        for key, history in self._source.histories(run_id, list(latest), self._tally.reading):
            for name, points in history.items():
                send(name, points.joined(rest.pop(name, None)).ending_in(latest[key]))
        for name, points in rest.items():
            send(name, points)
        for name, refused in self._sender.finish().items():
            faults.append(f"metric {name}: {refused}")
            self._tally.add(POINTS, failed=refused.points)
            # Of its other points there is nothing to expect.
            expected[name] = None
        return expected

    def _copy_files(self, run_id: str, artifact_uri: str, faults: list[str]) -> None:
        if self._files is None:
            return
        owner = OfRun(self._client, run_id)
        copied = self._files.copy(artifact_uri, owner, file_counter(self._tally))
        self._tally.add(FILES, found=len(copied.wanted), failed=len(copied.failures))
        faults += [f"file {path!r}: {why}" for path, why in copied.failures.items()]
        faults += copied.differences(owner)

    def _point_differences(self, run_id: str, expected: Mapping[SeriesName, SeriesFacts | None]) -> list[str]:
        here = {name_of(summary): facts_of(summary) for summary in self._client.get_metric_summaries(run_id)}
        faults = [
            f"metric {name}: the source has {facts}, here is {here.get(name)}"
            for name, facts in expected.items()
            if facts is not None and not facts.agrees_with(here.get(name))
        ]
        return faults + [
            f"metric {name}: {here[name].count:,} points here, none at the source"
            for name in here.keys() - expected.keys()
        ]

    def _note_stored(self, new: int, there: int) -> None:
        self._tally.add(POINTS, copied=new, there=there)


def told(faults: Sequence[str]) -> str:
    """The first few of what is wrong, in words."""
    more = len(faults) - DIFFERENCES_TOLD
    return "; ".join(faults[:DIFFERENCES_TOLD]) + (f"; and {more:,} more" if more > 0 else "")


def file_counter(tally: Tally) -> Callable[[bool], object]:
    """Counts files, of which each was copied now or was there."""
    return lambda now: tally.add(FILES, copied=int(now), there=int(not now))


def differences(there: Run, here: Run) -> list[str]:
    """What is not here as it is there, of all but the points, the files and how the run ended."""
    faults = []
    for name in ("params", "tags"):
        wanted, found = dict(getattr(there, name)), dict(getattr(here, name))
        faults += [
            f"{name}[{key}]: {_shown(wanted.get(key))} at the source, {_shown(found.get(key))} here"
            for key in sorted(wanted.keys() | found.keys())
            if wanted.get(key) != found.get(key)
        ]
    for name in ("run_name", "experiment_id", "user_id", "start_time_ms", "inputs", "outputs"):
        if getattr(there, name) != getattr(here, name):
            faults.append(f"{name}: {_shown(getattr(there, name))} at the source, {_shown(getattr(here, name))} here")
    return faults


def _opened(run: Run) -> Run:
    """The run as if it still went on."""
    opened = Run()
    opened.CopyFrom(run)
    opened.status = RUN_STATUS_RUNNING
    opened.lifecycle_stage = LIFECYCLE_STAGE_ACTIVE
    opened.ClearField("end_time_ms")
    return opened


def _leave_out(run: Run, refusal: Mapping[str, str]) -> bool:
    """Removes the param or the tag that a refusal names; False if it names neither."""
    field, value = refusal.get("field", ""), refusal.get("value", "")
    for name in ("params", "tags"):
        entries = getattr(run, name)
        for key in list(entries):
            # A long name is cut short in an answer, or stands there as the value that is refused.
            is_named = field.startswith(f"run.{name}[") and f"run.{name}[{key}]".startswith(field.removesuffix("…"))
            if is_named or (field == f"run.{name}" and value and repr(key).startswith(value[:SHOWN_CHARACTERS])):
                del entries[key]
                return True
    return False


def _shown(value: object) -> str:
    text = "nothing" if value is None else " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:80]}…"
