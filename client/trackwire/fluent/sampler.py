"""Samples the machine beside a run, in a thread that nobody waits for."""

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from trackwire.errors import FailedPreconditionError
from trackwire.fluent.jobs import NodeShare
from trackwire.fluent.loading import load

if TYPE_CHECKING:
    from trackwire.system_metrics.sensors import Sensors

logger = logging.getLogger(__name__)

# So that a short run has a sample too.
FIRST_SAMPLE_SECONDS = 1.0


class Sampler:
    """Logs what the sensors tell, at steps 0, 1, … of this process, until it is stopped."""

    def __init__(
        self, log: Callable[[Mapping[str, float], int], None], *, interval_seconds: float, share: NodeShare
    ) -> None:
        self._log = log
        self._interval_seconds = interval_seconds
        self._share = share
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begins. Returns at once."""
        threading.Thread(target=self._keep_sampling, name="trackwire-sampler", daemon=True).start()

    def stop(self, _error: BaseException | None = None) -> None:
        """Ends without waiting: a driver that hangs holds up its sample, and no training."""
        self._stopped.set()

    def begin_again_in_child(self) -> None:
        """A forked child samples nothing: its parent does."""
        self._stopped = threading.Event()

    def _keep_sampling(self) -> None:
        try:
            sensors = self._sensors()
        except Exception:
            logger.exception("system metrics can't be sampled")
            return
        wait_seconds = min(FIRST_SAMPLE_SECONDS, self._interval_seconds)
        for step in count():
            if self._stopped.wait(wait_seconds):
                return
            wait_seconds = self._interval_seconds
            try:
                self._log(sensors.read(), step)
            except FailedPreconditionError:
                # The run has ended meanwhile.
                return

    def _sensors(self) -> "Sensors":
        load(["psutil", "trackwire.system_metrics.gpus", "trackwire.system_metrics.machine"])
        if self._share.gpus:
            with suppress(ModuleNotFoundError):
                load(["pynvml"])
        from trackwire.system_metrics.sensors import sensors_of

        return sensors_of(machine=self._share.machine, gpus=self._share.gpus)
