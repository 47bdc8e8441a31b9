"""Contexts of series as columns of metric_series."""

from typing import Any

from trackwire_server.core.entities import DEFAULT_CONTEXT, SeriesContext

# Stands for no rank, so that the unique key covers it.
NO_RANK = -1


def context_of(rank: int, model_id: str, dataset_name: str, dataset_digest: str) -> SeriesContext:
    """A context from its columns."""
    if rank == NO_RANK and not (model_id or dataset_name or dataset_digest):
        return DEFAULT_CONTEXT
    return SeriesContext(None if rank == NO_RANK else rank, model_id, dataset_name, dataset_digest)


def context_in(row: Any) -> SeriesContext:
    """A context from a row that has them all."""
    return context_of(row.rank, row.model_id, row.dataset_name, row.dataset_digest)
