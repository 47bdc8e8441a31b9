"""What a call that was asked not to wait gives back, as in MLflow: something to wait for."""

from typing import TYPE_CHECKING

from trackwire.errors import DeadlineExceededError

if TYPE_CHECKING:
    from trackwire.fluent.active_run import ActiveRun


class RunOperations:
    """All that a run has said up to now; without a run, what is done already."""

    __slots__ = ("_run",)

    def __init__(self, run: "ActiveRun | None") -> None:
        self._run = run

    def wait(self) -> None:
        """Waits until it is durable, as `flush` does; DeadlineExceededError if that takes longer."""
        if self._run is not None and not self._run.flush():
            raise DeadlineExceededError(
                f"run {self._run.info.run_id!r}: not all of it is durable yet: it is kept, and sent on"
            )


def operations_of(run: "ActiveRun | None", synchronous: bool | None) -> RunOperations | None:
    """Only who says that a call is not to wait is given something to wait for."""
    return RunOperations(run) if synchronous is False else None
