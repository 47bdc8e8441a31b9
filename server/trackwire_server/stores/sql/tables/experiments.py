"""The tables of experiments."""

from sqlalchemy import Table, UniqueConstraint

from trackwire_server.stores.sql.tables.columns import characters, entries, metadata, number, time_ms

experiments = Table(
    "experiments",
    metadata,
    number("experiment_no"),
    characters("workspace", 250, default="default"),
    characters("name", 500, default=None),
    characters("artifact_location", 2048),
    characters("lifecycle_stage", 16, default="active"),
    time_ms("creation_time_ms"),
    time_ms("last_update_time_ms"),
    time_ms("deleted_time_ms", nullable=True),
    UniqueConstraint("workspace", "name", name="uq_experiments_name"),
    # Numbers of experiments that were removed for good are not given out again: links to them may live on.
    sqlite_autoincrement=True,
)
experiment_tags = entries("experiment_tags", "experiment_no", "experiments.experiment_no")
