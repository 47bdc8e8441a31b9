"""The figures of the machine and of this process, by psutil."""

import os
import time

import psutil

from trackwire.system_metrics.sensors import Figures, Sensor

MEGABYTE = 1e6


def machine_sensors() -> dict[str, Sensor]:
    """CPU, memory, disk and network of the machine."""
    return {"cpu": CpuSensor(), "memory": _memory, "disk": _disk, "network": NetworkSensor()}


def process_sensors() -> dict[str, Sensor]:
    """CPU and memory of this process, without its children."""
    return {"process": ProcessSensor()}


class CpuSensor:
    """How busy the cores were since it was read last. psutil's own memory of that is one for all that ask."""

    def __init__(self) -> None:
        self._busy_seconds, self._seconds = _cpu_seconds()

    def __call__(self) -> Figures:
        busy, all_of_them = _cpu_seconds()
        passed = all_of_them - self._seconds
        # Clocks of the kernel tick: within one tick nothing has passed.
        percentage = 100 * (busy - self._busy_seconds) / passed if passed > 0 else 0.0
        self._busy_seconds, self._seconds = busy, all_of_them
        return {"cpu_utilization_percentage": min(max(percentage, 0.0), 100.0)}


class NetworkSensor:
    """What came and went since the sensor was made."""

    def __init__(self) -> None:
        self._received, self._sent = _network_bytes()

    def __call__(self) -> Figures:
        received, sent = _network_bytes()
        return {
            "network_receive_megabytes": (received - self._received) / MEGABYTE,
            "network_transmit_megabytes": (sent - self._sent) / MEGABYTE,
        }


class ProcessSensor:
    """This process: a rank's share of its machine."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._cpu_seconds, self._read_at = time.process_time(), time.monotonic()

    def __call__(self) -> Figures:
        cpu_seconds, now = time.process_time(), time.monotonic()
        percentage = 100 * (cpu_seconds - self._cpu_seconds) / max(now - self._read_at, 1e-3)
        self._cpu_seconds, self._read_at = cpu_seconds, now
        return {
            "process_cpu_utilization_percentage": percentage,
            "process_memory_usage_megabytes": self._process.memory_info().rss / MEGABYTE,
        }


def _memory() -> Figures:
    memory = psutil.virtual_memory()
    return {
        "system_memory_usage_megabytes": memory.used / MEGABYTE,
        "system_memory_usage_percentage": 100 * memory.used / memory.total,
    }


def _disk() -> Figures:
    disk = psutil.disk_usage(os.sep)
    return {
        "disk_usage_percentage": disk.percent,
        "disk_usage_megabytes": disk.used / MEGABYTE,
        "disk_available_megabytes": disk.free / MEGABYTE,
    }


def _cpu_seconds() -> tuple[float, float]:
    """Busy ones, and all, of all cores since the machine began."""
    times = psutil.cpu_times()
    # Linux counts what guests used as used by the host too.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    seconds = sum(times) - guests
    return seconds - times.idle - getattr(times, "iowait", 0.0), seconds


def _network_bytes() -> tuple[int, int]:
    # None where the machine has no interface that counts.
    counters = psutil.net_io_counters()
    return (counters.bytes_recv, counters.bytes_sent) if counters is not None else (0, 0)
