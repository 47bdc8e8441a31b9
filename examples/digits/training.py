"""Trains one network and logs it: the part to copy from."""

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from examples.digits.network import CLASSES, Digits, Labels, Network, confusion_matrix, loss_and_accuracy

from trackwire import Client

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
    points_acknowledged: int


def train(
    client: Client,
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
    step = 0
    with client.start_run(
        EXPERIMENT,
        f"lr-{settings.learning_rate:g}",
        params=asdict(settings),
        tags={"session": session, "dataset": "scikit-learn digits", "framework": f"numpy {np.__version__}"},
    ) as run:
        for epoch in range(settings.epochs):
            for images, labels in digits.batches(settings.batch_size, generator):
                loss, accuracy = network.learn(images, labels, settings.learning_rate)
                run.log_metrics({"loss": loss, "accuracy": accuracy}, step=step)
                step += 1
            run.log_metrics(validation_metrics(network, digits), step=step - 1)
            on_epoch(epoch + 1)
            if is_stopped() or run.should_stop():
                raise KeyboardInterrupt
        matrix = confusion_matrix(network.probabilities(digits.validation_images), digits.validation_labels)
        run.log_bytes(confusion_picture(matrix, f"learning rate {settings.learning_rate:g}"), PICTURE)
        run.log_bytes(network.to_bytes(), WEIGHTS)
    return Trained(run.run_id, run.points_acknowledged)


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


def confusion_picture(matrix: Labels, title: str) -> bytes:
    """A confusion matrix as a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 5.2), layout="constrained")
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
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120)
    return file.getvalue()
