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
                          │                 └─ metric_chunks      up to 4096 points a row, sorted, compressed
                          └─ uploads
    metric_keys, metric_contexts                  the names of series, each written once; they only grow
    registered_models ─┬─ registered_model_tags, registered_model_aliases
                       └─ model_versions ── model_version_tags

Every database gets exactly this: a fresh one by `create_all`, an older one by the numbered steps in migrations.py.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
    true,
)

SCHEMA_VERSION = 1
DEFAULT_CONTEXT_NO = 0
# Stands for no rank, so that a unique key covers it.
NO_RANK = -1

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column that is exactly INTEGER PRIMARY KEY.
Number = BigInteger().with_variant(Integer, "sqlite")


def _number(name: str) -> "Column[int]":
    return Column(name, Number, primary_key=True, autoincrement=True)


def _reference(name: str, target: str, *, index: bool = False) -> "Column[int]":
    return Column(name, Number, ForeignKey(target, ondelete="CASCADE"), nullable=False, index=index)


def _time(name: str, *, nullable: bool = False) -> "Column[int]":
    return Column(name, BigInteger, nullable=nullable)


def _text(name: str, length: int | None = None, *, default: str | None = "") -> "Column[str]":
    kind = Text() if length is None else String(length)
    return Column(name, kind, nullable=False, server_default=None if default is None else text(f"'{default}'"))


def _flag(name: str) -> "Column[bool]":
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def _entries(name: str, owner: str, target: str, *, key_characters: int = 250) -> Table:
    return Table(
        name,
        metadata,
        _reference(owner, target),
        Column("key", String(key_characters), nullable=False),
        Column("value", Text, nullable=False),
        PrimaryKeyConstraint(owner, "key"),
        sqlite_with_rowid=False,
    )


def _uploads(name: str, owner: str, target: str) -> Table:
    return Table(
        name,
        metadata,
        _reference(owner, target),
        Column("upload_id", String(64), nullable=False),
        _text("path", 1024, default=None),
        Column("size_bytes", BigInteger, nullable=False),
        Column("sha256", LargeBinary(32), nullable=False),
        _flag("complete"),
        _time("begin_time_ms"),
        PrimaryKeyConstraint(owner, "upload_id"),
        Index(f"ix_{name}_begin_time_ms", "begin_time_ms"),
        sqlite_with_rowid=False,
    )


schema_migrations = Table(
    "schema_migrations", metadata, Column("version", Integer, primary_key=True), _time("applied_time_ms")
)

experiments = Table(
    "experiments",
    metadata,
    _number("experiment_no"),
    _text("workspace", 250, default="default"),
    _text("name", 500, default=None),
    _text("artifact_location", 2048),
    _text("lifecycle_stage", 16, default="active"),
    _time("creation_time_ms"),
    _time("last_update_time_ms"),
    _time("deleted_time_ms", nullable=True),
    UniqueConstraint("workspace", "name", name="uq_experiments_name"),
    # Numbers of experiments that were removed for good are not given out again: links to them may live on.
    sqlite_autoincrement=True,
)
experiment_tags = _entries("experiment_tags", "experiment_no", "experiments.experiment_no")

runs = Table(
    "runs",
    metadata,
    _number("run_no"),
    _text("run_id", 256, default=None),
    _reference("experiment_no", "experiments.experiment_no"),
    _text("run_name", 250, default=None),
    _text("user_id", 256),
    _text("status", 16, default=None),
    _time("start_time_ms"),
    _time("end_time_ms", nullable=True),
    _text("lifecycle_stage", 16, default="active"),
    _time("deleted_time_ms", nullable=True),
    _text("artifact_uri", 2600, default=None),
    _text("parent_run_id", 256),
    _time("heartbeat_time_ms", nullable=True),
    _flag("stop_requested"),
    Column("request_id", String(64), nullable=True),
    UniqueConstraint("run_id", name="uq_runs_run_id"),
    UniqueConstraint("request_id", name="uq_runs_request_id"),
    Index("ix_runs_newest", "experiment_no", "lifecycle_stage", "start_time_ms", "run_id"),
    sqlite_autoincrement=True,
)
run_params = _entries("run_params", "run_no", "runs.run_no")
run_tags = _entries("run_tags", "run_no", "runs.run_no")

