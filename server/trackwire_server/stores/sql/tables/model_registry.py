"""The tables of the model registry."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint, text

from trackwire_server.stores.sql.tables.columns import (
    characters,
    characters_of,
    entries,
    metadata,
    number,
    reference,
    time_ms,
)

registered_models = Table(
    "registered_models",
    metadata,
    number("model_no"),
    characters("workspace", 250, default="default"),
    characters("name", 250, default=None),
    characters("description"),
    time_ms("creation_time_ms"),
    time_ms("last_update_time_ms"),
    # Counts up and never down: the number of a deleted version is not used again.
    Column("last_version", Integer, nullable=False, server_default=text("0")),
    UniqueConstraint("workspace", "name", name="uq_registered_models_name"),
    sqlite_autoincrement=True,
)
registered_model_tags = entries("registered_model_tags", "model_no", "registered_models.model_no")

model_versions = Table(
    "model_versions",
    metadata,
    number("version_no"),
    reference("model_no", "registered_models.model_no"),
    # A filter may ask for any int64.
    Column("version", Integer().with_variant(BigInteger(), "postgresql"), nullable=False),
    characters("description"),
    characters("source", 2048, default=None),
    characters("run_id", 256),
    characters("run_link", 2048),
    characters("user_id", 256),
    characters("status", 24, default=None),
    characters("status_message"),
    characters("current_stage", 16, default="None"),
    time_ms("creation_time_ms"),
    time_ms("last_update_time_ms"),
    Column("request_id", characters_of(64), nullable=True),
    characters("model_id", 64),
    characters("storage_location", 2048),
    UniqueConstraint("model_no", "version", name="uq_model_versions_version"),
    UniqueConstraint("request_id", name="uq_model_versions_request_id"),
    Index("ix_model_versions_run_id", "run_id"),
)
model_version_tags = entries("model_version_tags", "version_no", "model_versions.version_no")

registered_model_aliases = Table(
    "registered_model_aliases",
    metadata,
    reference("model_no", "registered_models.model_no"),
    Column("alias", characters_of(255), nullable=False),
    reference("version_no", "model_versions.version_no", index=True),
    PrimaryKeyConstraint("model_no", "alias"),
    sqlite_with_rowid=False,
)
