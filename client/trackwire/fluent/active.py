"""The runs that are under way in this process: a stack in each thread, so that runs of threads don't mix."""

import atexit
import logging
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress

from trackwire.errors import FailedPreconditionError
from trackwire.fluent.active_run import ActiveRun, status_after
from trackwire.fluent.checks import (
    RUN_NAME_CHARACTERS_MAX,
    check_run_id,
    checked_entries,
    checked_rank,
    checked_text,
)
from trackwire.fluent.choices import chosen_destination, chosen_experiment
from trackwire.fluent.companions import Company, begin_company, company
from trackwire.fluent.interrupts import note_end_of_process
from trackwire.fluent.jobs import Job, job_of, node_share
from trackwire.fluent.opening import Opening
from trackwire.fluent.run_names import new_run_name
from trackwire.fluent.settings import Destination, ExperimentChoice, experiment_choice, variable
from trackwire.user import user_name

logger = logging.getLogger(__name__)

# MLflow's: the name of a run, where it is said by a tag.
_NAME_TAG = "mlflow.runName"


class _Stack(threading.local):
    """The runs of one thread; the last one is the active one."""

    def __init__(self) -> None:
        self.runs: list[ActiveRun] = []
        self.last: ActiveRun | None = None


_stack = _Stack()
# Those of all threads that nobody has ended: a thread may be gone before its run is.
_open_runs: set[ActiveRun] = set()
_hears_in_pid = 0
_run_id_is_used = False
_offline_is_told = False
# How many runs of the job this process has started, by the run that they are part of.
_runs_of_job: Counter[str] = Counter()
_counting = threading.Lock()


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, object] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
    *,
    rank: int | None = None,
    mode: str | None = None,
    console: bool | None = None,
) -> ActiveRun:
    """Starts a run, or goes on with the one that has `run_id`, and makes it this thread's active one.

    The ranks of a job (see jobs.py) log into one run; the first of them owns its status. With `log_system_metrics` the
    run samples its machine, with `console` it keeps what is printed. None leaves both to the environment, but for the
    console of a nested run: that is as its parent's.
    """
    parent = active_run()
    if parent is not None and not nested:
        raise FailedPreconditionError(
            f"run {parent.info.run_id!r} is active already: end it by end_run(), or start a part of it by nested=True",
            reason="RUN_ACTIVE",
        )
    wanted = company(log_system_metrics, console, parent)
    parent_id = parent_run_id or (parent.info.run_id if parent is not None else "")
    job = job_of(os.environ, sys.argv)
    resumed = run_id or ("" if parent is not None else _run_id_of_environment()) or _run_id_of_job(job, parent_id)
    if rank is None and job is not None:
        rank = job.rank
    elif rank is not None:
        rank = checked_rank(rank)
    first_tags = _first_tags(tags, description)
    # A run that may be there already keeps the name that it has.
    name = run_name or first_tags.get(_NAME_TAG, "") or ("" if resumed else new_run_name())
    opening = Opening(
        run_id=check_run_id("run_id", resumed or os.urandom(16).hex()),
        experiment=_experiment_of(experiment_id, parent),
        start_time_ms=time.time_ns() // 1_000_000,
        run_name=checked_text("run_name", name, RUN_NAME_CHARACTERS_MAX),
        user_id=user_name(),
        parent_run_id=parent_id and check_run_id("parent_run_id", parent_id),
        rank=rank,
        is_owner=not rank or not resumed,
        is_resumed=bool(resumed),
        tags=first_tags,
    )
    run = _opened(opening, mode, wanted)
    _stack.runs.append(run)
    return run


def end_run(status: str = "FINISHED") -> None:
    """Ends this thread's active run, if there is one."""
    run = active_run()
    if run is not None:
        run.end(status)


def active_run() -> ActiveRun | None:
    """This thread's active run."""
    runs = _stack.runs
    while runs and runs[-1].has_ended:
        _stack.last = runs.pop()
    return runs[-1] if runs else None


def last_active_run() -> ActiveRun | None:
    """This thread's active run, else the last one that it had."""
    return active_run() or _stack.last


def runs_under_way() -> list[ActiveRun]:
    """All that this process logs into, and no more of its parent's than this thread does."""
    active_run()
    others = [run for run in list(_open_runs) if not run.has_ended and run not in _stack.runs]
    return [*(run for run in others if not run.is_inherited), *_stack.runs]


def run_to_log(run_id: str | None = None) -> ActiveRun:
    """This thread's active run, which is started where there is none; or the run of this id, which must be there.

    One that this process hasn't started is neither made nor ended by it.
    """
    if run_id is None:
        # What each call comes through, in as little code as can be.
        runs = _stack.runs
        return runs[-1] if runs and not runs[-1].has_ended else active_run() or start_run()
    for run in list(_open_runs):
        if run.info.run_id == run_id and not run.has_ended:
            return run
    opening = Opening(
        run_id=check_run_id("run_id", run_id),
        experiment=ExperimentChoice(),
        start_time_ms=time.time_ns() // 1_000_000,
        is_owner=False,
        is_resumed=True,
        is_made=False,
    )
    return _opened(opening, None, Company())


