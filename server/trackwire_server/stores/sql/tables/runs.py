"""The tables of runs: what they are told, given and have made, and the uploads of their artifacts."""

from sqlalchemy import BigInteger, Column, Index, Table, UniqueConstraint, text

from trackwire_server.stores.sql.tables.columns import (
    characters,
    characters_of,
    entries,
    flag,
    index_by_value,
    metadata,
    number,
    reference,
    time_ms,
    uploads_of,
)

runs = Table(
    "runs",
    metadata,
    number("run_no"),
    characters("run_id", 256, default=None),
    reference("experiment_no", "experiments.experiment_no"),
    characters("run_name", 250, default=None),
    characters("user_id", 256),
    characters("status", 16, default=None),
    time_ms("start_time_ms"),
    time_ms("end_time_ms", nullable=True),
    characters("lifecycle_stage", 16, default="active"),
    time_ms("deleted_time_ms", nullable=True),
    characters("artifact_uri", 2600, default=None),
    characters("parent_run_id", 256),
    time_ms("heartbeat_time_ms", nullable=True),
    flag("stop_requested"),
    Column("request_id", characters_of(64), nullable=True),
    UniqueConstraint("run_id", name="uq_runs_run_id"),
    UniqueConstraint("request_id", name="uq_runs_request_id"),
    Index("ix_runs_newest", "experiment_no", "lifecycle_stage", "start_time_ms", "run_id"),
    sqlite_autoincrement=True,
)
run_params = index_by_value(entries("run_params", "run_no", "runs.run_no"))
run_tags = index_by_value(entries("run_tags", "run_no", "runs.run_no"))

datasets = Table(
    "datasets",
    metadata,
    number("dataset_no"),
    reference("experiment_no", "experiments.experiment_no"),
    characters("name", 500, default=None),
    characters("digest", 36, default=None),
    characters("source_type", 250),
    characters("source"),
    characters("schema"),
    characters("profile"),
    UniqueConstraint("experiment_no", "name", "digest", name="uq_datasets_name"),
)

run_datasets = Table(
    "run_datasets",
    metadata,
    # In the order in which they were logged.
    number("input_no"),
    reference("run_no", "runs.run_no"),
    reference("dataset_no", "datasets.dataset_no"),
    # The tag CONTEXT_TAG once more: filters ask for it.
    characters("context", 500),
    UniqueConstraint("run_no", "dataset_no", name="uq_run_datasets_dataset"),
    Index("ix_run_datasets_dataset", "dataset_no", "context"),
)
run_dataset_tags = entries("run_dataset_tags", "input_no", "run_datasets.input_no", key_characters=255)

run_models = Table(
    "run_models",
    metadata,
    # In the order in which they were logged.
    number("link_no"),
    reference("run_no", "runs.run_no"),
    flag("is_output"),
    Column("model_id", characters_of(64), nullable=False),
    Column("step", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("run_no", "is_output", "model_id", name="uq_run_models_model"),
)

uploads = uploads_of("uploads", "run_no", "runs.run_no")
