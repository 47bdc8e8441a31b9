"""NVIDIA's GPUs by NVML, whose package stands in for the hardware that a test machine hasn't got."""

import sys
from types import SimpleNamespace

import pytest

from trackwire.system_metrics.gpus import gpu_sensors
from trackwire.system_metrics.sensors import Sensors, sensors_of


class NVMLError(Exception):
    """As the package has it."""


class Nvml:
    """Two GPUs; the second one doesn't tell its power."""

    NVMLError = NVMLError

    def __init__(self, gpus: int = 2) -> None:
        self.gpus = gpus
        self.is_begun = False

    def nvmlInit(self) -> None:  # noqa: N802  # NVML's names
        if not self.gpus:
            raise NVMLError("Driver Not Loaded")
        self.is_begun = True

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        assert self.is_begun
        return self.gpus

    def nvmlDeviceGetHandleByIndex(self, number: int) -> str:  # noqa: N802
        return f"gpu {number}"

    def nvmlDeviceGetUtilizationRates(self, gpu: str) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(gpu={"gpu 0": 90, "gpu 1": 0}[gpu], memory=5)

    def nvmlDeviceGetMemoryInfo(self, gpu: str) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(used={"gpu 0": 20_000_000_000, "gpu 1": 0}[gpu], total=80_000_000_000)

    def nvmlDeviceGetPowerUsage(self, gpu: str) -> int:  # noqa: N802
        if gpu == "gpu 1":
            raise NVMLError("Not Supported")
        return 350_000

    def nvmlDeviceGetEnforcedPowerLimit(self, _gpu: str) -> int:  # noqa: N802
        return 700_000


def test_gpus_tell_what_mlflow_tells_and_one_that_keeps_its_power_to_itself_tells_the_rest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Nvml())  # type: ignore[arg-type]
    sensors = Sensors(gpu_sensors())
    for _ in range(2):
        assert sensors.read() == {
            "system/gpu_0_utilization_percentage": 90.0,
            "system/gpu_0_memory_usage_megabytes": 20_000.0,
            "system/gpu_0_memory_usage_percentage": 25.0,
            "system/gpu_0_power_usage_watts": 350.0,
            "system/gpu_0_power_usage_percentage": 50.0,
            "system/gpu_1_utilization_percentage": 0.0,
            "system/gpu_1_memory_usage_megabytes": 0.0,
            "system/gpu_1_memory_usage_percentage": 0.0,
        }
    [told] = caplog.records
    assert told.message == "system metrics: gpu_1 power can't be read, and is left out: NVMLError('Not Supported')"


@pytest.mark.parametrize("nvml", [None, Nvml(0)])
def test_machine_without_a_gpu_or_without_the_package_tells_the_rest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, nvml: Nvml | None
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml)  # type: ignore[arg-type]
    assert not gpu_sensors()
    assert "system/cpu_utilization_percentage" in sensors_of(machine=True, gpus=True).read()
    assert not caplog.records
