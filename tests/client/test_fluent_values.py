"""Values of every kind, from the call to what is read again: bit for bit, or refused at the call."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.training import train, training_folder
from tests.conftest import ServerProcess

from trackwire.client import Client

# Quiet NaNs with a sign and a payload of their own, and the ends of what there is.
BITS = [
    0x7FF8000000000000,
    0xFFF8000000000000,
    0x7FF8000000001234,
    0xFFFDEADBEEF00001,
    0x7FF0000000000000,
    0xFFF0000000000000,
    0x8000000000000000,
    0x0000000000000000,
    0x0000000000000001,
    0x800FFFFFFFFFFFFF,
    0x7FEFFFFFFFFFFFFF,
    0x3FB999999999999A,
]

SCRIPT = """
import struct, sys
import numpy as np
import trackwire

values = [struct.unpack("<d", struct.pack("<Q", int(bits, 16)))[0] for bits in sys.argv[1:]]
with trackwire.start_run(run_id="values"):
    for step, value in enumerate(values):
        trackwire.log_metric("one", value, step)
        trackwire.log_metrics({"many": value, "scalar": np.float64(value)}, step)
        trackwire.log_metric("array", np.array(value), step)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with training_folder(tmp_path) as folder:
        yield folder


def test_values_come_back_bit_for_bit(live: ServerProcess, folder: Path) -> None:
    script = SCRIPT.replace("sys.argv[1:]", repr([f"{bits:x}" for bits in BITS]))
    train(folder, script, live.address)
    with Client(live.address) as client:
        series = client.read_metrics("values").series
    assert sorted(each.key for each in series) == ["array", "many", "one", "scalar"]
    for each in series:
        assert [bits for (bits,) in struct.iter_unpack("<Q", each.values.tobytes())] == BITS


def test_tensors_of_torch_are_values(live: ServerProcess, folder: Path) -> None:
    pytest.importorskip("torch")
    script = """
import torch, trackwire
with trackwire.start_run(run_id="tensors"):
    trackwire.log_metrics({"float": torch.tensor(0.5, requires_grad=True), "half": torch.tensor(0.25).half()}, 0)
    trackwire.log_metric("whole", torch.tensor(3), 0)
    try:
        trackwire.log_metric("many", torch.zeros(2), 0)
    except TypeError as error:
        print(error)
"""
    out, _ = train(folder, script, live.address)
    assert out.strip() == "metrics['many']: must be a number, not Tensor"
    with Client(live.address) as client:
        found = {each.key: each.values.tolist() for each in client.read_metrics("tensors").series}
    assert found == {"float": [0.5], "half": [0.25], "whole": [3.0]}
