"""The figures of NVIDIA's GPUs, by NVML: only where its package, its library and a GPU are there."""

import importlib
import logging
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TypeAlias

from trackwire.system_metrics.sensors import Figures, Sensor

logger = logging.getLogger(__name__)

MEGABYTE = 1e6
# Reads one GPU, by its number and what NVML calls it.
_Reading: TypeAlias = Callable[[ModuleType, int, object], Figures]


def gpu_sensors() -> dict[str, Sensor]:
    """Three for each GPU: one that keeps its power to itself still tells the rest."""
    try:
        nvml = importlib.import_module("pynvml")
    except ModuleNotFoundError:
        return {}
    try:
        nvml.nvmlInit()
        gpus = {number: nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())}
    except nvml.NVMLError as error:
        # The package is there, and no driver: a machine without GPUs.
        logger.debug("system metrics: no GPU: %s", error)
        return {}
    readings: dict[str, _Reading] = {"utilization": _utilization, "memory": _memory, "power": _power}
    return {
        f"gpu_{number} {what}": partial(read, nvml, number, gpu)
        for number, gpu in gpus.items()
        for what, read in readings.items()
    }


def _utilization(nvml: ModuleType, number: int, gpu: object) -> Figures:
    return {f"gpu_{number}_utilization_percentage": float(nvml.nvmlDeviceGetUtilizationRates(gpu).gpu)}


def _memory(nvml: ModuleType, number: int, gpu: object) -> Figures:
    memory = nvml.nvmlDeviceGetMemoryInfo(gpu)
    return {
        f"gpu_{number}_memory_usage_megabytes": memory.used / MEGABYTE,
        f"gpu_{number}_memory_usage_percentage": 100 * memory.used / memory.total,
    }


def _power(nvml: ModuleType, number: int, gpu: object) -> Figures:
    # Both in milliwatts.
    used, limit = nvml.nvmlDeviceGetPowerUsage(gpu), nvml.nvmlDeviceGetEnforcedPowerLimit(gpu)
    return {
        f"gpu_{number}_power_usage_watts": used / 1_000,
        f"gpu_{number}_power_usage_percentage": 100 * used / limit,
    }
