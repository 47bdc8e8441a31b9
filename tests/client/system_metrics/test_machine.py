"""What this machine and this process do, as psutil tells it."""

import logging
from contextlib import closing
from mmap import PAGESIZE, mmap

import psutil
import pytest

from trackwire.system_metrics.machine import machine_sensors, process_sensors
from trackwire.system_metrics.sensors import Figures, Sensor, Sensors, sensors_of

MACHINE = {
    "cpu_utilization_percentage",
    "system_memory_usage_megabytes",
    "system_memory_usage_percentage",
    "disk_usage_percentage",
    "disk_usage_megabytes",
    "disk_available_megabytes",
    "network_receive_megabytes",
    "network_transmit_megabytes",
}
PROCESS = {"process_cpu_utilization_percentage", "process_memory_usage_megabytes"}


def read(sensors: dict[str, Sensor]) -> Figures:
    return {key: value for sensor in sensors.values() for key, value in sensor().items()}


def test_machine_tells_what_mlflow_tells() -> None:
    figures = read(machine_sensors())
    assert set(figures) == MACHINE
    assert all(value >= 0 for value in figures.values())
    assert all(value <= 100 for key, value in figures.items() if key.endswith("percentage"))
    total = psutil.virtual_memory().total / 1e6
    share = figures["system_memory_usage_megabytes"] / figures["system_memory_usage_percentage"]
    assert share * 100 == pytest.approx(total)
    assert figures["disk_available_megabytes"] < psutil.disk_usage("/").total / 1e6


def test_cpu_is_that_since_the_last_reading_of_the_same_sensor(monkeypatch: pytest.MonkeyPatch) -> None:
    times = psutil.cpu_times()
    monkeypatch.setattr(psutil, "cpu_times", lambda: times)
    first = machine_sensors()["cpu"]
    times = times._replace(user=times.user + 75.0, idle=times.idle + 25.0)
    second = machine_sensors()["cpu"]
    assert first() == {"cpu_utilization_percentage": pytest.approx(75.0)}
    times = times._replace(system=times.system + 10.0, iowait=times.iowait + 90.0)
    assert first() == {"cpu_utilization_percentage": pytest.approx(10.0)}
    assert second() == {"cpu_utilization_percentage": pytest.approx(10.0)}
    # Within one tick of the kernel's clock.
    assert first() == {"cpu_utilization_percentage": 0.0}


def test_network_counts_from_where_the_sensor_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    counters = psutil.net_io_counters()
    assert counters is not None
    monkeypatch.setattr(psutil, "net_io_counters", lambda: counters)
    sensor = machine_sensors()["network"]
    assert sensor() == {"network_receive_megabytes": 0.0, "network_transmit_megabytes": 0.0}
    later = counters._replace(bytes_recv=counters.bytes_recv + 2_000_000, bytes_sent=counters.bytes_sent + 500_000)
    monkeypatch.setattr(psutil, "net_io_counters", lambda: later)
    assert sensor() == {"network_receive_megabytes": 2.0, "network_transmit_megabytes": 0.5}


def test_process_tells_its_own_share() -> None:
    before = read(process_sensors())
    # New pages in any case: a heap may have some left.
    with closing(mmap(-1, 50_000_000)) as held:
        for at in range(0, len(held), PAGESIZE):
            held[at] = 1
        after = read(process_sensors())
    assert set(after) == PROCESS
    grown = after["process_memory_usage_megabytes"] - before["process_memory_usage_megabytes"]
    assert grown == pytest.approx(50, abs=10)


def test_what_fails_is_told_once_and_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    readings = iter([{"a": 1.0}, OSError("no sensor"), OSError("no sensor"), {"a": 2.0}])

    def unsteady() -> Figures:
        found = next(readings)
        if isinstance(found, OSError):
            raise found
        return found

    sensors = Sensors({"unsteady": unsteady, "steady": lambda: {"b": 0.0}})
    with caplog.at_level(logging.WARNING):
        found = [sensors.read() for _ in range(4)]
    assert found == [
        {"system/a": 1.0, "system/b": 0.0},
        {"system/b": 0.0},
        {"system/b": 0.0},
        {"system/a": 2.0, "system/b": 0.0},
    ]
    assert [record.message for record in caplog.records] == [
        "system metrics: unsteady can't be read, and is left out: OSError('no sensor')"
    ]


def test_process_samples_no_more_of_its_machine_than_is_its_share() -> None:
    own = {f"system/{key}" for key in PROCESS}
    assert set(sensors_of(machine=False, gpus=False).read()) == own
    assert set(sensors_of(machine=True, gpus=False).read()) == own | {f"system/{key}" for key in MACHINE}