datasets = Table(
    "datasets",
    metadata,
    _number("dataset_no"),
    _reference("experiment_no", "experiments.experiment_no"),
    _text("name", 500, default=None),
    _text("digest", 36, default=None),
    _text("source_type", 250),
    _text("source"),
    _text("schema"),
    _text("profile"),
    UniqueConstraint("experiment_no", "name", "digest", name="uq_datasets_name"),
)

run_datasets = Table(
    "run_datasets",
    metadata,
    # In the order in which they were logged.
    _number("input_no"),
    _reference("run_no", "runs.run_no"),
    _reference("dataset_no", "datasets.dataset_no"),
    # The tag CONTEXT_TAG once more: filters ask for it.
    _text("context", 500),
    UniqueConstraint("run_no", "dataset_no", name="uq_run_datasets_dataset"),
    Index("ix_run_datasets_dataset", "dataset_no", "context"),
)
run_dataset_tags = _entries("run_dataset_tags", "input_no", "run_datasets.input_no", key_characters=255)

run_models = Table(
    "run_models",
    metadata,
    # In the order in which they were logged.
    _number("link_no"),
    _reference("run_no", "runs.run_no"),
    _flag("is_output"),
    Column("model_id", String(64), nullable=False),
    Column("step", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("run_no", "is_output", "model_id", name="uq_run_models_model"),
)

# Arrivals of a run are numbered from 1 in the order of their commits:
#
#     1 … pruned_arrival │ … compacted_arrival │ … arrival
#     gone (in chunks)   │ in chunks, kept for │ in the journal only
#                        │ tails a while       │
run_heads = Table(
    "run_heads",
    metadata,
    Column("run_no", Number, ForeignKey("runs.run_no", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("arrival", BigInteger, nullable=False, server_default=text("0")),
    Column("compacted_arrival", BigInteger, nullable=False, server_default=text("0")),
    Column("pruned_arrival", BigInteger, nullable=False, server_default=text("0")),
    # Points in the arrivals that are in the journal only, and when the first and the last of these came.
    Column("pending_points", BigInteger, nullable=False, server_default=text("0")),
    Column("pending_since_ms", BigInteger, nullable=False, server_default=text("0")),
    Column("pending_until_ms", BigInteger, nullable=False, server_default=text("0")),
)
Index(
    "ix_run_heads_pending",
    run_heads.c.run_no,
    sqlite_where=run_heads.c.compacted_arrival < run_heads.c.arrival,
    postgresql_where=run_heads.c.compacted_arrival < run_heads.c.arrival,
)
Index(
    "ix_run_heads_retired",
    run_heads.c.run_no,
    sqlite_where=run_heads.c.pruned_arrival < run_heads.c.compacted_arrival,
    postgresql_where=run_heads.c.pruned_arrival < run_heads.c.compacted_arrival,
)

metric_writers = Table(
    "metric_writers",
    metadata,
    _reference("run_no", "runs.run_no"),
    Column("writer_id", String(64), nullable=False),
    Column("mark", BigInteger, nullable=False),
    PrimaryKeyConstraint("run_no", "writer_id"),
    sqlite_with_rowid=False,
)

metric_keys = Table(
    "metric_keys",
    metadata,
    _number("key_no"),
    _text("key", 250, default=None),
    UniqueConstraint("key", name="uq_metric_keys_key"),
)

metric_contexts = Table(
    "metric_contexts",
    metadata,
    _number("context_no"),
    Column("rank", Integer, nullable=False),
    _text("model_id", 64),
    _text("dataset_name", 500),
    _text("dataset_digest", 36),
    UniqueConstraint("rank", "model_id", "dataset_name", "dataset_digest", name="uq_metric_contexts"),
    # Leads from a logged model to its series, by ix_metric_summaries_context.
    Index("ix_metric_contexts_model_id", "model_id"),
)

metric_series = Table(
    "metric_series",
    metadata,
    _number("series_no"),
    _reference("run_no", "runs.run_no"),
    Column("key_no", Number, ForeignKey("metric_keys.key_no"), nullable=False),
    Column("context_no", Number, ForeignKey("metric_contexts.context_no"), nullable=False),
    UniqueConstraint("run_no", "key_no", "context_no", name="uq_metric_series"),
    sqlite_autoincrement=True,
)

# Apart from metric_series because it changes with every request, and that one's unique key never does. The numbers
# from there stand here once more, so that a page of runs with thousands of summaries joins nothing.
# NaN is NULL here (SQLite's REAL has no NaN): `last_value` NULL means that the last point is NaN.
metric_summaries = Table(
    "metric_summaries",
    metadata,
    Column(
        "series_no",
        Number,
        ForeignKey("metric_series.series_no", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("run_no", Number, nullable=False),
    Column("experiment_no", Number, nullable=False),
    Column("key_no", Number, nullable=False),
    Column("context_no", Number, nullable=False),
    _flag("is_primary"),
    Column("count", BigInteger, nullable=False),
    Column("nan_count", BigInteger, nullable=False),
    Column("last_value", Double, nullable=True),
    Column("last_step", BigInteger, nullable=False),
    Column("last_time_ms", BigInteger, nullable=False),
    Column("first_value", Double, nullable=True),
    Column("first_step", BigInteger, nullable=False),
    Column("first_time_ms", BigInteger, nullable=False),
    Column("min_value", Double, nullable=True),
    Column("max_value", Double, nullable=True),
)
# Both only over the rows that a filter can mean: the first finds a run's metric, the second runs by a metric.
Index(
    "ix_metric_summaries_run",
    metric_summaries.c.run_no,
    metric_summaries.c.key_no,
    sqlite_where=metric_summaries.c.is_primary == true(),
    postgresql_where=metric_summaries.c.is_primary,
)
Index(
    "ix_metric_summaries_last",
    metric_summaries.c.experiment_no,
    metric_summaries.c.key_no,
    metric_summaries.c.last_value,
    metric_summaries.c.run_no,
    sqlite_where=metric_summaries.c.is_primary == true(),
    postgresql_where=metric_summaries.c.is_primary,
)
# Without the default context, which most series have and no logged model.
Index(
    "ix_metric_summaries_context",
    metric_summaries.c.context_no,
    metric_summaries.c.key_no,
    sqlite_where=metric_summaries.c.context_no != literal_column(str(DEFAULT_CONTEXT_NO)),
    postgresql_where=metric_summaries.c.context_no != literal_column(str(DEFAULT_CONTEXT_NO)),
)

metric_journal = Table(
    "metric_journal",
    metadata,
    _number("journal_no"),
    _reference("run_no", "runs.run_no"),
    Column("arrival", BigInteger, nullable=False),
    _time("commit_time_ms"),
    Column("points", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    UniqueConstraint("run_no", "arrival", name="uq_metric_journal_arrival"),
)

metric_chunks = Table(
    "metric_chunks",
    metadata,
    _reference("series_no", "metric_series.series_no"),
    Column("ordinal", Integer, nullable=False),
    Column("points", Integer, nullable=False),
    Column("first_step", BigInteger, nullable=False),
    Column("first_time_ms", BigInteger, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("last_time_ms", BigInteger, nullable=False),
    Column("min_value", Double, nullable=True),
    Column("max_value", Double, nullable=True),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("series_no", "ordinal"),
    sqlite_with_rowid=False,
)

uploads = _uploads("uploads", "run_no", "runs.run_no")

logged_models = Table(
    "logged_models",
    metadata,
    _number("logged_model_no"),
    _text("model_id", 64, default=None),
    _reference("experiment_no", "experiments.experiment_no"),
    _text("name", 500, default=None),
    _text("artifact_uri", 2600, default=None),
    _text("model_type", 500),
    _text("source_run_id", 256),
    _text("status", 24, default=None),
    _text("status_message"),
    _text("lifecycle_stage", 16, default="active"),
    _time("creation_time_ms"),
    _time("last_update_time_ms"),
    _time("deleted_time_ms", nullable=True),
    Column("request_id", String(64), nullable=True),
    UniqueConstraint("model_id", name="uq_logged_models_model_id"),
    UniqueConstraint("request_id", name="uq_logged_models_request_id"),
    Index("ix_logged_models_newest", "experiment_no", "lifecycle_stage", "creation_time_ms", "model_id"),
    sqlite_autoincrement=True,
)
logged_model_params = _entries("logged_model_params", "logged_model_no", "logged_models.logged_model_no")
logged_model_tags = _entries("logged_model_tags", "logged_model_no", "logged_models.logged_model_no")
logged_model_uploads = _uploads("logged_model_uploads", "logged_model_no", "logged_models.logged_model_no")

issues = Table(
    "issues",
    metadata,
    _number("issue_no"),
    _text("issue_id", 64, default=None),
    _reference("experiment_no", "experiments.experiment_no"),
    _text("name", 250, default=None),
    _text("description", default=None),
    _text("status", 16, default=None),
    # By rank; NULL where nobody said.
    Column("severity", Integer, nullable=True),
    # A list as JSON: nobody searches it.
    _text("root_causes", default="[]"),
    _text("source_run_id", 256),
    _text("created_by", 256),
    _text("last_updated_by", 256),
    _time("creation_time_ms"),
    _time("last_update_time_ms"),
    _time("last_seen_time_ms", nullable=True),
    Column("request_id", String(64), nullable=True),
    UniqueConstraint("issue_id", name="uq_issues_issue_id"),
    UniqueConstraint("request_id", name="uq_issues_request_id"),
    Index("ix_issues_newest", "experiment_no", "creation_time_ms", "issue_id"),
)
issue_categories = Table(
    "issue_categories",
    metadata,
    _reference("issue_no", "issues.issue_no"),
    # Their order is that in which they were given.
    Column("place", Integer, nullable=False),
    _text("name", 250, default=None),
    PrimaryKeyConstraint("issue_no", "place"),
    sqlite_with_rowid=False,
)
issue_metadata = _entries("issue_metadata", "issue_no", "issues.issue_no")

registered_models = Table(
    "registered_models",
    metadata,
    _number("model_no"),
    _text("workspace", 250, default="default"),
    _text("name", 250, default=None),
    _text("description"),
    _time("creation_time_ms"),
    _time("last_update_time_ms"),
    # Counts up and never down: the number of a deleted version is not used again.
    Column("last_version", Integer, nullable=False, server_default=text("0")),
    UniqueConstraint("workspace", "name", name="uq_registered_models_name"),
    sqlite_autoincrement=True,
)
registered_model_tags = _entries("registered_model_tags", "model_no", "registered_models.model_no")

model_versions = Table(
    "model_versions",
    metadata,
    _number("version_no"),
    _reference("model_no", "registered_models.model_no"),
    Column("version", Integer, nullable=False),
    _text("description"),
    _text("source", 2048, default=None),
    _text("run_id", 256),
    _text("run_link", 2048),
    _text("user_id", 256),
    _text("status", 24, default=None),
    _text("status_message"),
    _text("current_stage", 16, default="None"),
    _time("creation_time_ms"),
    _time("last_update_time_ms"),
    Column("request_id", String(64), nullable=True),
    _text("model_id", 64),
    _text("storage_location", 2048),
    UniqueConstraint("model_no", "version", name="uq_model_versions_version"),
    UniqueConstraint("request_id", name="uq_model_versions_request_id"),
    Index("ix_model_versions_run_id", "run_id"),
)
model_version_tags = _entries("model_version_tags", "version_no", "model_versions.version_no")

registered_model_aliases = Table(
    "registered_model_aliases",
    metadata,
    _reference("model_no", "registered_models.model_no"),
    Column("alias", String(255), nullable=False),
    _reference("version_no", "model_versions.version_no", index=True),
    PrimaryKeyConstraint("model_no", "alias"),
    sqlite_with_rowid=False,
)
