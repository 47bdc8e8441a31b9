"""Sensors by their names, read together: what one of them can't tell never costs the others theirs."""

import logging
from collections.abc import Callable, Mapping
from typing import TypeAlias

Figures: TypeAlias = dict[str, float]
# Reads some figures, by their keys without `system/`.
Sensor: TypeAlias = Callable[[], Figures]

logger = logging.getLogger(__name__)


class Sensors:
    """All that a process samples. What fails is told once, and tried again each time."""

    def __init__(self, sensors: Mapping[str, Sensor]) -> None:
        self._sensors = sensors
        self._failed: set[str] = set()

    def read(self) -> Figures:
        """What there is to tell now, as metrics."""
        figures: Figures = {}
        for name, sensor in self._sensors.items():
            try:
                figures |= sensor()
            except Exception as error:
                # Whatever is odd about the machine: a training goes on without the figure.
                self._tell(name, error)
        return {f"system/{key}": value for key, value in figures.items()}

    def _tell(self, name: str, error: Exception) -> None:
        if name not in self._failed:
            self._failed.add(name)
            logger.warning("system metrics: %s can't be read, and is left out: %r", name, error)


def sensors_of(*, machine: bool, gpus: bool) -> Sensors:
    """The sensors of this process, with its machine's and its GPUs' where they are asked for. Loads psutil."""
    from trackwire.system_metrics.gpus import gpu_sensors
    from trackwire.system_metrics.machine import machine_sensors, process_sensors

    found = process_sensors()
    if machine:
        found |= machine_sensors()
    if gpus:
        found |= gpu_sensors()
    return Sensors(found)
