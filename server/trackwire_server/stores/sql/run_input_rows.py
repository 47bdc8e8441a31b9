"""Rows of what runs were given and have made as core's values: a few statements for a page, whatever its size."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import EVERYTHING, RunSelection
from trackwire_server.core.run_inputs import (
    NO_INPUTS,
    NO_OUTPUTS,
    Dataset,
    DatasetInput,
    DatasetView,
    ModelOutput,
    RunInputs,
    RunOutputs,
)
from trackwire_server.stores.sql.entries import by_owner, entry_queries
from trackwire_server.stores.sql.prepared import Parameters, Prepared, Rows, fetch_groups, parts
from trackwire_server.stores.sql.tables import datasets, run_dataset_tags, run_datasets, run_models

Queries: TypeAlias = list[tuple[Prepared, Parameters]]
Links: TypeAlias = tuple[RunInputs, RunOutputs]
NO_LINKS: Links = (NO_INPUTS, NO_OUTPUTS)

_INPUTS = Prepared(
    select(run_datasets.c.run_no, run_datasets.c.input_no, run_datasets.c.dataset_no)
    .where(run_datasets.c.run_no.in_(bindparam("owner_nos", expanding=True)))
    .order_by(run_datasets.c.input_no)
)
_MODELS = Prepared(
    select(run_models.c.run_no, run_models.c.is_output, run_models.c.model_id, run_models.c.step)
    .where(run_models.c.run_no.in_(bindparam("owner_nos", expanding=True)))
    .order_by(run_models.c.link_no)
)
_BASIC = (datasets.c.dataset_no, datasets.c.name, datasets.c.digest, datasets.c.source_type, datasets.c.source)
_IN_NUMBERS = datasets.c.dataset_no.in_(bindparam("dataset_nos", expanding=True))
_DATASETS = {
    DatasetView.BASIC: Prepared(select(*_BASIC).where(_IN_NUMBERS)),
    DatasetView.FULL: Prepared(select(*_BASIC, datasets.c.schema, datasets.c.profile).where(_IN_NUMBERS)),
}


def input_queries(run_nos: Sequence[int], selection: RunSelection) -> Queries:
    """What finds which datasets these runs were given; nothing where none are wanted."""
    if selection.datasets is DatasetView.NONE:
        return []
    return [(_INPUTS, {"owner_nos": part}) for part in parts(run_nos)]


def model_queries(run_nos: Sequence[int], selection: RunSelection) -> Queries:
    """What finds the models that these runs were given or have made; nothing where none are wanted."""
    return [(_MODELS, {"owner_nos": part}) for part in parts(run_nos)] if selection.models else []


async def links_by_run(
    connection: AsyncConnection, input_rows: Rows, model_rows: Rows, view: DatasetView
) -> dict[int, Links]:
    """Rows of both queries as the inputs and outputs of each run that has some. A dataset is read once for all runs."""
    given = await _datasets_by_run(connection, input_rows, view) if input_rows else {}
    taken: dict[int, list[str]] = defaultdict(list)
    made: dict[int, list[ModelOutput]] = defaultdict(list)
    for run_no, is_output, model_id, step in model_rows:
        if is_output:
            made[run_no].append(ModelOutput(model_id, step))
        else:
            taken[run_no].append(model_id)
    return {
        run_no: (
            RunInputs(tuple(given.get(run_no, ())), tuple(taken.get(run_no, ()))),
            RunOutputs(tuple(made.get(run_no, ()))),
        )
        for run_no in {*given, *taken, *made}
    }


async def _datasets_by_run(
    connection: AsyncConnection, input_rows: Rows, view: DatasetView
) -> Mapping[int, Sequence[DatasetInput]]:
    numbers = sorted({dataset_no for _, _, dataset_no in input_rows})
    dataset_rows, tag_rows = await fetch_groups(
        connection,
        [(_DATASETS[view], {"dataset_nos": part}) for part in parts(numbers)],
        entry_queries(run_dataset_tags, [input_no for _, input_no, _ in input_rows], EVERYTHING),
    )
    found = {dataset_no: Dataset(*columns) for dataset_no, *columns in dataset_rows}
    tags = by_owner(tag_rows)
    given: dict[int, list[DatasetInput]] = defaultdict(list)
    for run_no, input_no, dataset_no in input_rows:
        given[run_no].append(DatasetInput(found[dataset_no], tags.get(input_no, {})))
    return given
