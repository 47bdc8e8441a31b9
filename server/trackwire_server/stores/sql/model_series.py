"""The series of logged models: those whose context has the model's id, of whichever run."""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    FromClause,
    ScalarSelect,
    Subquery,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from trackwire_server.search import MetricDataset
from trackwire_server.stores.sql.tables import (
    DEFAULT_CONTEXT_NO,
    logged_models,
    metric_contexts,
    metric_keys,
    metric_summaries,
)

# Says of itself what the index on it says: only so it is used.
NOT_DEFAULT_CONTEXT = metric_summaries.c.context_no != literal_column(str(DEFAULT_CONTEXT_NO))
_MODELS = logged_models.alias("models")
_SUMMARIES = metric_summaries.alias("summaries")
_CONTEXTS = metric_contexts.alias("contexts")


def of_key(summaries: FromClause, key: str) -> ColumnElement[bool]:
    """The summaries of a key."""
    return summaries.c.key_no == _key_no(key)


def series_of_model(
    summaries: FromClause, contexts: FromClause, model_id: ColumnElement[str], datasets: Sequence[MetricDataset]
) -> ColumnElement[bool]:
    """Joins a logged model with the summaries of its series, or of those that have one of these datasets."""
    mine = and_(
        contexts.c.model_id == model_id,
        summaries.c.context_no == contexts.c.context_no,
        summaries.c.context_no != literal_column(str(DEFAULT_CONTEXT_NO)),
    )
    return and_(mine, or_(*(_of_dataset(contexts, dataset) for dataset in datasets))) if datasets else mine


def has_series(model_id: ColumnElement[str], datasets: Sequence[MetricDataset]) -> ColumnElement[bool]:
    """Whether a logged model has a series of one of these datasets."""
    return exists().where(series_of_model(_SUMMARIES, _CONTEXTS, model_id, datasets))


def newest_series(experiment_ids: Sequence[str], key: str, column: str, datasets: Sequence[MetricDataset]) -> Subquery:
    """Of each model that has series of a key: its `model_id`, and as `value` a column of that which an order means.

    Which one that is says LoggedModelStore.search_logged_models.
    """
    wanted = _SUMMARIES.c[column]
    # Not by NULLS LAST, which not every database knows.
    newest_first = (_SUMMARIES.c.last_time_ms.desc(), _SUMMARIES.c.last_step.desc(), wanted.is_(None), wanted.desc())
    place = func.row_number().over(partition_by=_MODELS.c.model_id, order_by=newest_first)
    placed = (
        select(_MODELS.c.model_id, wanted.label("value"), place.label("place"))
        .where(
            _MODELS.c.experiment_no.in_([int(experiment_id) for experiment_id in experiment_ids]),
            series_of_model(_SUMMARIES, _CONTEXTS, _MODELS.c.model_id, datasets),
            of_key(_SUMMARIES, key),
        )
        .subquery()
    )
    return select(placed.c.model_id, placed.c.value).where(placed.c.place == 1).subquery()


def _of_dataset(contexts: FromClause, dataset: MetricDataset) -> ColumnElement[bool]:
    named: ColumnElement[bool] = contexts.c.dataset_name == dataset.name
    return and_(named, contexts.c.dataset_digest == dataset.digest) if dataset.digest else named


def _key_no(key: str) -> ScalarSelect[int]:
    return select(metric_keys.c.key_no).where(metric_keys.c.key == key).scalar_subquery()
