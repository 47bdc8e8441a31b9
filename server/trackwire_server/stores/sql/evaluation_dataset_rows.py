"""Rows of evaluation datasets, locked by id, or as core's values: a page is read by one statement a table."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import EVERYTHING
from trackwire_server.core.evaluation_dataset_entities import EvaluationDataset, evaluation_dataset_not_found
from trackwire_server.search import FieldKind
from trackwire_server.stores.sql.entries import by_owner, entry_queries
from trackwire_server.stores.sql.filters import Searchable
from trackwire_server.stores.sql.prepared import Prepared, fetch_groups, parts
from trackwire_server.stores.sql.search import AnyRow
from trackwire_server.stores.sql.tables import (
    evaluation_dataset_experiments,
    evaluation_dataset_tags,
    evaluation_datasets,
)

EVALUATION_DATASETS = Searchable(
    source=evaluation_datasets,
    columns=[*evaluation_datasets.c],
    owner=evaluation_datasets.c.dataset_no,
    attributes={
        "name": evaluation_datasets.c.name,
        "dataset_id": evaluation_datasets.c.dataset_id,
        "created_by": func.nullif(evaluation_datasets.c.created_by, ""),
        "last_updated_by": func.nullif(evaluation_datasets.c.last_updated_by, ""),
        "created_time": evaluation_datasets.c.creation_time_ms,
        "last_update_time": evaluation_datasets.c.last_update_time_ms,
    },
    entries={FieldKind.TAG: evaluation_dataset_tags},
    workspace=evaluation_datasets.c.workspace,
    memberships=evaluation_dataset_experiments,
)
_LINKS = evaluation_dataset_experiments.c
_EXPERIMENTS = Prepared(
    select(_LINKS.dataset_no, _LINKS.experiment_no)
    .where(_LINKS.dataset_no.in_(bindparam("owner_nos", expanding=True)))
    .order_by(_LINKS.experiment_no)
)


async def read_evaluation_datasets(connection: AsyncConnection, rows: Sequence[AnyRow]) -> list[EvaluationDataset]:
    """The datasets of these rows, in their order."""
    numbers = [row.dataset_no for row in rows]
    tag_rows, link_rows = await fetch_groups(
        connection,
        entry_queries(evaluation_dataset_tags, numbers, EVERYTHING),
        [(_EXPERIMENTS, {"owner_nos": part}) for part in parts(numbers)],
    )
    tags = by_owner(tag_rows)
    experiment_ids: dict[int, list[str]] = defaultdict(list)
    for dataset_no, experiment_no in link_rows:
        experiment_ids[dataset_no].append(str(experiment_no))
    return [
        EvaluationDataset(
            dataset_id=row.dataset_id,
            name=row.name,
            creation_time_ms=row.creation_time_ms,
            last_update_time_ms=row.last_update_time_ms,
            digest=row.digest,
            schema=row.schema,
            record_count=row.record_count,
            created_by=row.created_by,
            last_updated_by=row.last_updated_by,
            tags=tags.get(row.dataset_no, {}),
            experiment_ids=tuple(experiment_ids[row.dataset_no]),
            workspace=row.workspace,
        )
        for row in rows
    ]


async def find_evaluation_dataset(connection: AsyncConnection, dataset_id: str, *, lock: bool = False) -> AnyRow:
    """A dataset's row, locked if asked. Raises NotFound."""
    mine = select(evaluation_datasets).where(evaluation_datasets.c.dataset_id == dataset_id)
    row = (await connection.execute(mine.with_for_update() if lock else mine)).one_or_none()
    if row is None:
        raise evaluation_dataset_not_found(dataset_id)
    return row
