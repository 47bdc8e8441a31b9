"""The tables of logged models."""

from sqlalchemy import Column, Index, Table, UniqueConstraint

from trackwire_server.stores.sql.tables.columns import (
    characters,
    characters_of,
    entries,
    metadata,
    number,
    reference,
    time_ms,
    uploads_of,
)

logged_models = Table(
    "logged_models",
    metadata,
    number("logged_model_no"),
    characters("model_id", 64, default=None),
    reference("experiment_no", "experiments.experiment_no"),
    characters("name", 500, default=None),
    characters("artifact_uri", 2600, default=None),
    characters("model_type", 500),
    characters("source_run_id", 256),
    characters("status", 24, default=None),
    characters("status_message"),
    characters("lifecycle_stage", 16, default="active"),
    time_ms("creation_time_ms"),
    time_ms("last_update_time_ms"),
    time_ms("deleted_time_ms", nullable=True),
    Column("request_id", characters_of(64), nullable=True),
    UniqueConstraint("model_id", name="uq_logged_models_model_id"),
    UniqueConstraint("request_id", name="uq_logged_models_request_id"),
    Index("ix_logged_models_newest", "experiment_no", "lifecycle_stage", "creation_time_ms", "model_id"),
    sqlite_autoincrement=True,
)
logged_model_params = entries("logged_model_params", "logged_model_no", "logged_models.logged_model_no")
logged_model_tags = entries("logged_model_tags", "logged_model_no", "logged_models.logged_model_no")
logged_model_uploads = uploads_of("logged_model_uploads", "logged_model_no", "logged_models.logged_model_no")
