"""Trains one network and logs it: the part to copy from."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from examples.digits.network import CLASSES, Digits, Labels, Network, confusion_matrix, loss_and_accuracy

import trackwire

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXPERIMENT = "digits"
WEIGHTS = "weights.npz"
PICTURE = "confusion_matrix.png"


@dataclass(frozen=True, slots=True)
class Settings:
    """What one network is trained with."""

    learning_rate: float
    epochs: int
    batch_size: int = 16
    hidden_units: int = 48
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it, as the trainer knows it."""

    run_id: str
    points_logged: int


def train(
    digits: Digits,
    settings: Settings,
    *,
    session: str,
    is_stopped: Callable[[], bool],
    on_epoch: Callable[[int], None],
) -> Trained:
    """Trains a network in a run of its own; `session` is a tag by which the runs of one start are found again.

    A run that is asked to stop ends KILLED by a KeyboardInterrupt, as it would by Ctrl-C.
    """
    generator = np.random.default_rng(settings.seed)
    network = Network.random(digits.train_images.shape[1], settings.hidden_units, generator)
    step = points = 0
    trackwire.set_experiment(EXPERIMENT)
    tags = {"session": session, "dataset": "scikit-learn digits", "framework": f"numpy {np.__version__}"}
    with trackwire.start_run(run_name=f"lr-{settings.learning_rate:g}", tags=tags) as run:
        trackwire.log_params(asdict(settings))
        for epoch in range(settings.epochs):
            for images, labels in digits.batches(settings.batch_size, generator):
                loss, accuracy = network.learn(images, labels, settings.learning_rate)
                trackwire.log_metrics({"loss": loss, "accuracy": accuracy}, step)
                step += 1
                points += 2
            measured = validation_metrics(network, digits)
            trackwire.log_metrics(measured, step - 1)
            points += len(measured)
            on_epoch(epoch + 1)
            if is_stopped() or run.should_stop():
                raise KeyboardInterrupt
        matrix = confusion_matrix(network.probabilities(digits.validation_images), digits.validation_labels)
        trackwire.log_figure(confusion_figure(matrix, f"learning rate {settings.learning_rate:g}"), PICTURE)
        with TemporaryDirectory() as folder:
            weights = Path(folder, WEIGHTS)
            network.save(weights)
            trackwire.log_artifact(weights)
    return Trained(run.info.run_id, points)


def validation_metrics(network: Network, digits: Digits) -> dict[str, float]:
    """Loss and accuracy on scans it has not learnt from, and precision, recall and F1 of each digit."""
    probabilities = network.probabilities(digits.validation_images)
    loss, accuracy = loss_and_accuracy(probabilities, digits.validation_labels)
    metrics = {"validation_loss": loss, "validation_accuracy": accuracy}
    matrix = confusion_matrix(probabilities, digits.validation_labels)
    right = matrix.diagonal()
    # A digit that was never guessed has precision 0, and not 0/0.
    precision = right / np.maximum(matrix.sum(axis=0), 1)
    recall = right / np.maximum(matrix.sum(axis=1), 1)
    f1 = 2 * right / np.maximum(matrix.sum(axis=0) + matrix.sum(axis=1), 1)
    for digit in range(CLASSES):
        metrics |= {
            f"precision/{digit}": float(precision[digit]),
            f"recall/{digit}": float(recall[digit]),
            f"f1/{digit}": float(f1[digit]),
        }
    return metrics


def confusion_figure(matrix: Labels, title: str) -> "Figure":
    """A confusion matrix as a picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 5.2), dpi=120, layout="constrained")
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(matrix), strict=True):
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(matrix[row, column]), ha="center", va="center", color=color)
    axes.set(
        title=f"Validation scans, {title}",
        xlabel="predicted",
        ylabel="actual",
        xticks=range(CLASSES),
        yticks=range(CLASSES),
    )
    figure.colorbar(image, label="share of the row", shrink=0.8)
    return figure
