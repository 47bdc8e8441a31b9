"""What goes along with a run where it is asked for: the sampling of its machine, and the capture of its console."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from trackwire.fluent.jobs import NodeShare
from trackwire.fluent.sampling import sampling_interval
from trackwire.fluent.settings import checked_flag, console_of_environment

if TYPE_CHECKING:
    from trackwire.fluent.active_run import ActiveRun

logger = logging.getLogger(__name__)


class Companion(Protocol):
    """What begins and ends with a run."""

    def stop(self, error: BaseException | None = None) -> None:
        """Ends, before the run does; `error` is what the run is left by. May be called again."""

    def begin_again_in_child(self) -> None:
        """To be called in a forked child, which has the run and none of the threads."""


class Company(NamedTuple):
    """What a run is to have. `sampling_seconds` is None where it samples nothing."""

    sampling_seconds: float | None = None
    console: bool = False


def company(log_system_metrics: bool | None, console: bool | None, parent: "ActiveRun | None") -> Company:
    """What the arguments and the environment ask for. Raises what is wrong with them."""
    captures = checked_flag("console", console)
    if captures is None and parent is not None:
        captures = parent.company.console
    return Company(sampling_interval(log_system_metrics), console_of_environment() if captures is None else captures)


def begin_company(
    run: "ActiveRun",
    wanted: Company,
    *,
    rank: int | None,
    share: NodeShare,
    innermost_run: Callable[[], "ActiveRun | None"],
) -> None:
    """Starts it. What can't be started is told, and the run goes on without."""
    run.company = wanted
    try:
        if wanted.console:
            from trackwire.console.capture import Capture
            from trackwire.fluent.console import RunConsole

            console = RunConsole(run, Capture(lambda path, text: run.log_text(text, path), rank))
            run.companions.append(console)
            console.start(innermost_run)
        if wanted.sampling_seconds is not None:
            from trackwire.fluent.sampler import Sampler

            sampler = Sampler(run.log_metrics, interval_seconds=wanted.sampling_seconds, share=share)
            run.companions.append(sampler)
            sampler.start()
    except Exception:
        logger.exception("run %s: its console or its machine can't be watched", run.info.run_id)
