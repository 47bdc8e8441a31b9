"""Metrics' values on MLflow's wire."""

import math


def number(value: float) -> float | str:
    """A value as JSON has it; what is no number there is text, as protobuf's JSON writes it."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