def _run_id_of_environment() -> str:
    """…_RUN_ID, which names the first run of the process and no other."""
    global _run_id_is_used
    named = "" if _run_id_is_used else variable("RUN_ID")
    _run_id_is_used = True
    return named


def _run_id_of_job(job: Job | None, parent_run_id: str) -> str:
    if job is None:
        return ""
    with _counting:
        _runs_of_job[parent_run_id] += 1
        number = _runs_of_job[parent_run_id]
    found = job.run_id(parent_run_id, number)
    if not found:
        logger.warning(
            "rank %d can't tell which run its job shares: it logs into one of its own; set TRACKWIRE_RUN_ID to the same"
            " id on all ranks",
            job.rank,
        )
    return found


def _opened(opening: Opening, mode: str | None, wanted: Company) -> ActiveRun:
    place = chosen_destination(mode)
    if place.notice:
        logger.warning("%s", place.notice)
    _tell_where_it_lies(place)
    run = ActiveRun(place, opening)
    _open_runs.difference_update([each for each in list(_open_runs) if each.is_closed])
    _open_runs.add(run)
    _hear_of_exit()
    if place.mode != "disabled" and wanted != Company():
        share = node_share(os.environ, job_of(os.environ, sys.argv))
        begin_company(run, wanted, rank=opening.rank, share=share, innermost_run=_innermost_run)
    return run


def _innermost_run() -> ActiveRun | None:
    """The active run, for who asks at every print: it changes nothing."""
    runs = _stack.runs
    if runs and not runs[-1].has_ended:
        return runs[-1]
    return next((run for run in reversed(runs) if not run.has_ended), None)


def _tell_where_it_lies(place: Destination) -> None:
    """Once: nobody has named a server, and nobody has chosen to be without one."""
    global _offline_is_told
    if place.mode == "offline" and place.is_by_default and not _offline_is_told:
        _offline_is_told = True
        logger.warning(
            "no server is named: runs are kept in %s; `trackwire server` started here takes them in,"
            " `trackwire sync --to HOST:PORT` sends them to another",
            place.spool,
        )


def _experiment_of(experiment_id: str | None, parent: ActiveRun | None) -> ExperimentChoice:
    chosen = chosen_experiment()
    if experiment_id is None and parent is not None and chosen is None:
        return parent.experiment
    return experiment_choice(experiment_id, chosen)


def _first_tags(tags: Mapping[str, object] | None, description: str | None) -> dict[str, str]:
    described = {} if description is None else {"mlflow.note.content": description}
    return checked_entries("tags", {**described, **(tags or {})})


def _end_all() -> None:
    """At the end of the process: a run that nobody ended is over.

    All are written before any server is waited for, and that for all together. An end that was interrupted is not
    waited for again.
    """
    found = [run for run in _open_runs if not run.is_closed]
    runs = sorted(found, key=lambda run: run.info.start_time, reverse=True)
    waited_for = [run for run in runs if not run.has_ended]
    status = _status_of_process()
    for run in runs:
        run.say_end(status)
    try:
        _close(runs)
    finally:
        # Ctrl-C ends what waits for a server, and never what is being written.
        _close(runs)
    patience = {run: run.patience() for run in waited_for}
    for run in waited_for:
        run.wait_until_durable(patience[run])


def _end_process() -> None:
    try:
        _end_all()
    finally:
        note_end_of_process(is_over=True)
        if _status_of_process() == "KILLED":
            _end_by_ctrl_c()


def _end_by_ctrl_c() -> None:
    """Has Python end by SIGINT where Ctrl-C has ended the program, so that whoever started it stops as well.

    It would forget that where a module that makes code, such as one with dataclasses, was loaded behind Ctrl-C. It
    remembers the last code of its own that was interrupted: this.
    """
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")  # noqa: S102  # a constant


def _close(runs: Iterable[ActiveRun]) -> None:
    for run in runs:
        run.close()


def _status_of_process() -> str:
    """How a run ends that only the end of its process ends: an exception that nobody has caught ends both."""
    # Where somebody types, the session has outlived its errors.
    return status_after(None if hasattr(sys, "ps1") else getattr(sys, "last_value", None))


def _begin_again_in_child() -> None:
    global _counting
    _counting = threading.Lock()
    note_end_of_process(is_over=False)
    for run in _open_runs:
        run.begin_again_in_child()
    if _open_runs:
        _hear_of_exit()


def _hear_of_exit() -> None:
    """Children of multiprocessing end without what atexit has: they have a list of their own."""
    global _hears_in_pid
    processes = sys.modules.get("multiprocessing.util")
    if processes is None or _hears_in_pid == os.getpid():
        return
    _hears_in_pid = os.getpid()
    _put_on_list_of_exit(_stack)
    # A child empties that list when it begins, and then calls this.
    processes.register_after_fork(_stack, _put_on_list_of_exit)


def _put_on_list_of_exit(_stack: _Stack) -> None:
    sys.modules["multiprocessing.util"].Finalize(None, _end_process, exitpriority=100)


atexit.register(_end_process)
os.register_at_fork(after_in_child=_begin_again_in_child)
