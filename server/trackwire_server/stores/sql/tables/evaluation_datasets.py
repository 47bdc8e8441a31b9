"""The tables of evaluation datasets."""

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint, text

from trackwire_server.stores.sql.tables.columns import (
    characters,
    characters_of,
    entries,
    metadata,
    number,
    reference,
    time_ms,
)

evaluation_datasets = Table(
    "evaluation_datasets",
    metadata,
    number("dataset_no"),
    characters("workspace", 250, default="default"),
    characters("dataset_id", 64, default=None),
    characters("name", 500, default=None),
    characters("schema"),
    Column("record_count", BigInteger, nullable=False, server_default=text("0")),
    characters("digest", 8, default=None),
    time_ms("creation_time_ms"),
    time_ms("last_update_time_ms"),
    characters("created_by", 256),
    characters("last_updated_by", 256),
    Column("request_id", characters_of(64), nullable=True),
    UniqueConstraint("dataset_id", name="uq_evaluation_datasets_dataset_id"),
    UniqueConstraint("request_id", name="uq_evaluation_datasets_request_id"),
    Index("ix_evaluation_datasets_newest", "workspace", "creation_time_ms", "dataset_id"),
    Index("ix_evaluation_datasets_name", "workspace", "name", "creation_time_ms", "dataset_id"),
)
evaluation_dataset_tags = entries(
    "evaluation_dataset_tags", "dataset_no", "evaluation_datasets.dataset_no", key_characters=255
)
evaluation_dataset_experiments = Table(
    "evaluation_dataset_experiments",
    metadata,
    reference("dataset_no", "evaluation_datasets.dataset_no"),
    reference("experiment_no", "experiments.experiment_no", index=True),
    PrimaryKeyConstraint("dataset_no", "experiment_no"),
    sqlite_with_rowid=False,
)
# All that a record says is JSON. `size_bytes` is that of its parts: pages are cut by it before they are read.
evaluation_dataset_records = Table(
    "evaluation_dataset_records",
    metadata,
    # In the order in which they were added.
    number("record_no"),
    reference("dataset_no", "evaluation_datasets.dataset_no"),
    characters("record_id", 64, default=None),
    characters("input_hash", 64, default=None),
    Column("size_bytes", BigInteger, nullable=False),
    characters("inputs", default=None),
    characters("outputs", default=None),
    characters("expectations"),
    characters("tags", default=None),
    Column("source_type", characters_of(16), nullable=True),
    characters("source_data"),
    time_ms("creation_time_ms"),
    time_ms("last_update_time_ms"),
    characters("created_by", 256),
    characters("last_updated_by", 256),
    UniqueConstraint("record_id", name="uq_evaluation_dataset_records_record_id"),
    UniqueConstraint("dataset_no", "input_hash", name="uq_evaluation_dataset_records_inputs"),
    # What pages are cut by, without the rows' large parts.
    Index("ix_evaluation_dataset_records_page", "dataset_no", "record_no", "size_bytes"),
    sqlite_autoincrement=True,
)
