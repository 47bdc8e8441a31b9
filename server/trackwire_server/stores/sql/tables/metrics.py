"""The tables of metrics: heads and marks, the journal, and what compaction makes of it."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    literal_column,
    text,
    true,
)

from trackwire_server.stores.sql.tables.columns import (
    Number,
    characters,
    characters_of,
    flag,
    metadata,
    number,
    partial_index,
    reference,
    time_ms,
)

DEFAULT_CONTEXT_NO = 0
# Stands for no rank, so that a unique key covers it.
NO_RANK = -1

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
partial_index(
    "ix_run_heads_pending",
    run_heads.c.run_no,
    where=run_heads.c.compacted_arrival < run_heads.c.arrival,
)
partial_index(
    "ix_run_heads_retired",
    run_heads.c.run_no,
    where=run_heads.c.pruned_arrival < run_heads.c.compacted_arrival,
)

metric_writers = Table(
    "metric_writers",
    metadata,
    reference("run_no", "runs.run_no"),
    Column("writer_id", characters_of(64), nullable=False),
    Column("mark", BigInteger, nullable=False),
    PrimaryKeyConstraint("run_no", "writer_id"),
    sqlite_with_rowid=False,
)

metric_keys = Table(
    "metric_keys",
    metadata,
    number("key_no"),
    characters("key", 250, default=None),
    UniqueConstraint("key", name="uq_metric_keys_key"),
)

metric_contexts = Table(
    "metric_contexts",
    metadata,
    number("context_no"),
    Column("rank", Integer, nullable=False),
    characters("model_id", 64),
    characters("dataset_name", 500),
    characters("dataset_digest", 36),
    UniqueConstraint("rank", "model_id", "dataset_name", "dataset_digest", name="uq_metric_contexts"),
    # Leads from a logged model to its series, by ix_metric_summaries_context.
    Index("ix_metric_contexts_model_id", "model_id"),
)

metric_series = Table(
    "metric_series",
    metadata,
    number("series_no"),
    reference("run_no", "runs.run_no"),
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
    flag("is_primary"),
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
partial_index(
    "ix_metric_summaries_run",
    metric_summaries.c.run_no,
    metric_summaries.c.key_no,
    where=metric_summaries.c.is_primary == true(),
)
partial_index(
    "ix_metric_summaries_last",
    metric_summaries.c.experiment_no,
    metric_summaries.c.key_no,
    metric_summaries.c.last_value,
    metric_summaries.c.run_no,
    where=metric_summaries.c.is_primary == true(),
)
# Without the default context, which most series have and no logged model.
partial_index(
    "ix_metric_summaries_context",
    metric_summaries.c.context_no,
    metric_summaries.c.key_no,
    where=metric_summaries.c.context_no != literal_column(str(DEFAULT_CONTEXT_NO)),
)

metric_journal = Table(
    "metric_journal",
    metadata,
    number("journal_no"),
    reference("run_no", "runs.run_no"),
    Column("arrival", BigInteger, nullable=False),
    time_ms("commit_time_ms"),
    Column("points", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    UniqueConstraint("run_no", "arrival", name="uq_metric_journal_arrival"),
)

_PLACE = ("first_step", "first_time_ms", "last_step", "last_time_ms")
metric_chunks = Table(
    "metric_chunks",
    metadata,
    reference("series_no", "metric_series.series_no"),
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
# SQLite reads a whole row, payload and all, to compare its key: who looks through the chunks of a series would read all
# of its points. Other databases keep payloads apart.
Index(
    "ix_metric_chunks_places",
    *(metric_chunks.c[name] for name in ("series_no", "ordinal", "points", *_PLACE)),
).ddl_if(dialect="sqlite")

# What full chunks are thinned to, for reads that thin further. Apart from metric_chunks for the same reason; and not
# every chunk has one.
metric_thinned = Table(
    "metric_thinned",
    metadata,
    reference("series_no", "metric_series.series_no"),
    Column("ordinal", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("series_no", "ordinal"),
    sqlite_with_rowid=False,
)
