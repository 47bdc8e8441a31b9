"""What the pictures show: a sweep over an image classifier's settings, made up, and the model that came of it."""

import io
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trackwire import Client
from trackwire.columns import MetricColumns
from trackwire.media.images import IMAGES_TAG, series_paths

FloatArray = NDArray[np.float64]
RUNS = 24
STEPS = 4_000
STEP_MS = 150
OPTIMIZERS = ("adam", "sgd", "lion")
MODEL = "flower classifier"
MLMODEL = """flavors:
  pytorch: {pytorch_version: 2.6.0}
signature:
  inputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3, 224, 224]}}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 102]}}]'
"""
FIGURES = (
    "train/loss", "train/accuracy", "val/loss", "val/accuracy", "optim/lr", "optim/grad_norm",
    "system/cpu_utilization_percentage", "system/gpu_0_utilization_percentage", "system/gpu_0_memory_usage_megabytes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sweep:
    """What was made."""

    experiment_id: str
    run_ids: tuple[str, ...]

    @property
    def best(self) -> str:
        return self.run_ids[0]


def make_sweep(client: Client) -> Sweep:
    """An experiment of finished runs, and a few others beside it; the best run has images and is a model's version."""
    for name, team in (("speech transformer", "audio"), ("ranking, nightly", "search")):
        client.create_experiment(name, tags={"team": team})
    experiment_id = client.create_experiment("flowers sweep", tags={"team": "vision"}).experiment_id
    for number in range(RUNS):
        make_run(client, experiment_id, number)
    best_first = client.search_runs(experiment_id, order_by=["metrics.`val/accuracy` DESC"])
    sweep = Sweep(experiment_id, tuple(run.run_id for run in best_first))
    for place, run_id in enumerate(sweep.run_ids[:3]):
        add_samples(client, run_id, 1 - place / 4)
    make_model(client, sweep)
    return sweep


def make_run(client: Client, experiment_id: str, number: int) -> None:
    chance = np.random.default_rng(number)
    rate = 10 ** (-1.5 - 2.5 * chance.random())
    optimizer = OPTIMIZERS[number % len(OPTIMIZERS)]
    depth = (18, 34, 50)[number // 3 % 3]
    params = {
        "optimizer": optimizer, "learning_rate": f"{rate:.2g}", "depth": str(depth),
        "dropout": f"{chance.random() * 0.5:.2f}", "batch_size": str(2 ** (5 + number % 4)),
    }  # fmt: skip
    begun_ms = int(time.time() * 1000) - STEPS * STEP_MS - (number + 1) * 420_000
    run = client.create_run(
        experiment_id, run_name=f"{optimizer}-{depth}-{number:02}", params=params, start_time_ms=begun_ms
    )
    # The nearer to a good rate, the sooner and the lower.
    fault = abs(np.log10(rate) + 2.6) + 0.06 * chance.random() + (0.25 if optimizer == "sgd" else 0)
    with client.metric_writer(run.run_id) as writer:
        for key in FIGURES:
            steps = np.arange(0, STEPS, 1 if key.startswith("train/") else 20)
            values = curve(key, steps / STEPS, fault, rate, chance)
            writer.add(MetricColumns([key], [len(steps)], steps, begun_ms + steps * STEP_MS, values))
    failed = number % 11 == 3
    client.update_run(run.run_id, status="FAILED" if failed else "FINISHED", end_time_ms=begun_ms + STEPS * STEP_MS)


def curve(key: str, at: FloatArray, fault: float, rate: float, chance: np.random.Generator) -> FloatArray:
    """Values from the start, at 0, to the end, at 1."""
    noise = chance.normal(0, 1, len(at))
    left = np.exp(-at / (0.08 + 0.12 * fault))
    low = 0.12 + 0.35 * fault
    # Some meet a batch that throws them back for a while.
    shock = np.exp(-(((at - 0.62) / 0.012) ** 2)) if 0.3 < fault < 0.45 else np.zeros(len(at))
    match key:
        case "train/loss":
            values = np.maximum(0.01, low + (2.3 - low) * left + 0.05 * noise * (0.3 + left) + 1.6 * shock)
        case "val/loss":
            values = low * 1.25 + (2.3 - low) * left + 0.15 * at * low + 0.03 * noise
        case "train/accuracy" | "val/accuracy":
            best = 0.99 - 0.22 * fault - (0.03 if key.startswith("val") else 0)
            values = np.clip(best - (best - 0.1) * left + 0.012 * noise - 0.3 * shock, 0, 1)
        case "optim/lr":
            values = rate * np.minimum(1, at / 0.05) * 0.5 * (1 + np.cos(np.pi * at))
        case "optim/grad_norm":
            values = np.exp(0.2 * noise) * (0.4 + 2 * left + 9 * shock) * (1 + fault)
        case "system/gpu_0_memory_usage_megabytes":
            values = 14_300 + 60 * noise.cumsum() / np.sqrt(len(at))
        case _:
            values = np.clip(86 + 6 * noise - 30 * left, 0, 100)
    return np.asarray(values, np.float64)


def add_samples(client: Client, run_id: str, clear: float) -> None:
    """Image series of what the network sees in a flower: noise at first, and at the end as clear as this share."""
    client.set_tags(run_id, {IMAGES_TAG: "True"})
    for step in range(0, STEPS + 1, 1_000):
        for name, petals in (("daisy", 13), ("lily", 6)):
            picture = io.BytesIO()
            flower(petals, clear * step / STEPS).save(picture, "PNG")
            paths = series_paths(f"samples/{name}", step, int(time.time() * 1000))
            client.upload_bytes(run_id, picture.getvalue(), paths.image)


def flower(petals: int, clear: float) -> Image.Image:
    """A flower that is noise at 0 and itself at 1."""
    across, down = np.meshgrid(np.linspace(-1, 1, 192), np.linspace(-1, 1, 192))
    far, angle = np.hypot(across, down), np.arctan2(down, across)
    petal = (far < 0.35 + 0.5 * np.abs(np.cos(angle * petals / 2))) & (far > 0.2)
    colors = np.where(petal[..., None], (233, 120, 190), (28, 84, 62))
    colors = np.where((far <= 0.2)[..., None], (244, 196, 48), colors)
    noise = np.random.default_rng(petals).integers(0, 256, colors.shape)
    return Image.fromarray((clear * colors + (1 - clear) * noise).astype(np.uint8))


def make_model(client: Client, sweep: Sweep) -> None:
    """A model of three versions, the last one promoted, the one before it on trial."""
    client.create_registered_model(MODEL, description="Tells flowers apart, for the garden centre's app.")
    for number, run_id in enumerate(reversed(sweep.run_ids[:3])):
        client.upload_bytes(run_id, MLMODEL.encode(), "model/MLmodel")
        client.upload_bytes(run_id, np.random.default_rng(number).bytes(300_000), "model/weights.safetensors")
        client.create_model_version(MODEL, f"runs:/{run_id}/model", run_id=run_id, user_id="ada")
    client.set_registered_model_alias(MODEL, "champion", 3)
    client.set_registered_model_alias(MODEL, "challenger", 2)
