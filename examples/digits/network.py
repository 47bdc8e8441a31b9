"""A network with one hidden layer, trained by minibatch SGD in plain numpy, and the scans it learns from."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

CLASSES = 10
# Pixels of scikit-learn's scans go from 0 to 16.
PIXEL_MAX = 16.0
VALIDATION_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Digits:
    """Scans of 8 × 8 pixels, a row each, and which digits they show."""

    train_images: Floats
    train_labels: Labels
    validation_images: Floats
    validation_labels: Labels

    @classmethod
    def load(cls, seed: int = 0) -> Self:
        """scikit-learn's bundled scans, shuffled and split the same way for the same seed."""
        # Slow to import, and only the process that hands out the scans needs it.
        from sklearn.datasets import load_digits

        bundled = load_digits()
        order = np.random.default_rng(seed).permutation(len(bundled.target))
        images = bundled.data[order].astype(np.float64) / PIXEL_MAX
        labels = bundled.target[order].astype(np.int64)
        split = round(len(labels) * (1 - VALIDATION_SHARE))
        return cls(images[:split], labels[:split], images[split:], labels[split:])

    def batches(self, size: int, generator: np.random.Generator) -> Iterator[tuple[Floats, Labels]]:
        """All training scans once, in a new random order; a last part that would be smaller is left out."""
        order = generator.permutation(len(self.train_labels))
        for start in range(0, len(order) - size + 1, size):
            chosen = order[start : start + size]
            yield self.train_images[chosen], self.train_labels[chosen]


@dataclass(slots=True)
class Network:
    """64 pixels → hidden units (ReLU) → 10 classes (softmax)."""

    hidden_weights: Floats
    hidden_bias: Floats
    output_weights: Floats
    output_bias: Floats

    @classmethod
    def random(cls, pixels: int, hidden_units: int, generator: np.random.Generator) -> Self:
        """He's initialisation, which keeps a ReLU layer's variance."""
        return cls(
            generator.normal(0, np.sqrt(2 / pixels), (pixels, hidden_units)),
            np.zeros(hidden_units),
            generator.normal(0, np.sqrt(2 / hidden_units), (hidden_units, CLASSES)),
            np.zeros(CLASSES),
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """A network from the file that `save` wrote."""
        with np.load(io.BytesIO(data)) as arrays:
            return cls(*(arrays[name] for name in cls.__slots__))

    def save(self, path: Path) -> None:
        """Writes all weights into an .npz file."""
        np.savez_compressed(path, **{name: getattr(self, name) for name in self.__slots__})

    def probabilities(self, images: Floats) -> Floats:
        """How likely each scan shows each digit."""
        return self._forward(images)[1]

    def learn(self, images: Floats, labels: Labels, learning_rate: float) -> tuple[float, float]:
        """One step of SGD; the batch's loss (cross-entropy) and accuracy before it."""
        hidden, probabilities = self._forward(images)
        loss, accuracy = loss_and_accuracy(probabilities, labels)
        slope = probabilities.copy()
        slope[np.arange(len(labels)), labels] -= 1
        slope /= len(labels)
        hidden_slope = (slope @ self.output_weights.T) * (hidden > 0)
        self.output_weights -= learning_rate * (hidden.T @ slope)
        self.output_bias -= learning_rate * slope.sum(axis=0)
        self.hidden_weights -= learning_rate * (images.T @ hidden_slope)
        self.hidden_bias -= learning_rate * hidden_slope.sum(axis=0)
        return loss, accuracy

    def _forward(self, images: Floats) -> tuple[Floats, Floats]:
        hidden = np.maximum(images @ self.hidden_weights + self.hidden_bias, 0)
        scores = hidden @ self.output_weights + self.output_bias
        # The largest score becomes 0, so that exp doesn't overflow.
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        return hidden, likely / likely.sum(axis=1, keepdims=True)


def loss_and_accuracy(probabilities: Floats, labels: Labels) -> tuple[float, float]:
    """The mean cross-entropy, and the share of scans whose likeliest digit is right."""
    right = probabilities[np.arange(len(labels)), labels]
    loss = -np.log(np.maximum(right, np.finfo(np.float64).tiny)).mean()
    return float(loss), float((probabilities.argmax(axis=1) == labels).mean())


def confusion_matrix(probabilities: Floats, labels: Labels) -> Labels:
    """How many scans of each digit (row) were taken for each digit (column)."""
    matrix = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    np.add.at(matrix, (labels, probabilities.argmax(axis=1)), 1)
    return matrix
