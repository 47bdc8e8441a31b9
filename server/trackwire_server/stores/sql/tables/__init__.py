"""The whole schema. Numbers that end in `_no` are the store's own and never leave it; ids that end in `_id` are ours.

    experiments ─┬─ experiment_tags
                 ├─ datasets                      one row a name and digest; what no run has is removed
                 ├─ logged_models ── logged_model_params, logged_model_tags, logged_model_uploads
                 ├─ issues ── issue_categories, issue_metadata
                 └─ runs ─┬─ run_params, run_tags
                          ├─ run_datasets ── run_dataset_tags
                          ├─ run_models           inputs and outputs
                          ├─ run_heads            one hot row a run: locked first by whatever writes to the run
                          ├─ metric_writers       (run, writer) → mark: exactly once
                          ├─ metric_journal       one row per ingest request, as it came
                          ├─ metric_series ─┬─ metric_summaries   one row a series, read by search
                          │                 ├─ metric_chunks      up to 4096 points a row, sorted, compressed
                          │                 └─ metric_thinned     what a full chunk is thinned to
                          └─ uploads
    metric_keys, metric_contexts                  the names of series, each written once; they only grow
    evaluation_datasets ─┬─ evaluation_dataset_tags, evaluation_dataset_experiments
                         └─ evaluation_dataset_records
    registered_models ─┬─ registered_model_tags, registered_model_aliases
                       └─ model_versions ── model_version_tags

Every database gets exactly this: a fresh one by `create_all`, an older one by the numbered steps in migrations.py.
"""

from sqlalchemy import Column, Integer, Table, text

from trackwire_server.stores.sql.tables.columns import metadata, time_ms
from trackwire_server.stores.sql.tables.evaluation_datasets import (
    evaluation_dataset_experiments,
    evaluation_dataset_records,
    evaluation_dataset_tags,
    evaluation_datasets,
)
from trackwire_server.stores.sql.tables.experiments import experiment_tags, experiments
from trackwire_server.stores.sql.tables.issues import issue_categories, issue_metadata, issues
from trackwire_server.stores.sql.tables.logged_models import (
    logged_model_params,
    logged_model_tags,
    logged_model_uploads,
    logged_models,
)
from trackwire_server.stores.sql.tables.metrics import (
    DEFAULT_CONTEXT_NO,
    NO_RANK,
    metric_chunks,
    metric_contexts,
    metric_journal,
    metric_keys,
    metric_series,
    metric_summaries,
    metric_thinned,
    metric_writers,
    run_heads,
)
from trackwire_server.stores.sql.tables.model_registry import (
    model_version_tags,
    model_versions,
    registered_model_aliases,
    registered_model_tags,
    registered_models,
)
from trackwire_server.stores.sql.tables.runs import (
    datasets,
    run_dataset_tags,
    run_datasets,
    run_models,
    run_params,
    run_tags,
    runs,
    uploads,
)

SCHEMA_VERSION = 4

schema_migrations = Table(
    "schema_migrations",
    metadata,
    Column("version", Integer, primary_key=True),
    time_ms("applied_time_ms"),
    # Servers work with the newest version that know it, or the one that stands here.
    Column("oldest_server", Integer, nullable=False, server_default=text("1")),
)

__all__ = [
    "DEFAULT_CONTEXT_NO",
    "NO_RANK",
    "SCHEMA_VERSION",
    "datasets",
    "evaluation_dataset_experiments",
    "evaluation_dataset_records",
    "evaluation_dataset_tags",
    "evaluation_datasets",
    "experiment_tags",
    "experiments",
    "issue_categories",
    "issue_metadata",
    "issues",
    "logged_model_params",
    "logged_model_tags",
    "logged_model_uploads",
    "logged_models",
    "metadata",
    "metric_chunks",
    "metric_contexts",
    "metric_journal",
    "metric_keys",
    "metric_series",
    "metric_summaries",
    "metric_thinned",
    "metric_writers",
    "model_version_tags",
    "model_versions",
    "registered_model_aliases",
    "registered_model_tags",
    "registered_models",
    "run_dataset_tags",
    "run_datasets",
    "run_heads",
    "run_models",
    "run_params",
    "run_tags",
    "runs",
    "schema_migrations",
    "uploads",
]
